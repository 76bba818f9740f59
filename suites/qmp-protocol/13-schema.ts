/** qmp-protocol.md §13: the entities that query-qmp-schema returns. */
import { aBoolean } from '../../oracle/patterns.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { fromIntrospection, IntrospectionError } from '../../qapi/introspection.js';
import type { Schema } from '../../qapi/schema.js';
import { dialectNames, dialects } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import type { TargetFacts } from '../../targets/facts.js';
import { unlessExact, unlessIntrospected } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { contradictions } from './schema-of-release.js';

type Entity = JsonObject & { readonly name: string; readonly 'meta-type': string };

/** Members of each kind of entity: those it must have, and those it may have. */
const shapes: Readonly<Record<string, readonly [required: readonly string[], optional: readonly string[]]>> = {
  command: [['arg-type', 'ret-type'], ['allow-oob']],
  event: [['arg-type'], []],
  object: [['members'], ['tag', 'variants']],
  enum: [['values'], ['members']],
  array: [['element-type'], []],
  alternate: [['members'], []],
  builtin: [['json-type'], []],
};

const builtins: Readonly<Record<string, string>> = {
  str: 'string',
  int: 'int',
  number: 'number',
  bool: 'boolean',
  null: 'null',
  any: 'value',
};

/** What each target has said: its schema does not change, and takes longer to tell than all that is looked at in it. */
const told = new WeakMap<TargetFacts, Promise<JsonValue | undefined>>();

async function entities(t: Trial): Promise<Entity[]> {
  const asked = told.get(t.facts) ?? schemaOf(t);
  told.set(
    t.facts,
    asked.catch(() => undefined),
  );
  // Whoever comes while another asks waits for that answer, and asks alone when there is none.
  const list = (await asked) ?? (await schemaOf(t));
  const isList = Array.isArray(list);
  t.check(isList && list.length > 0, 'a list of entities', isList ? '[]' : JSON.stringify(list).slice(0, 100));
  const odd = isList ? list.find((one) => !isObject(one)) : undefined;
  t.check(odd === undefined, 'entities, which are objects', JSON.stringify(odd));
  return list as Entity[];
}

async function schemaOf(t: Trial): Promise<JsonValue> {
  const session = await t.session();
  const list = t.succeeded(await session.command('query-qmp-schema'));
  session.close();
  return list;
}

const listOf = (value: JsonValue | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** Values of an enum, wherever it tells them. */
const valuesOf = (entity: Entity | undefined): JsonValue | undefined =>
  entity?.values ??
  (entity !== undefined && 'members' in entity
    ? listOf(entity.members).map(({ name }) => name as JsonValue)
    : undefined);

/** Names of the types that an entity refers to. */
function references(entity: Entity): JsonValue[] {
  const direct = ['arg-type', 'ret-type', 'element-type'].flatMap((key) =>
    key in entity ? [entity[key] as JsonValue] : [],
  );
  const members = entity['meta-type'] === 'enum' ? [] : listOf(entity.members);
  return [...direct, ...[...members, ...listOf(entity.variants)].map((one) => one.type as JsonValue)];
}

export const schemaEntities = new ChapterBuilder(
  ['QMP protocol', '13 Generic commands', 'Schema'],
  'qmp-protocol.md §13',
  {
    commands: ['query-qmp-schema'],
  },
)
  .must(
    'QMP-BASE-05',
    'each entity has name and meta-type, the members of its kind, and perhaps features',
    async (t) => {
      for (const entity of await entities(t)) {
        const shape = shapes[entity['meta-type']];
        t.check(
          shape !== undefined && typeof entity.name === 'string',
          'an entity of a known kind',
          JSON.stringify(entity).slice(0, 120),
        );
        const [required, optional] = shape as (typeof shapes)[string];
        const told = t.facts.hidesDeprecated ? required.filter((name) => name !== 'values') : required;
        t.returned('query-qmp-schema', entity, ['name', 'meta-type', ...told], [...optional, 'features'], entity.name);
      }
    },
  )
  .must(
    'QMP-BASE-05.commands',
    'the schema has no command that query-commands does not list',
    async (t) => {
      const session = await t.session();
      const listed = new Set(
        listOf(t.succeeded(await session.command('query-commands'))).map(({ name }) => String(name)),
      );
      session.close();
      const commands = (await entities(t)).filter((entity) => entity['meta-type'] === 'command');
      const unlisted = commands.map(({ name }) => name).filter((name) => !listed.has(name));
      t.same(unlisted, [], 'commands in the schema only');
    },
    { needs: { commands: ['query-commands'] } },
  )
  .must(
    'QMP-BASE-05.optional',
    'it tells which arguments of the migration commands can be left out',
    async (t) => {
      const own = loadSchema(t.dialect.name);
      // A release between two dialects may already be like the newer one.
      const newer = t.dialect === dialects[t.dialect.name] ? [] : dialectNames.map(loadSchema);
      const optional = (schema: Schema, name: string) =>
        new Map(schema.membersOf(schema.commands.get(name)?.arguments).map((one) => [one.name, one.optional]));
      for (const name of own.commands.keys()) {
        if (!t.facts.schema.commands.has(name)) continue;
        const told = optional(t.facts.schema, name);
        for (const [member, right] of optional(own, name)) {
          const is = told.get(member);
          if (is === undefined) continue;
          const also = newer.some((schema) => optional(schema, name).get(member) === is);
          t.same(is, also ? is : right, `${name}.${member} is optional`);
        }
      }
    },
    { needs: { unless: unlessExact } },
  )
  .must(
    'QMP-BASE-05.arguments',
    'it tells the arguments that the migration commands have in all releases',
    async (t) => {
      const names = (schema: Schema, command: string) =>
        schema.membersOf(schema.commands.get(command)?.arguments).map(({ name }) => name);
      const [oldest, ...newer] = dialectNames.map(loadSchema) as [Schema, ...Schema[]];
      for (const command of oldest.commands.keys()) {
        if (!t.facts.schema.commands.has(command)) continue;
        // An experimental one may be left out of a build.
        const lasting = names(oldest, command).filter(
          (name) => !name.startsWith('x-') && newer.every((schema) => names(schema, command).includes(name)),
        );
        const told = new Set(names(t.facts.schema, command));
        const { removedArguments } = t.dialect.migration;
        const missing = lasting.filter((name) => !told.has(name) && !removedArguments.includes(`${command}.${name}`));
        t.check(missing.length === 0, `${lasting.join()} among the arguments of ${command}`, `no ${missing.join()}`);
      }
    },
    { needs: { unless: unlessExact } },
  )
  .must(
    'QMP-BASE-05.release',
    'it describes the commands and events of migration as its release has them',
    async (t) => {
      const [worst] = contradictions(t.facts);
      t.check(
        worst === undefined,
        'nothing that its release has in another way',
        worst === undefined ? undefined : `${worst.path}: ${worst.text}`,
      );
    },
    {
      needs: {
        unless: (facts) =>
          unlessIntrospected(facts) ??
          (facts.dialectForeign ? 'it is judged by the dialect of another release' : unlessExact(facts)) ??
          (facts.hidesDeprecated ? 'it leaves what is deprecated out of its schema' : undefined),
      },
    },
  )
  .must('QMP-BASE-05.whole', 'a client can read a schema from it', async (t) => {
    const list = await entities(t);
    let fault: string | undefined;
    try {
      fromIntrospection(list);
    } catch (error) {
      if (!(error instanceof IntrospectionError)) throw error;
      fault = error.message;
    }
    t.check(fault === undefined, 'entities that fit each other', fault);
  })
  .must('QMP-BASE-05.unique', 'no name stands for two entities of a kind, nor a type for two types', async (t) => {
    const keys = (await entities(t)).map((entity) =>
      ['command', 'event'].includes(entity['meta-type'])
        ? `${entity['meta-type']} ${entity.name}`
        : `type ${entity.name}`,
    );
    const repeated = keys.filter((key, i) => keys.indexOf(key) !== i);
    t.check(repeated.length === 0, 'each name once', repeated.join());
  })
  .must('QMP-BASE-05.references', 'every type that is referred to is there', async (t) => {
    const list = await entities(t);
    const types = new Map(
      list.filter((one) => !['command', 'event'].includes(one['meta-type'])).map((one) => [one.name, one]),
    );
    const used = new Set(list.flatMap(references));
    const dangling = [...used].filter((name) => !types.has(String(name)));
    t.check(dangling.length === 0, 'no reference into nothing', dangling.join());
    for (const entity of list.filter((one) => ['command', 'event'].includes(one['meta-type']))) {
      t.equal(types.get(String(entity['arg-type']))?.['meta-type'], 'object', `arg-type of ${entity.name}`);
    }
  })
  .must(
    'QMP-BASE-05.members',
    'members have name and type, and default null exactly when they are optional',
    async (t) => {
      for (const entity of (await entities(t)).filter((one) => one['meta-type'] === 'object')) {
        t.check(Array.isArray(entity.members), 'a list of members', entity.name);
        for (const member of entity.members as JsonValue[]) {
          t.returned('query-qmp-schema', member, ['name', 'type'], ['default', 'features'], `member of ${entity.name}`);
          if ('default' in (member as JsonObject)) t.equal((member as JsonObject).default, null, 'default');
        }
      }
    },
  )
  .must(
    'QMP-BASE-05.unions',
    'a union has tag and variants, and its tag is a required member of an enum',
    async (t) => {
      const list = await entities(t);
      const byName = new Map(
        list.filter((one) => !['command', 'event'].includes(one['meta-type'])).map((one) => [one.name, one]),
      );
      for (const union of list.filter((one) => 'tag' in one || 'variants' in one)) {
        const tag = listOf(union.members).find((member) => member.name === union.tag);
        t.check(
          tag !== undefined && !('default' in tag),
          `the tag of ${union.name} among its members`,
          JSON.stringify(union.tag ?? null),
        );
        const choices = valuesOf(byName.get(String(tag?.type)));
        for (const variant of listOf(union.variants)) {
          t.returned('query-qmp-schema', variant, ['case', 'type'], [], `variant of ${union.name}`);
          t.check(
            Array.isArray(choices) && choices.includes(variant.case as string),
            `a case of ${JSON.stringify(choices)}`,
            String(variant.case),
          );
        }
      }
    },
  )
  .must('QMP-BASE-05.builtins', 'the builtins are six, each with its JSON type', async (t) => {
    const found = (await entities(t)).filter((one) => one['meta-type'] === 'builtin');
    for (const one of found) t.equal(one['json-type'], builtins[one.name] ?? 'no such builtin', one.name);
  })
  .must(
    'QMP-BASE-05.enums',
    'values of an enum are distinct strings, and its members say the same',
    async (t) => {
      for (const one of (await entities(t)).filter((entity) => entity['meta-type'] === 'enum')) {
        const values = valuesOf(one) as readonly JsonValue[];
        t.check(
          Array.isArray(values) &&
            new Set(values).size === values.length &&
            values.every((value) => typeof value === 'string'),
          'distinct strings',
          JSON.stringify(values ?? null).slice(0, 120),
        );
        if ('members' in one)
          t.same(
            listOf(one.members).map((member) => member.name as JsonValue),
            [...values],
            `members of ${one.name}`,
          );
      }
    },
    { tags: ['QMP-D-45'] },
  )
  .must('QMP-BASE-05.arrays', 'an array is named after its element', async (t) => {
    for (const one of (await entities(t)).filter((entity) => entity['meta-type'] === 'array')) {
      t.equal(one.name, `[${String(one['element-type'])}]`, 'name of an array');
    }
  })
  .must(
    'QMP-BASE-05.oob',
    'allow-oob is true of commands that are executed out of band',
    async (t) => {
      const told = (await entities(t)).filter((one) => 'allow-oob' in one);
      for (const one of told) t.equal(one['allow-oob'], aBoolean, one.name);
      const names = told.filter((one) => one['allow-oob'] === true).map((one) => one.name);
      for (const name of ['migrate-pause', 'migrate-recover'])
        t.check(names.includes(name), `allow-oob of ${name}`, names.join());
    },
    { needs: { commands: ['migrate-pause', 'migrate-recover'] }, tags: ['QMP-OOB-05'] },
  )
  .must('QMP-BASE-05.empty', 'a command without arguments refers to an object without members', async (t) => {
    const list = await entities(t);
    const stop = list.find((one) => one.name === 'query-version' && one['meta-type'] === 'command');
    const object = list.find((one) => one.name === stop?.['arg-type']);
    t.equal(object?.['meta-type'], 'object', 'arg-type of query-version');
    t.same(object?.members, [], 'its members');
  })
  .done();
