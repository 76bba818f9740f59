/** Faults of one place and what a monitor says to each (qmp-protocol.md §8, §17.3). */
import type { JsonObject, JsonValue } from '../../protocol/json.js';
import { type IntegerName, integerRanges } from '../../qapi/schema.js';
import type { ProtocolRules } from '../../reference/dialects/protocol.js';
import { beyond, jsonInteger } from '../values/integers.js';
import { isInteger, type ValidValues } from '../values/valid.js';
import type { Place } from './places.js';
import { type AlmostJson, Members, Spelled } from './text.js';

export type FaultKind =
  | 'missing member'
  | 'unknown member'
  | 'wrong case of a member'
  | 'wrong type'
  | 'null'
  | 'float for an integer'
  | 'out of range'
  | 'narrow overflow'
  | 'unknown enum value'
  | 'wrong case of an enum value'
  | 'extra nesting'
  | 'duplicate member';

export interface Fault {
  readonly kind: FaultKind;
  /** What the arguments are then. */
  readonly arguments: AlmostJson;
  /** Every text that the error may have; all other words would be another error. */
  readonly desc: readonly string[] | RegExp;
  /** The message itself is no JSON for this dialect: the error carries no id. */
  readonly syntax?: true;
}

const typeText = (path: string, expected: string) => `Invalid parameter type for '${path}', expected: ${expected}`;

/** Texts for a value of a wrong JSON type; `undefined` where every value is accepted. */
function typeTexts(values: ValidValues, place: Place): readonly string[] | RegExp | undefined {
  const { path, name, typed, definition } = place;
  if (typed.type.list) return [typeText(path, 'array')];
  if (isInteger(typed.type.name)) {
    const unsigned = `Parameter '${path}' expects uint64`;
    const width = values.integer(typed);
    if (width === undefined) return [typeText(path, 'integer'), unsigned];
    return isUnsigned(width) ? [unsigned] : [typeText(path, 'integer')];
  }
  switch (definition?.kind) {
    case 'enum':
      return [typeText(path, 'string')];
    case 'struct':
    case 'union':
      return [typeText(path, 'object')];
    case 'alternate':
      // Introspection does not tell the type's name, and the member's stands without its path.
      return new RegExp(`^${literally(typeText(name, ''))}\\w+$`);
  }
  const expected: Readonly<Record<string, string>> = { str: 'string', bool: 'boolean', number: 'number', null: 'null' };
  const word = expected[typed.type.name];
  return word === undefined ? undefined : [typeText(path, word)];
}

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const isUnsigned = (name: IntegerName) => name === 'size' || name.startsWith('uint');

/** One value of each JSON type. */
const samples = {
  null: [null],
  boolean: [true, false],
  number: [0, 1, -1],
  string: ['1', '', 'true', '1M', 'null'],
  array: [[], [1], [[]]],
  object: [{}, { a: 1 }],
} as const satisfies Readonly<Record<string, readonly JsonValue[]>>;
type JsonType = keyof typeof samples;

function jsonTypes(values: ValidValues, place: Pick<Place, 'typed' | 'definition'>): readonly JsonType[] {
  const { typed, definition } = place;
  const { name, list } = typed.type;
  if (list) return ['array'];
  if (isInteger(name) || name === 'number') return ['number'];
  if (name === 'bool') return ['boolean'];
  if (name === 'str' || name === 'QType') return ['string'];
  if (name === 'null') return ['null'];
  switch (definition?.kind) {
    case 'enum':
      return ['string'];
    case 'alternate':
      return definition.branches.flatMap(({ type }) =>
        jsonTypes(values, { typed: { type }, definition: type.list ? undefined : values.schema.types.get(type.name) }),
      );
    case 'struct':
    case 'union':
      return ['object'];
    default:
      return Object.keys(samples) as JsonType[];
  }
}

/** Every fault that can be put into this place. */
export function faultsAt(values: ValidValues, place: Place, rules: ProtocolRules): Fault[] {
  return [
    ...wrongTypes(values, place),
    ...integers(values, place),
    ...enums(place, rules),
    ...memberFaults(place),
    ...objectFaults(place, rules),
  ];
}

function wrongTypes(values: ValidValues, place: Place): Fault[] {
  const desc = typeTexts(values, place);
  // The arguments themselves are judged with the envelope.
  if (desc === undefined || place.path === '') return [];
  const right = jsonTypes(values, place);
  const found: Fault[] = [];
  for (const type of Object.keys(samples) as JsonType[]) {
    if (right.includes(type)) continue;
    for (const sample of samples[type]) {
      found.push({ kind: type === 'null' ? 'null' : 'wrong type', arguments: place.replace(sample), desc });
    }
  }
  if (!right.includes('array')) found.push({ kind: 'extra nesting', arguments: place.replace([place.value]), desc });
  if (!right.includes('object')) {
    const inside = place.name === 'null' ? 'value' : place.name;
    found.push({ kind: 'extra nesting', arguments: place.replace({ [inside]: place.value }), desc });
  }
  return found;
}

function integers(values: ValidValues, place: Place): Fault[] {
  const { typed, name } = place;
  if (typed.type.list || !isInteger(typed.type.name)) return [];
  const type = typeTexts(values, place) as readonly string[];
  const floats = ['1.0', '1e3', '0.5', '-1.5', '1E0'].map(
    (text): Fault => ({ kind: 'float for an integer', arguments: place.replace(new Spelled(text)), desc: type }),
  );
  const width = values.integer(typed);
  // Beyond every 64-bit integer the number is read as a float (QMP-NUM-01).
  const everywhere = [-(2n ** 63n) - 1n, 2n ** 64n, 10n ** 30n].map(
    (value): Fault => ({ kind: 'out of range', arguments: place.replace(value), desc: type }),
  );
  if (width === undefined) return [...floats, ...everywhere];
  if (integerRanges[width][1] >= 2n ** 63n - 1n) {
    const signed = isUnsigned(width) ? [] : [2n ** 63n, 2n ** 64n - 1n];
    const more = signed.map((value): Fault => ({ kind: 'out of range', arguments: place.replace(value), desc: type }));
    return [...floats, ...everywhere, ...more];
  }
  const desc = [`Parameter '${name}' expects ${width}_t`];
  const narrow = [...beyond(width), integerRanges[width][1] * 2n + 2n, 2n ** 32n, 2n ** 62n].map(
    (value): Fault => ({ kind: 'narrow overflow', arguments: place.replace(jsonInteger(value)), desc }),
  );
  return [...floats, ...everywhere, ...narrow];
}

function enums({ definition, name, value, replace }: Place, { enumError }: ProtocolRules): Fault[] {
  if (definition?.kind !== 'enum' || typeof value !== 'string') return [];
  const known = new Set(definition.values.map((one) => one.name));
  const fault = (kind: FaultKind, text: string): Fault[] =>
    known.has(text) ? [] : [{ kind, arguments: replace(text), desc: [enumError(name, text)] }];
  return [
    ...fault('wrong case of an enum value', value.toUpperCase()),
    ...fault('unknown enum value', `${value}s`),
    ...fault('unknown enum value', value.slice(0, -1)),
    ...fault('unknown enum value', ` ${value}`),
    ...fault('unknown enum value', ''),
    ...fault('unknown enum value', 'qmpspec-none'),
  ];
}

function memberFaults({ member, path, name, value, remove }: Place): Fault[] {
  if (member === undefined || remove === undefined) return [];
  const faults: Fault[] = [];
  const missing = [`Parameter '${path}' is missing`];
  if (member === 'required') faults.push({ kind: 'missing member', arguments: remove(), desc: missing });
  const other = name.toUpperCase() === name ? name.toLowerCase() : name.toUpperCase();
  if (other !== name) {
    const unexpected = [`Parameter '${path.slice(0, path.length - name.length)}${other}' is unexpected`];
    const renamed = rename(remove(), path, other, value);
    if (renamed !== undefined) {
      const desc = member === 'required' ? missing : unexpected;
      faults.push({ kind: 'wrong case of a member', arguments: renamed, desc });
    }
  }
  return faults;
}

/** Puts a member of another name beside where `path` was; only at top level, where that is the whole value. */
function rename(rest: AlmostJson, path: string, other: string, value: JsonValue): AlmostJson | undefined {
  if (path.includes('.') || path.includes('[') || !(rest instanceof Members)) return undefined;
  return new Members([...rest.entries, [other, value]]);
}

function objectFaults({ definition, path, value, replace }: Place, rules: ProtocolRules): Fault[] {
  if (definition?.kind !== 'struct' && definition?.kind !== 'union') return [];
  const entries = Object.entries(value as JsonObject);
  const name = 'qmpspec-none';
  const full = path === '' ? name : `${path}.${name}`;
  const desc = [`Parameter '${full}' is unexpected`];
  const faults: Fault[] = [null, 1, 'x', [], {}].map((extra) => ({
    kind: 'unknown member',
    arguments: replace(new Members([...entries, [name, extra]])),
    desc,
  }));
  const [first] = entries;
  // The baseline takes the last one (QMP-PARSE-05).
  if (first !== undefined && rules.json === 'strict') {
    const doubled = replace(new Members([...entries, first]));
    faults.push({
      kind: 'duplicate member',
      arguments: doubled,
      desc: ['JSON parse error, duplicate key'],
      syntax: true,
    });
  }
  return faults;
}
