/** Members that a target's own schema has and no dialect's: extensions of a release, or of a vendor. */
import { isObject, type JsonValue } from '../protocol/json.js';
import type { Schema, TypeRef } from '../qapi/schema.js';
import { dialectNames } from '../reference/dialects/dialect.js';
import { loadSchema } from '../reference/schema/index.js';

/**
 * Names of members that the command returns, at any depth, by the target's schema, and by no dialect's. None where the
 * schema is not the target's own introspection, or no dialect describes the command.
 */
export function membersBeyond(schema: Schema, command: string): ReadonlySet<string> {
  const ofSchema = known.get(schema) ?? new Map<string, ReadonlySet<string>>();
  known.set(schema, ofSchema);
  const beyond = ofSchema.get(command) ?? findBeyond(schema, command);
  ofSchema.set(command, beyond);
  return beyond;
}

/** What was found out once, as every requirement that looks at a reply asks for it. */
const known = new WeakMap<Schema, Map<string, ReadonlySet<string>>>();

function findBeyond(schema: Schema, command: string): ReadonlySet<string> {
  if (schema.origin !== 'introspection') return new Set();
  const dialects = dialectNames.map(loadSchema).filter(({ commands }) => commands.has(command));
  if (dialects.length === 0) return new Set();
  const usual = new Set(dialects.flatMap((dialect) => [...returnedMembers(dialect, command)]));
  return new Set([...returnedMembers(schema, command)].filter((name) => !usual.has(name)));
}

/** What `command` returned, or an object in it, without the members that only the target's own schema has. */
export function withoutExtensions(schema: Schema, command: string, object: JsonValue): JsonValue {
  const beyond = membersBeyond(schema, command);
  if (beyond.size === 0 || !isObject(object)) return object;
  return Object.fromEntries(Object.entries(object).filter(([name]) => !beyond.has(name)));
}

function returnedMembers(schema: Schema, command: string): ReadonlySet<string> {
  const names = new Set<string>();
  const seen = new Set<string>();
  const visit = (ref: TypeRef | undefined) => {
    if (ref === undefined || seen.has(ref.name)) return;
    seen.add(ref.name);
    const type = schema.types.get(ref.name);
    if (type?.kind === 'struct' || type?.kind === 'union') {
      for (const member of schema.membersOf(ref.name)) {
        names.add(member.name);
        visit(member.type);
      }
    }
    if (type?.kind === 'union' || type?.kind === 'alternate') for (const branch of type.branches) visit(branch.type);
  };
  visit(schema.commands.get(command)?.returns);
  return names;
}
