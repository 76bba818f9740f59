/** Short names of types for messages, the same whether the schema has names of its own or only numbers. */
import type { Schema, TypeRef } from './schema.js';

/** How many values of an enum a message lists. */
const messageValues = 8;

/** For example `int`, `list of str`, `one of "a", "b"`, `MigrationInfo`, or `object` where names mean nothing. */
export function describeRef(schema: Schema, { name, list }: TypeRef, maximumValues = messageValues): string {
  const text = describeName(schema, name, maximumValues);
  return list ? `list of ${text}` : text;
}

function describeName(schema: Schema, name: string, maximumValues: number): string {
  const type = schema.types.get(name);
  if (!type) return name;
  if (schema.origin === 'text') return name;
  switch (type.kind) {
    case 'enum':
      return oneOf(
        type.values.map((value) => value.name),
        maximumValues,
      );
    case 'alternate':
      return type.branches.map((branch) => describeRef(schema, branch.type, maximumValues)).join(' or ');
    default:
      return 'object';
  }
}

/** A choice of strings, cut after a few. */
export function oneOf(values: readonly string[], maximumValues = messageValues): string {
  const shown = values.slice(0, maximumValues).map((value) => JSON.stringify(value));
  const rest = values.length - shown.length;
  return `one of ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
