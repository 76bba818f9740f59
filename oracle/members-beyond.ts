/** Members that a target's own schema has and no dialect's: extensions of a release, or of a vendor. */
import type { Schema } from '../qapi/schema.js';
import { dialectNames } from '../reference/dialects/dialect.js';
import { loadSchema } from '../reference/schema/index.js';

/** Names that occur in no dialect at all; none where the schema is not the target's own introspection. */
export function membersBeyond(schema: Schema): ReadonlySet<string> {
  if (schema.origin !== 'introspection') return new Set();
  const known = new Set(dialectNames.flatMap((name) => [...memberNames(loadSchema(name))]));
  return new Set([...memberNames(schema)].filter((name) => !known.has(name)));
}

function memberNames(schema: Schema): ReadonlySet<string> {
  const names = new Set<string>();
  for (const type of schema.types.values()) {
    if (type.kind === 'struct' || type.kind === 'union') for (const { name } of type.members) names.add(name);
  }
  return names;
}
