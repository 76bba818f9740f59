/** Integers are written as such, in digits (QMP-OUT-04): who reads every number as a float sees no difference, and other clients do. */
import { integerRanges, type Schema } from '../qapi/schema.js';

/** What every event has. */
const always = ['seconds', 'microseconds'];

const known = new WeakMap<Schema, ReadonlySet<string>>();

/** Members that are integers wherever they stand in a schema. */
function integersOf(schema: Schema): ReadonlySet<string> {
  const made = known.get(schema);
  if (made !== undefined) return made;
  const [whole, other] = [new Set(always), new Set<string>()];
  for (const type of schema.types.values()) {
    if (type.kind !== 'struct' && type.kind !== 'union') continue;
    for (const { name, type: of } of type.members) (of.name in integerRanges ? whole : other).add(name);
  }
  for (const name of other) whole.delete(name);
  known.set(schema, whole);
  return whole;
}

/** A member with a number that has a point or an exponent. Within strings, quotes have a backslash before them. */
const fraction = /"([^"\\]+)": *(-?\d+(?:\.\d+(?:[eE][-+]?\d+)?|[eE][-+]?\d+))/g;

/** The first member of a message that is to be an integer and is written otherwise, as it stands there. */
export function notWhole(text: string, schema: Schema): string | undefined {
  for (const [there, name] of text.matchAll(fraction)) if (integersOf(schema).has(name as string)) return there;
  return undefined;
}
