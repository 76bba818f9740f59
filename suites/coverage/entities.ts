/** What a schema is made of, entity by entity: the rows of the matrix. */
import type { Member, Schema, StructType, UnionType } from '../../qapi/schema.js';

const entityKinds = [
  'command',
  'argument',
  'return',
  'event',
  'data',
  'type',
  'member',
  'enum',
  'capability',
  'parameter',
] as const;
export type EntityKind = (typeof entityKinds)[number];

/** `capability xbzrle`, `argument migrate.uri`, `member MigrationStats.duplicate`, `enum MigrationStatus.active`. */
export type Entity = `${EntityKind} ${string}`;

/** Enums whose values are no values on the wire but names of something: they are rows of another kind. */
const capabilityEnum = 'MigrationCapability';
const parameterEnum = 'MigrationParameter';

/**
 * The entities of the definitions that stand in `file`.
 * - `command`: it succeeds; `argument`: it is given in a call that succeeds; `return`: it answers with more than `{}`
 * - `event`, `data`: an event and a member of its data come
 * - `type`, `member`: a struct, and each of its members, is sent or received
 * - `enum`: a value is sent or received; `capability`: it is switched on; `parameter`: it is set
 */
export function entitiesOf(schema: Schema, file: string): Entity[] {
  const own = <T extends { location?: { file: string } }>(all: Iterable<T>) =>
    [...all].filter(({ location }) => location?.file === file);
  const entities: Entity[] = [];
  // The arguments of a command and the data of an event are rows of these, not of the type that holds them.
  const implicit = new Set<string>();
  const names = (of: string | undefined): readonly Member[] => {
    if (of !== undefined) implicit.add(of);
    return schema.membersOf(of);
  };
  for (const command of own(schema.commands.values())) {
    entities.push(`command ${command.name}`);
    for (const member of names(command.arguments)) entities.push(`argument ${command.name}.${member.name}`);
    if (command.returns !== undefined) entities.push(`return ${command.name}`);
  }
  for (const event of own(schema.events.values())) {
    entities.push(`event ${event.name}`);
    for (const member of names(event.data)) entities.push(`data ${event.name}.${member.name}`);
  }
  for (const type of own(schema.types.values())) {
    if (type.kind === 'enum') {
      const kind = type.name === capabilityEnum ? 'capability' : type.name === parameterEnum ? 'parameter' : undefined;
      for (const value of type.values) {
        entities.push(kind === undefined ? `enum ${type.name}.${value.name}` : `${kind} ${value.name}`);
      }
    } else if (type.kind !== 'alternate' && !implicit.has(type.name)) {
      entities.push(`type ${type.name}`, ...members(schema, type));
    }
  }
  return entities;
}

const members = (schema: Schema, type: StructType | UnionType): Entity[] =>
  schema.members(type).map((member): Entity => `member ${type.name}.${member.name}`);

/** The entities that the suite has to exercise: the migration definitions of the baseline. */
export const baselineFile = 'migration.qapi';
