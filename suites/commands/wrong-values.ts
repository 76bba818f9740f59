/** Values that a member of an argument refuses because of their type, and what monitors say of them (qmp-protocol.md §8). */
import type { Member, Schema } from '../../qapi/schema.js';
import type { Dialect } from '../../reference/dialects/dialect.js';
import { declaredMember } from '../../reference/schema/declared.js';

/** The JSON type of a member, as far as a refusal depends on it. */
export type Kind =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'unsigned'
  /** An integer of which it is not known whether it has a sign. */
  | 'either'
  | 'number'
  | 'array'
  | 'object'
  | 'StrOrNull'
  | 'any';

/** JSON texts, one for each JSON type and each spelling of a number that is no integer. */
const samples = {
  null: ['null'],
  boolean: ['true', 'false'],
  integer: ['0', '1', '-1'],
  fraction: ['1.5', '1.0', '1e3'],
  string: ['"1"', '"true"', '"1M"'],
  array: ['[]', '[1]'],
  object: ['{}', '{"a":1}'],
} as const;
type Sample = keyof typeof samples;

const accepted: Readonly<Record<Kind, readonly Sample[]>> = {
  string: ['string'],
  boolean: ['boolean'],
  integer: ['integer'],
  unsigned: ['integer'],
  either: ['integer'],
  number: ['integer', 'fraction'],
  array: ['array'],
  object: ['object'],
  StrOrNull: ['string', 'null'],
  any: Object.keys(samples) as Sample[],
};

// Integers that no 64-bit type of either sign holds, and those that only the other sign holds.
const beyond: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  integer: ['9223372036854775808', '18446744073709551615', '-9223372036854775809', '18446744073709551616'],
  unsigned: ['18446744073709551616', '-9223372036854775809', '1e400'],
  either: ['18446744073709551616', '-9223372036854775809'],
};

/** JSON texts that a member of this kind refuses as being of the wrong type. */
export function wrongTexts(kind: Kind): readonly string[] {
  const wrong = (Object.keys(samples) as Sample[]).filter((sample) => !accepted[kind].includes(sample));
  return [...wrong.flatMap((sample) => samples[sample]), ...(beyond[kind] ?? [])];
}

/** What a refusal says. Signed and unsigned integers differ (QMP-ARG-03, QMP-ARG-07). */
export function wrongTypeText(kind: Exclude<Kind, 'either'>, path: string): string {
  return kind === 'unsigned'
    ? `Parameter '${path}' expects uint64`
    : `Invalid parameter type for '${path}', expected: ${kind}`;
}

export const missingText = (path: string): string => `Parameter '${path}' is missing`;
export const unexpectedText = (path: string): string => `Parameter '${path}' is unexpected`;

/**
 * The kind of a member. Introspection calls every integer `int`, so a schema read from it does not know `unsigned`.
 */
export function kindOf(schema: Schema, member: Member): Kind {
  if (member.type.list) return 'array';
  const { name } = member.type;
  if (name === 'str') return 'string';
  if (name === 'bool') return 'boolean';
  if (name === 'number' || name === 'any') return name;
  if (/^(u?int(8|16|32|64)?|size)$/.test(name)) return /^(uint|size)/.test(name) ? 'unsigned' : 'integer';
  const kind = schema.types.get(name)?.kind;
  if (kind === 'enum') return 'string';
  return kind === 'alternate' ? 'StrOrNull' : 'object';
}

/**
 * The kind of a member of a command of the target; for the width of integers the definitions of its dialect are asked,
 * which know what introspection hides, and where they do not know the member nobody does.
 */
export function memberKind(target: Schema, dialect: Dialect, command: string, member: Member): Kind {
  const own = kindOf(target, member);
  if (own !== 'integer') return own;
  const declared = declaredMember(dialect, command, member.name);
  if (declared !== undefined) return kindOf(declared.schema, declared.member);
  return target.origin === 'introspection' ? 'either' : own;
}
