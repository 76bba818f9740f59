/** States that a release beyond every dialect has put in between: no dialect's schema names them. */
import { isObject, type JsonValue } from '../protocol/json.js';
import type { Schema } from '../qapi/schema.js';
import { type Dialect, type DialectName, dialectNames, dialects } from '../reference/dialects/dialect.js';
import { loadSchema } from '../reference/schema/index.js';

export interface Statuses {
  has(status: string): boolean;
}

const newest = dialectNames.at(-1) as DialectName;

/**
 * The states that nothing can be said of: those of the target's own introspection that no dialect has, or, where that is not
 * at hand, whatever a release newer than every dialect shows beyond theirs.
 */
export function laterStatuses(schema: Schema, dialect: Dialect): Statuses {
  const known = statusesOf(loadSchema(newest));
  const { major, minor } = dialects[newest].version;
  const { version } = dialect;
  const beyond = version.major > major || (version.major === major && version.minor > minor);
  if (schema.origin === 'introspection' || !beyond) {
    return new Set([...statusesOf(schema)].filter((status) => !known.has(status)));
  }
  return { has: (status) => /^[a-z]+(-[a-z]+)*$/.test(status) && !known.has(status) };
}

/** The event announces such a state. */
export const announcesLater = (name: string, data: JsonValue | undefined, later: Statuses): boolean =>
  name === 'MIGRATION' && isObject(data) && later.has(String(data.status));

/** Whether a query's answer shows such a state. */
export const showsLater = (answer: JsonValue | undefined, later: Statuses): boolean =>
  isObject(answer) && typeof answer.status === 'string' && later.has(answer.status);

const statuses = new WeakMap<Schema, ReadonlySet<string>>();

function statusesOf(schema: Schema): ReadonlySet<string> {
  const known = statuses.get(schema) ?? readStatuses(schema);
  statuses.set(schema, known);
  return known;
}

function readStatuses(schema: Schema): ReadonlySet<string> {
  const member = schema.membersOf(schema.events.get('MIGRATION')?.data).find(({ name }) => name === 'status');
  const type = member === undefined ? undefined : schema.types.get(member.type.name);
  return new Set(type?.kind === 'enum' ? type.values.map(({ name }) => name) : []);
}
