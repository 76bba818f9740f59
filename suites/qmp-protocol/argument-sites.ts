/**
 * Places in a target's own schema where a faulty argument can be put: a command, a member of its arguments, and valid
 * values for the members that are visited before it (qmp-protocol.md §8).
 */
import { isObject, type JsonObject, type JsonValue, stringifyJson } from '../../protocol/json.js';
import { integerRanges, type Member, type Schema, type TypeRef } from '../../qapi/schema.js';
import type { TargetFacts } from '../../targets/facts.js';

export type Kind = 'integer' | 'number' | 'boolean' | 'string' | 'enum' | 'array' | 'object' | 'alternate' | 'other';

export interface Site {
  readonly command: string;
  readonly member: Member;
  readonly kind: Kind;
  /** Valid values of the required members that are declared before. */
  readonly before: JsonObject;
  /** JSON text of values that the member does not accept. */
  readonly wrong: readonly string[];
}

// They take members that no schema declares, or look at their arguments in a way of their own.
const ownWays = new Set(['device_add', 'netdev_add', 'object-add', 'query-qmp-schema', 'qmp_capabilities']);

const examples = { string: '"qmpspec"', number: '5', boolean: 'true', null: 'null', array: '[]', object: '{}' };

function kindOfType(schema: Schema, type: TypeRef): Kind {
  if (type.list) return 'array';
  if (type.name in integerRanges) return 'integer';
  if (type.name === 'str') return 'string';
  if (type.name === 'bool') return 'boolean';
  if (type.name === 'number') return 'number';
  const definition = schema.types.get(type.name);
  if (definition === undefined) return 'other';
  if (definition.kind === 'enum' || definition.kind === 'alternate') return definition.kind;
  return 'object';
}

/** JSON text of values that a member of this type does not accept. */
function wrongFor(schema: Schema, type: TypeRef): readonly string[] {
  const { string, number, boolean, array, object } = examples;
  switch (kindOfType(schema, type)) {
    case 'integer':
      return ['"5"', boolean, 'null', array, object, '1.0', '1e3', '1.5'];
    case 'number':
      return ['"5"', boolean, 'null', array, object];
    case 'boolean':
      return ['1', '0', '"true"', '"on"', 'null', array, object];
    case 'string':
    case 'enum':
      return [number, boolean, 'null', array, object];
    case 'array':
      return [string, number, boolean, 'null', object];
    case 'object':
      return [string, number, boolean, 'null', array];
    case 'alternate': {
      const definition = schema.types.get(type.name);
      if (definition?.kind !== 'alternate') return [];
      const taken = new Set(definition.branches.map((branch) => jsonTypeOf(schema, branch.type)));
      return Object.entries(examples).flatMap(([name, text]) => (taken.has(name) ? [] : [text]));
    }
    case 'other':
      return [];
  }
}

function jsonTypeOf(schema: Schema, type: TypeRef): string {
  const kind = kindOfType(schema, type);
  if (kind === 'integer') return 'number';
  if (kind === 'enum') return 'string';
  return kind === 'other' ? type.name : kind;
}

/** A value that the type accepts, as small as it can be. */
export function sample(schema: Schema, type: TypeRef): JsonValue {
  const definition = schema.types.get(type.name);
  switch (kindOfType(schema, type)) {
    case 'array':
      return [];
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return false;
    case 'string':
      return 'qmpspec';
    case 'enum':
      return definition?.kind === 'enum' ? (definition.values[0]?.name ?? '') : '';
    case 'alternate':
      return definition?.kind === 'alternate' && definition.branches[0]
        ? sample(schema, definition.branches[0].type)
        : null;
    case 'other':
      return type.name === 'any' ? {} : null;
    case 'object': {
      if (definition?.kind !== 'struct' && definition?.kind !== 'union') return {};
      const own = valid(schema, schema.members(definition));
      if (definition.kind !== 'union') return own;
      const branch = definition.branches.find(({ value }) => value === own[definition.discriminator]);
      const more = branch === undefined ? {} : sample(schema, branch.type);
      return isObject(more) ? { ...own, ...more } : own;
    }
  }
}

const valid = (schema: Schema, members: readonly Member[]): JsonObject =>
  Object.fromEntries(members.filter((one) => !one.optional).map((one) => [one.name, sample(schema, one.type)]));

/** Commands that check their arguments by the schema, and their top-level members in the order of visits. */
export function checkedCommands({ schema, commands }: TargetFacts): { name: string; members: readonly Member[] }[] {
  const known = [...schema.commands.values()].filter(
    ({ name }) => !ownWays.has(name) && (commands === undefined || commands.has(name)),
  );
  return known.map((command) => ({ name: command.name, members: schema.membersOf(command.arguments) }));
}

/** Every place of the schema where a value of a wrong type can be put at top level. */
export function sites(facts: TargetFacts): Site[] {
  return checkedCommands(facts).flatMap(({ name, members }) =>
    members.flatMap((member, index) => {
      const wrong = wrongFor(facts.schema, member.type);
      if (wrong.length === 0) return [];
      const before = valid(facts.schema, members.slice(0, index));
      return [{ command: name, member, kind: kindOfType(facts.schema, member.type), before, wrong }];
    }),
  );
}

/** Text of a command with arguments of which one is given as text. */
export function commandText(site: Site, wrong: string, id: number, also: JsonObject = {}): string {
  const rest = Object.entries({ ...also, ...site.before }).map(([name, value]) => `"${name}":${stringifyJson(value)}`);
  const args = [...rest, `"${site.member.name}":${wrong}`].join(',');
  return `{"execute":"${site.command}","arguments":{${args}},"id":${id}}`;
}

/** At most `count` of the items, other ones in runs with another seed. */
export function some<T>(items: readonly T[], count: number, seed: number): T[] {
  if (items.length <= count) return [...items];
  const step = items.length / count;
  return Array.from({ length: count }, (_, i) => items[(Math.floor(i * step) + seed) % items.length] as T);
}
