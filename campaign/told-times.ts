/**
 * What a target says of time, held against our own clock: the timestamps of its events (QMP-EVT-02), and how long a migration
 * has been going (MIG-CMD-QMIG-03). Only of processes that were started here: their clock is that of this machine.
 */
import { isObject, type JsonObject, type JsonValue } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { Symptom } from './symptom.js';

/**
 * Milliseconds by which a timestamp may be off: a clock may be adjusted meanwhile, and a thread that has stamped its event may
 * have to wait for its turn before it can tell it.
 */
const leeway = 1500;

/** Of a clock that counts milliseconds, read twice; and a hundredth, for one that is being slewed. */
const rounding = (span: number): number => 3 + span / 100;

/** A query with an id of ours, on a line of its own. */
const query = /^\{"execute":"(query-[a-z-]+)"(?:,"arguments":\{\})?,"id":"(qs[\d.]+)"\}$/;
const anyId = /"id":"(qs[\d.]+)"/;

/** A look at a migration that was under way: when it was asked for and told, and what it told. */
interface Look {
  readonly sent: number;
  readonly received: number;
  readonly totalTime: number;
}

/** What is known of one connection. */
interface Line {
  /** Ids that are not answered yet, and when they were sent. */
  readonly open: Map<string, { readonly time: number; readonly name: string | undefined }>;
  /** When the last command that was answered had been sent: events that come later were raised later. */
  answered: number;
}

const numberOf = (value: JsonValue | undefined): number | undefined =>
  typeof value === 'bigint' || typeof value === 'number' ? Number(value) : undefined;

/** The first statement about time that cannot be true. */
export function timeSymptoms(transcript: Transcript): Symptom[] {
  const began = Date.parse(transcript.header.began);
  const started = new Set<string>();
  const lines = new Map<string, Line>();
  const looks = new Map<string, Look>();
  for (const entry of transcript.entries) {
    const [process = entry.at] = entry.at.split('#');
    switch (entry.kind) {
      case 'started':
        started.add(process);
        break;
      case 'connected':
        lines.set(entry.at, { open: new Map(), answered: Number.NEGATIVE_INFINITY });
        break;
      case 'sent':
        if (!noteSent(entry, lines.get(entry.at))) looks.delete(process);
        break;
      case 'received': {
        const line = lines.get(entry.at);
        const value = entryValue(entry);
        if (entry.stale || line === undefined || !started.has(process) || !isObject(value)) break;
        const found =
          'event' in value ? stampSymptom(entry, value, began, line) : lookSymptom(entry, value, line, looks, process);
        if (found !== undefined) return [found];
        break;
      }
    }
  }
  return [];
}

/** False when it may have been something else than questions: a migration that is looked at may be another one then. */
function noteSent({ text, time }: Entry, line: Line | undefined): boolean {
  let questions = true;
  for (const one of text.split('\n')) {
    if (one === '') continue;
    const [, name, id] = query.exec(one) ?? [];
    if (name === undefined) questions = false;
    const any = id ?? anyId.exec(one)?.[1];
    if (any !== undefined) line?.open.set(any, { time, name });
  }
  return questions;
}

function stampSymptom(entry: Entry, value: JsonObject, began: number, { answered }: Line): Symptom | undefined {
  const { timestamp } = value;
  if (!isObject(timestamp)) return undefined;
  const [seconds, microseconds] = [numberOf(timestamp.seconds), numberOf(timestamp.microseconds)];
  // A host without a clock answers -1.
  if (seconds === undefined || microseconds === undefined || seconds < 0) return undefined;
  const raised = seconds * 1000 + microseconds / 1000 - began;
  const early = raised < answered - leeway;
  if (!early && raised <= entry.time + leeway) return undefined;
  const ms = (time: number) => `${Math.round(time)} ms`;
  return {
    kind: 'divergence',
    subject: early ? 'an event with a time before that of what preceded it' : 'an event of the future',
    rows: ['QMP-EVT-02'],
    state: '',
    expected: [`a time ${early ? `from ${ms(answered)}` : `up to ${ms(entry.time)}`} after the beginning, about`],
    got: `${ms(raised)}: ${entry.text.slice(0, 160)}`,
    entry: entry.n,
  };
}

function lookSymptom(
  entry: Entry,
  { id, ...value }: JsonObject,
  line: Line,
  looks: Map<string, Look>,
  process: string,
): Symptom | undefined {
  const asked = typeof id === 'string' ? line.open.get(id) : undefined;
  if (asked === undefined) return undefined;
  line.open.delete(id as string);
  line.answered = Math.max(line.answered, asked.time);
  if (asked.name !== 'query-migrate') return undefined;
  const info = isObject(value.return) ? value.return : {};
  const totalTime = numberOf(info['total-time']);
  const before = looks.get(process);
  if ((info.status !== 'active' && info.status !== 'completed') || totalTime === undefined) {
    looks.delete(process);
    return undefined;
  }
  const look: Look = { sent: asked.time, received: entry.time, totalTime };
  // The first look counts: the longer the time, the more is to be seen of it.
  if (before === undefined && info.status === 'active') looks.set(process, look);
  if (before === undefined) return undefined;
  const passed = totalTime - before.totalTime;
  const [least, most] = [look.sent - before.received, look.received - before.sent];
  const short = info.status === 'active' && passed < least - rounding(least);
  if (!short && passed <= most + rounding(most)) return undefined;
  return {
    kind: 'divergence',
    subject: `a total-time that has run ${short ? 'slower' : 'faster'} than time`,
    rows: ['MIG-CMD-QMIG-03'],
    state: '',
    expected: [`${before.totalTime + Math.floor(least)} to ${before.totalTime + Math.ceil(most)} ms, about`],
    got: `${totalTime}`,
    entry: entry.n,
  };
}
