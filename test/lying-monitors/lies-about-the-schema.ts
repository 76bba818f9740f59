import type { JsonObject, JsonValue } from '../../protocol/json.js';
import { returned } from './ask.js';
import type { Lie } from './lie.js';

type Entities = readonly JsonObject[];

const schema = (change: (entities: Entities) => JsonValue) => returned<Entities>('query-qmp-schema', change);
const typeOf = (entities: Entities, name: string, what: 'arg-type' | 'ret-type') =>
  entities.find((one) => one.name === name && what in one)?.[what] as string;
const members = (one: JsonObject | undefined): readonly JsonObject[] => (one?.members ?? []) as readonly JsonObject[];

/** What a command gives back or an event carries, changed member by member. */
const within = (name: string, what: 'arg-type' | 'ret-type', change: (member: JsonObject) => JsonObject) =>
  schema((entities) => {
    const type = typeOf(entities, name, what);
    return entities.map((one) => (one.name === type ? { ...one, members: members(one).map(change) } : one));
  });

export const aboutTheSchema = {
  'schema-figures-lost': {
    says: 'leaves the figures of the memory out of what its schema has for query-migrate',
    down: schema((entities) => {
      const type = typeOf(entities, 'query-migrate', 'ret-type');
      return entities.map((one) =>
        one.name === type ? { ...one, members: members(one).filter(({ name }) => name !== 'ram') } : one,
      );
    }),
  },
  'schema-pass-as-text': {
    says: 'has the number of a pass as text in its schema',
    down: within('MIGRATION_PASS', 'arg-type', (member) => ({ ...member, type: 'str' })),
  },
  'schema-status-for-certain': {
    says: 'promises in its schema to show a status always',
    down: within('query-migrate', 'ret-type', (member) =>
      member.name === 'status' ? { name: member.name, type: member.type as string } : member,
    ),
  },
  'schema-argument-twice': {
    says: 'has an argument of migrate twice in its schema',
    down: schema((entities) => {
      const type = typeOf(entities, 'migrate', 'arg-type');
      return entities.map((one) =>
        one.name === type ? { ...one, members: [...members(one), members(one)[0] as JsonObject] } : one,
      );
    }),
  },
} satisfies Record<string, Lie>;
