/**
 * The form of every message: what a greeting, a reply, an error and an event are made of, and how they are written
 * (qmp-protocol.md §1, §2, §5, §6, §9). What a message says is the judge's business.
 */
import { isObject, type JsonObject, type JsonValue } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { Symptom } from './symptom.js';

/** What is wrong with a message, in words that are the same for all of its kind, and the row that says so. */
interface Flaw {
  readonly subject: string;
  readonly row: string;
  readonly expected: string;
}

const flaw = (subject: string, row: string, expected: string): Flaw => ({ subject, row, expected });

const has = (value: JsonObject, ...names: readonly string[]): boolean =>
  Object.keys(value).every((n) => names.includes(n));
const isNumber = (value: JsonValue | undefined): boolean => typeof value === 'bigint' || Number.isInteger(value);

/** Seconds by which the clock of a target may differ from ours: one that is a year off still counts in seconds. */
const clocks = 366 * 24 * 3600;

/** Characters of the longest message that is looked through for members that come twice: schemas are as long as all the rest. */
const longest = 1 << 16;

/** Surroundings of a message. */
interface Place {
  /** Seconds of the epoch at which the transcript began. */
  readonly began: number;
  /** The process was started with a monitor that indents what it writes, or may have been. */
  readonly pretty: boolean;
  /** Another greeting came on this connection, which is the first one of its process. */
  readonly greeted: boolean;
}

function greetingFlaw(value: JsonObject, { greeted }: Place): Flaw | undefined {
  const { QMP: greeting } = value;
  if (!isObject(greeting) || !isObject(greeting.version) || !Array.isArray(greeting.capabilities)) return undefined;
  if (greeted) return flaw('a second greeting', 'QMP-GREET-01', 'one greeting on a connection');
  // Another product greets in its own way.
  const { qemu } = greeting.version;
  if (!isObject(qemu)) return undefined;
  if (!has(value, 'QMP') || !has(greeting, 'version', 'capabilities'))
    return flaw('a greeting with a member too many', 'QMP-GREET-02', 'QMP with version and capabilities');
  if (greeting.capabilities.some((one) => typeof one !== 'string'))
    return flaw('a greeting whose capabilities are no texts', 'QMP-GREET-04', 'a list of names');
  if (
    !['major', 'minor', 'micro'].every((name) => isNumber(qemu[name])) ||
    typeof greeting.version.package !== 'string'
  )
    return flaw(
      'a greeting whose version is not one',
      'QMP-GREET-03',
      'integers major, minor and micro, and a text package',
    );
  return undefined;
}

function replyFlaw(value: JsonObject): Flaw | undefined {
  if ('return' in value && 'error' in value)
    return flaw('a reply with return and error', 'QMP-REPLY-03', 'one of return and error');
  if (!has(value, 'return', 'error', 'id'))
    return flaw('a reply with a member too many', 'QMP-REPLY-01', 'return or error, and the id');
  if (!('error' in value)) return undefined;
  const { error } = value;
  const whole = isObject(error) && typeof error.class === 'string' && typeof error.desc === 'string';
  if (!whole || error.desc === '' || !has(error, 'class', 'desc'))
    return flaw('an error that is not class and desc', 'QMP-REPLY-03', 'an object of a text class and a text desc');
  return undefined;
}

function eventFlaw(value: JsonObject, { began }: Place): Flaw | undefined {
  if (!has(value, 'event', 'data', 'timestamp') || typeof value.event !== 'string')
    return flaw('an event with a member too many', 'QMP-EVT-01', 'event, timestamp, and data if there is some');
  if ('data' in value && (!isObject(value.data) || Object.keys(value.data).length === 0))
    return flaw('an event with empty data', 'QMP-EVT-01', 'no data where there is none');
  const { timestamp } = value;
  if (!isObject(timestamp) || !has(timestamp, 'seconds', 'microseconds'))
    return flaw('an event whose timestamp is not one', 'QMP-EVT-02', 'an object of seconds and microseconds');
  const { seconds, microseconds } = timestamp;
  if (!isNumber(seconds) || !isNumber(microseconds))
    return flaw('an event whose timestamp is no integers', 'QMP-EVT-02', 'integers');
  // What a host answers that has no clock.
  if (Number(seconds) === -1 && Number(microseconds) === -1) return undefined;
  if (Number(microseconds) < 0 || Number(microseconds) > 999_999)
    return flaw('an event with too many microseconds', 'QMP-EVT-02', 'from 0 to 999999 microseconds');
  if (Math.abs(Number(seconds) - began) > clocks)
    return flaw('an event of another time', 'QMP-EVT-02', 'seconds since 1970-01-01 00:00 UTC');
  return undefined;
}

function writtenFlaw({ text, before }: Entry, { pretty }: Place): Flaw | undefined {
  if (before !== undefined) return flaw('what separates two messages', 'QMP-TRANS-05', 'CR LF');
  if (pretty) return undefined;
  if (/[\r\n]/.test(text)) return flaw('a message of several lines', 'QMP-TRANS-06', 'a message on one line');
  if (/[^\x20-\x7e]/.test(text)) return flaw('bytes that are not ASCII', 'QMP-OUT-01', 'printable ASCII');
  return undefined;
}

/** A text, with the colon behind it where it names a member, or a bracket. */
const tokens = /"((?:[^"\\]|\\.)*)"(\s*:)?|[{}]/g;

/** The first member that an object of a message has twice: whoever reads it loses one of them. */
function repeatedMember(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, name, colon] of text.matchAll(tokens)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined && name !== undefined) {
      const members = open.at(-1);
      if (members?.has(name)) return name;
      members?.add(name);
    }
  }
  return undefined;
}

function memberFlaw({ text }: Entry, value: JsonObject): Flaw | undefined {
  const name = text.length > longest ? undefined : repeatedMember(text);
  if (name === undefined) return undefined;
  return flaw(`a message with ${name} twice`, 'event' in value ? 'QMP-EVT-01' : 'QMP-REPLY-01', 'each member once');
}

/** The first message of a transcript whose form is wrong. */
export function formSymptoms(transcript: Transcript): Symptom[] {
  const began = Date.parse(transcript.header.began) / 1000;
  const pretty = new Set<string>();
  const started = new Set<string>();
  const greeted = new Set<string>();
  for (const entry of transcript.entries) {
    const [process = entry.at] = entry.at.split('#');
    if (entry.kind === 'started') {
      started.add(process);
      if (entry.text.includes('"pretty":true')) pretty.add(process);
    }
    // Only of its first connection is it sure that nothing was left over from another one.
    if (entry.kind === 'disconnected' || entry.kind === 'eof') started.delete(process);
    if (entry.kind !== 'received') continue;
    const value = entryValue(entry);
    const place: Place = {
      began,
      pretty: pretty.has(process) || !started.has(process),
      greeted: greeted.has(entry.at) && started.has(process),
    };
    if (!isObject(value)) continue;
    const isGreeting = 'QMP' in value;
    const found =
      (isGreeting ? greetingFlaw(value, place) : undefined) ??
      (!entry.stale && ('return' in value || 'error' in value) ? replyFlaw(value) : undefined) ??
      ('event' in value && !('return' in value) && !('error' in value) ? eventFlaw(value, place) : undefined) ??
      writtenFlaw(entry, place) ??
      memberFlaw(entry, value);
    if (isGreeting) greeted.add(entry.at);
    if (found === undefined) continue;
    return [
      {
        kind: 'garbage',
        subject: found.subject,
        rows: [found.row],
        state: '',
        expected: [found.expected],
        got: entry.before === undefined ? entry.text.slice(0, 200) : JSON.stringify(entry.before),
        entry: entry.n,
      },
    ];
  }
  return [];
}
