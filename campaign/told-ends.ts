/**
 * Answers and events that only the whole of a conversation shows to be wrong: an end that is not told, a reset that nobody but
 * the client asked for and the guest is blamed for, and a pause that is refused although the channel is there.
 */
import { isObject, type JsonObject } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { Schema } from '../qapi/schema.js';
import type { Symptom } from './symptom.js';

/** One connection to a monitor, from its negotiation on. */
interface Line {
  /** Names of commands that are not answered yet, by id. */
  readonly open: Map<string, string>;
  negotiated: boolean;
  /** `quit` was answered here, with success. */
  quit: Entry | undefined;
  told: boolean;
  /** `quit` and `system_reset` that were sent here and carried out. */
  readonly done: Set<string>;
  /** The last status that `query-migrate` showed. */
  status: string | undefined;
  /** A pause that was refused in a postcopy that was under way just before. */
  refused: Entry | undefined;
}

const command = /^\{"exec(?:ute|-oob)":"([a-z0-9_-]+)".*"id":"(qs[\d.]+)"\}$/;

/** The event by which each is told, and the row that says whose doing it is. */
const causes: Readonly<Record<string, readonly [command: string, row: string]>> = {
  RESET: ['system_reset', 'QMP-EVT-10'],
  SHUTDOWN: ['quit', 'QMP-EVT-12'],
};

const wrong = (subject: string, row: string, expected: string, { n, text }: Entry): Symptom => ({
  kind: 'divergence',
  subject,
  rows: [row],
  state: '',
  expected: [expected],
  got: text.slice(0, 200),
  entry: n,
});

/** @param schema what the target says that it has: monitors without a guest have no event of its end */
export function endSymptoms({ entries }: Transcript, schema?: Schema): Symptom[] {
  const announces = schema?.events.has('SHUTDOWN') ?? true;
  const lines = new Map<string, Line>();
  let disturbed = false;
  for (const entry of entries) {
    const line = lines.get(entry.at);
    switch (entry.kind) {
      case 'connected':
        lines.set(entry.at, fresh());
        break;
      case 'channel':
        // The channel of the postcopy may be gone: then there is nothing to pause any more.
        if (/^cut$|is closed|cannot be read/.test(entry.text)) disturbed = true;
        break;
      case 'sent':
        if (line !== undefined) for (const one of entry.text.split('\n')) note(line, one);
        break;
      case 'exited':
        disturbed = true;
        break;
      case 'eof':
        if (announces && line?.quit !== undefined && !line.told)
          return [wrong('an end without SHUTDOWN', 'QMP-EVT-12', 'SHUTDOWN beside the reply to quit', line.quit)];
        break;
      case 'received': {
        const value = entryValue(entry);
        if (line === undefined || entry.stale || !isObject(value)) break;
        const found = 'event' in value ? blamed(line, entry, value) : answered(line, entry, value, disturbed);
        if (found !== undefined) return [found];
      }
    }
  }
  return [];
}

const fresh = (): Line => ({
  open: new Map(),
  negotiated: false,
  quit: undefined,
  told: false,
  done: new Set(),
  status: undefined,
  refused: undefined,
});

function note(line: Line, text: string): void {
  if (text === '') return;
  const [, name, id] = command.exec(text) ?? [];
  if (name !== undefined && id !== undefined) line.open.set(id, name);
  // Whatever was sent besides may have changed what the status was.
  if (name === undefined || !/^(query-.*|migrate-pause)$/.test(name)) line.status = line.refused = undefined;
  if (line.negotiated && (name === 'quit' || name === 'system_reset')) line.done.add(name);
}

/** An event that names the guest for what a client did. */
function blamed(line: Line, entry: Entry, { event, data }: JsonObject): Symptom | undefined {
  const [name, row] = causes[String(event)] ?? [];
  if (name === 'quit') line.told = true;
  if (name === undefined || row === undefined || !line.done.has(name)) return undefined;
  if (!isObject(data) || data.guest !== true) {
    line.done.delete(name);
    return undefined;
  }
  return wrong(`${String(event)} that blames the guest`, row, `guest false, for it was ${name}`, entry);
}

function answered(line: Line, entry: Entry, value: JsonObject, disturbed: boolean): Symptom | undefined {
  const name = typeof value.id === 'string' ? line.open.get(value.id) : undefined;
  if (name === undefined) return undefined;
  line.open.delete(value.id as string);
  const succeeded = 'return' in value;
  if (name === 'qmp_capabilities' && succeeded) line.negotiated = true;
  if (name === 'quit' && succeeded && line.negotiated) line.quit = entry;
  if (!succeeded && /^(quit|system_reset)$/.test(name)) line.done.delete(name);
  if (name === 'migrate-pause' && !succeeded && line.status === 'postcopy-active') line.refused = entry;
  if (name !== 'query-migrate' || !isObject(value.return)) return undefined;
  const { status } = value.return;
  line.status = typeof status === 'string' ? status : undefined;
  if (line.refused === undefined || disturbed || status !== 'postcopy-active') return undefined;
  return wrong(
    'a postcopy that cannot be paused although its channel is there',
    'MIG-CMD-PAU-01',
    'success of migrate-pause in postcopy-active',
    line.refused,
  );
}
