/**
 * What a target says of itself: its schema, commands, events and version have to agree, with each other and with what it said
 * before, and so has whether it runs in single steps.
 */
import { isObject, type JsonValue, sameJson } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import { compareSchemas } from '../qapi/compare.js';
import { fromIntrospection, IntrospectionError, toIntrospection } from '../qapi/introspection.js';
import type { Schema } from '../qapi/schema.js';
import type { Symptom } from './symptom.js';

const asked =
  /^\{"execute":"(query-qmp-schema|query-commands|query-events|query-version|query-status)".*"id":"((?:qs|value-)[\d.]+)"\}$/;

interface Contradiction {
  readonly row: string;
  readonly subject: string;
  readonly expected: string;
  readonly got: string;
}

/** Replies that were found right: they are long, and the same each time. */
const right = new WeakMap<Schema, Set<string>>();

const introspected = new WeakMap<Schema, Schema>();

/** A schema as a monitor tells it, which says less than a text does. */
function asTold(schema: Schema): Schema {
  if (schema.origin === 'introspection') return schema;
  const known = introspected.get(schema) ?? fromIntrospection(toIntrospection(schema));
  introspected.set(schema, known);
  return known;
}

function schemaFault(reply: JsonValue, known: Schema): Contradiction | undefined {
  const about = { row: 'QMP-BASE-05', subject: 'the schema' };
  let told: Schema;
  try {
    told = fromIntrospection(reply);
  } catch (error) {
    if (!(error instanceof IntrospectionError)) throw error;
    return {
      ...about,
      subject: 'a schema that is none',
      expected: 'entities as query-qmp-schema has them',
      got: error.message,
    };
  }
  const [difference] = compareSchemas(asTold(known), told);
  if (difference === undefined) return undefined;
  const { path, text } = difference;
  return { ...about, subject: `another schema at ${path}`, expected: 'the schema that it has', got: text };
}

/** Names of a list of objects, or of what is none. */
function namesFault(reply: JsonValue, what: 'commands' | 'events', known: Schema): Contradiction | undefined {
  const names = new Set(Array.isArray(reply) ? reply.map((one) => (isObject(one) ? String(one.name) : '')) : []);
  const row = what === 'commands' ? 'QMP-BASE-03' : 'QMP-BASE-04';
  // Events may be listed of which a schema in parts knows nothing.
  const tooMany = what === 'events' ? undefined : [...names].find((name) => !known.commands.has(name));
  if (tooMany !== undefined)
    return { row, subject: `one of its ${what}`, expected: `${what} of its schema`, got: tooMany };
  // What is hidden on purpose is of no concern here; the migration's are always there.
  const missing = [...known[what].keys()].find(
    (name) => /^(migrat|MIGRATION|stop$|cont$|STOP$|RESUME$)/.test(name) && !names.has(name),
  );
  if (missing === undefined) return undefined;
  return { row, subject: `the list of ${what}`, expected: `${missing} among them`, got: `${names.size} others` };
}

const textOfVersion = (value: JsonValue | undefined): JsonValue => (isObject(value) ? { ...value } : null);

/**
 * The first thing that contradicts the rest.
 * @param schema of the target, by its own word
 * @param singlestep what it said when it was asked what it is
 */
export function ofItselfSymptoms(transcript: Transcript, schema: Schema, singlestep?: boolean): Symptom[] {
  const open = new Map<string, string>();
  const greeted = new Map<string, JsonValue>();
  const stepping = new Map<string, JsonValue>();
  const seen = right.get(schema) ?? new Set();
  right.set(schema, seen);
  for (const entry of transcript.entries) {
    if (entry.kind === 'sent') {
      for (const line of entry.text.split('\n')) {
        const [, name, id] = asked.exec(line) ?? [];
        if (name !== undefined) open.set(`${entry.at} ${id}`, name);
      }
      continue;
    }
    if (entry.kind !== 'received' || entry.stale) continue;
    const [process = entry.at] = entry.at.split('#');
    if (/^\s*\{\s*"QMP"/.test(entry.text)) {
      const value = entryValue(entry);
      if (isObject(value) && isObject(value.QMP)) greeted.set(process, textOfVersion(value.QMP.version));
      continue;
    }
    if (open.size === 0) continue;
    const value = entryValue(entry);
    if (!isObject(value) || !('return' in value) || typeof value.id !== 'string') continue;
    const name = open.get(`${entry.at} ${value.id}`);
    if (name === undefined) continue;
    open.delete(`${entry.at} ${value.id}`);
    if (name === 'query-status') {
      const found = stepsFault(value.return as JsonValue, stepping, process, singlestep);
      if (found !== undefined) return [symptomOf(found, entry)];
      continue;
    }
    const key = name === 'query-version' ? undefined : `${name} ${entry.text.replace(/"id"\s*:\s*"[^"]*"/, '')}`;
    if (key !== undefined && seen.has(key)) continue;
    const found = contradiction(name, value.return as JsonValue, schema, greeted.get(process));
    if (found !== undefined) return [symptomOf(found, entry)];
    if (key !== undefined) seen.add(key);
  }
  return [];
}

/** Only the command line and the human monitor, of which a scenario asks nothing of the kind, change it (QMP-BASE-06). */
function stepsFault(
  reply: JsonValue,
  before: Map<string, JsonValue>,
  process: string,
  learned: boolean | undefined,
): Contradiction | undefined {
  if (!isObject(reply) || typeof reply.singlestep !== 'boolean') return undefined;
  const { singlestep } = reply;
  const first = before.get(process) ?? learned;
  if (first === undefined) before.set(process, singlestep);
  if (first === undefined || first === singlestep) return undefined;
  return {
    row: 'QMP-BASE-06',
    subject: 'single steps that nobody asked for',
    expected: `singlestep ${first}, as before`,
    got: JSON.stringify(reply),
  };
}

function contradiction(
  name: string,
  reply: JsonValue,
  schema: Schema,
  greeting: JsonValue | undefined,
): Contradiction | undefined {
  switch (name) {
    case 'query-qmp-schema':
      return schemaFault(reply, schema);
    case 'query-commands':
      return namesFault(reply, 'commands', schema);
    case 'query-events':
      return namesFault(reply, 'events', schema);
    default:
      if (greeting === undefined || sameJson(greeting, reply)) return undefined;
      return {
        row: 'QMP-GREET-03',
        subject: 'another version than its greeting tells',
        expected: JSON.stringify(greeting),
        got: JSON.stringify(reply),
      };
  }
}

const symptomOf = ({ row, subject, expected, got }: Contradiction, { n }: Entry): Symptom => ({
  kind: 'divergence',
  subject,
  rows: [row],
  state: '',
  expected: [expected],
  got: got.slice(0, 200),
  entry: n,
});
