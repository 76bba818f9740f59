/** What holds of every conversation with a monitor, whatever it is about (qmp-protocol.md §5, §9, §13). */
import { isObject, type JsonObject, type JsonValue, namesTwice, sameJson } from '../protocol/json.js';
import { eventName, isReply, type Received } from '../protocol/message.js';
import type { Session } from '../protocol/session.js';
import type { Schema } from '../qapi/schema.js';
import { validatorsFor } from '../qapi/validators.js';
import type { TargetFacts } from '../targets/facts.js';
import { notWhole } from './whole-numbers.js';

/** Classes of errors (QMP-ERR-01). */
export const errorClasses = ['GenericError', 'CommandNotFound', 'DeviceNotActive', 'DeviceNotFound', 'KVMMissingCap'];

/** Something that a monitor must not say. */
export interface Impossible {
  readonly expected: string;
  readonly message: Received;
}

/** What is known of a target and holds for each of its conversations. */
export interface Known extends Pick<TargetFacts, 'schema' | 'singlestep' | 'settings'> {
  /** How it greeted whoever looked at it first; absent where nobody did. */
  readonly greeting?: JsonObject;
  /** Its machine has no guest: nothing that happens in it comes from one. */
  readonly guestless?: boolean;
}

const isInteger = (value: JsonValue | undefined): value is number => Number.isInteger(value);

/** Both are -1 where no clock can be read (QMP-EVT-03). */
function isTimestamp(value: JsonValue | undefined): boolean {
  if (!isObject(value) || Object.keys(value).length !== 2) return false;
  const { seconds, microseconds } = value;
  if (seconds === -1 && microseconds === -1) return true;
  return isInteger(seconds) && seconds >= 0 && isInteger(microseconds) && microseconds >= 0 && microseconds < 1e6;
}

/** Events of every release. Of those that nobody knows a client says nothing; whoever tells of one of these has it in its schema. */
export const lastingEvents: ReadonlySet<string> = new Set([
  'MIGRATION',
  'MIGRATION_PASS',
  'POWERDOWN',
  'RESET',
  'RESUME',
  'SHUTDOWN',
  'STOP',
]);

/** A schema by the word of the monitor itself does not have this event. */
export const isUndeclared = (event: string, schema: Schema): boolean =>
  schema.origin === 'introspection' && lastingEvents.has(event) && !schema.events.has(event);

function faultOfEvent(event: JsonObject, name: string, { schema, guestless }: Known): string | undefined {
  const byGuest = guestless === true && isObject(event.data) && event.data.guest === true;
  if (byGuest && lastingEvents.has(name)) return `${name} by no guest, as the machine has none`;
  const more = Object.keys(event).filter((member) => !['event', 'timestamp', 'data'].includes(member));
  if (more.length > 0) return 'an event with the members event, timestamp and perhaps data';
  if (!isTimestamp(event.timestamp)) return 'an event with seconds and microseconds in its timestamp';
  // A schema of our own may be older than the monitor.
  const additional = schema.origin !== 'introspection';
  if (!schema.events.has(name))
    return isUndeclared(name, schema) ? `an event that its schema has, as ${name} is not` : undefined;
  const [fault] = validatorsFor(schema).event(name, { additional })(event.data);
  return fault === undefined ? undefined : `event ${name} with data as in its schema: ${fault.path} ${fault.expected}`;
}

/** What commands return is as the schema says. The schema itself is long, and is looked at by requirements of its own. */
function faultOfReply(reply: JsonObject, command: string, known: Known): string | undefined {
  const { schema, singlestep } = known;
  if ('return' in reply) {
    const shown = reply.return as JsonValue;
    const other = command === 'query-version' ? anotherVersion(shown, known) : otherSettings(shown, command, known);
    if (other !== undefined) return other;
  }
  if (command === 'query-status' && singlestep !== undefined && isObject(reply.return)) {
    const { singlestep: shown = singlestep } = reply.return;
    if (shown !== singlestep) return `singlestep ${singlestep}, as everywhere in this run (QMP-BASE-06)`;
  }
  if (command === 'query-status' && isObject(reply.return)) {
    const { running, status } = reply.return;
    if (typeof running === 'boolean' && running !== (status === 'running'))
      return `running ${!running} where the status is ${status} (QMP-BASE-06)`;
  }
  if (!('return' in reply) || command === 'query-qmp-schema' || !schema.commands.has(command)) return undefined;
  const additional = schema.origin !== 'introspection';
  const [fault] = validatorsFor(schema).returns(command, { additional })(reply.return);
  return fault === undefined ? undefined : `what ${command} returns, as in its schema: ${fault.path} ${fault.expected}`;
}

const versionOf = (greeting: JsonValue | undefined): JsonValue | undefined =>
  isObject(greeting) && isObject(greeting.QMP) ? greeting.QMP.version : undefined;

/** A version that is not the one with which it greeted at first: no program has two. */
function anotherVersion(shown: JsonValue | undefined, { greeting }: Known): string | undefined {
  const version = versionOf(greeting);
  if (version === undefined || (shown !== undefined && sameJson(shown, version))) return undefined;
  return `version ${JSON.stringify(version)}, as everywhere in this run (QMP-GREET-01)`;
}

/** A greeting has what it had at first, and offers nothing else but oob, which hangs on the monitor (QMP-GREET-01). */
function faultOfGreeting(greeting: JsonObject, known: Known): string | undefined {
  const [body, first] = [greeting.QMP, known.greeting?.QMP];
  if (!isObject(first) || !Array.isArray(first.capabilities)) return undefined;
  const members = Object.keys(first).sort().join(' and ');
  const same = isObject(body) && Object.keys(body).sort().join(' and ') === members;
  if (!same || Object.keys(greeting).length > Object.keys(known.greeting ?? {}).length)
    return `a greeting with ${members}, as everywhere in this run`;
  const offered = ['oob', ...first.capabilities];
  const { capabilities } = body;
  const fits = Array.isArray(capabilities) && capabilities.every((one) => offered.includes(one));
  return fits ? anotherVersion(body.version, known) : `a greeting that offers ${offered.join(', ')}, or nothing`;
}

const namesOf = (list: JsonValue): JsonValue[] =>
  Array.isArray(list) ? list.map((one) => (isObject(one) ? (one.capability ?? null) : null)) : [];

/** Nothing in the life of a process changes which capabilities and parameters it has, nor how the former are ordered. */
function otherSettings(shown: JsonValue, command: string, { settings }: Known): string | undefined {
  if (settings === undefined) return undefined;
  if (command === 'query-migrate-capabilities') {
    const names = namesOf([...settings.capabilities]);
    return sameJson(namesOf(shown), names)
      ? undefined
      : `each of ${names.join(', ')} once, in this order (MIG-CMD-QCAP-01)`;
  }
  if (command !== 'query-migrate-parameters' || !isObject(shown)) return undefined;
  const missing = Object.keys(settings.parameters).find((name) => !settable.has(name) && shown[name] === undefined);
  return missing === undefined ? undefined : `${missing}, as everywhere in this run (MIG-CMD-QPAR-01)`;
}

/** Shown only while they are set. */
const settable: ReadonlySet<string> = new Set(['tls-creds', 'tls-hostname', 'tls-authz', 'block-bitmap-mapping']);

/** Errors have a class of the protocol and a text (QMP-REPLY-03, QMP-ERR-01). */
function faultOfError({ error }: JsonObject): string | undefined {
  if (error === undefined) return undefined;
  const { class: errorClass, desc, ...more } = isObject(error) ? error : {};
  const holds =
    errorClasses.includes(String(errorClass)) &&
    typeof desc === 'string' &&
    desc !== '' &&
    Object.keys(more).length === 0;
  return holds ? undefined : 'an error with one of the classes, a desc, and nothing else';
}

/** A reply has what came of its command, its id, and nothing else (QMP-REPLY-01). */
function faultOfFrame(reply: JsonObject): string | undefined {
  const more = Object.keys(reply).filter((member) => !['return', 'error', 'id'].includes(member));
  return more.length === 0 && !('return' in reply && 'error' in reply)
    ? undefined
    : 'a reply with return or error, its id, and nothing else';
}

function faultOfNumbers({ text }: Received, { schema }: Known): string | undefined {
  const member = text.length < longText ? notWhole(text, schema) : undefined;
  return member === undefined ? undefined : `an integer in digits alone, unlike ${member} (QMP-OUT-04)`;
}

/** Which command each id of ours was sent with. */
function commandsBy({ transcript, endpoint }: Session): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { at, kind, text } of transcript.entries) {
    if (at !== endpoint || kind !== 'sent') continue;
    const [, name, id] = ourCommand.exec(text) ?? [];
    if (name !== undefined && id !== undefined) names.set(id, name);
  }
  return names;
}
const ourCommand = /^\{"(?:execute|exec-oob)":"([^"\\]+)"[^\n]*"id":"(qs\d+\.\d+)"\}\n$/;

/** The schema alone is longer, and comes often. */
const longText = 2 ** 16;

/** What stands between two messages (QMP-TRANS-05); blanks around it belong to them. */
const lineEnd = /^[ \t]*\r\n[ \t]*$/;

/**
 * Milliseconds by which a clock may be set while a session lasts, and by which stamps may be off otherwise: a clock is adjusted, and
 * a thread that has stamped an event may lose its processor before it has told of it, to others on a loaded machine.
 */
const [clockIsSet, clockIsAdjusted] = [1000, 300];

/**
 * All events of a session happened while it lasted, so that they are no further apart. Where the clock is ours, each happened
 * before we heard of it, and none long before one of which we had heard already.
 */
function outOfTime(session: Session, origin: number | undefined): Impossible | undefined {
  const began = session.log[0]?.time ?? 0;
  const most = origin === undefined ? clockIsSet : clockIsAdjusted;
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const message of session.log) {
    const name = message.stale ? undefined : eventName(message);
    // Those of devices may be held back for a while.
    if (name === undefined || (origin !== undefined && !lastingEvents.has(name) && name !== 'COLO_EXIT')) continue;
    const at = millisecondsOf(message.value);
    if (at === undefined) continue;
    if (origin !== undefined && at > origin + message.time + most)
      return { expected: 'timestamps of when it happened, and none of what is to come', message };
    if (origin !== undefined && at < last - most)
      return { expected: 'timestamps that follow each other as the events do', message };
    [first, last] = [Math.min(first, at), Math.max(last, at)];
    if (last - first > message.time - began + most)
      return { expected: 'timestamps no further apart than the session has lasted', message };
  }
  return undefined;
}

/** So many events of one kind do not all happen in the very microsecond in which a second begins. */
const tooRound = 4;

function isCutToSeconds({ log }: Session): Received | undefined {
  const round = new Map<string, number>();
  for (const message of log) {
    const name = eventName(message);
    if (name === undefined || message.stale) continue;
    const { timestamp } = message.value as JsonObject;
    const cut = isObject(timestamp) && timestamp.microseconds === 0;
    const seen = cut ? (round.get(name) ?? 0) + 1 : Number.NEGATIVE_INFINITY;
    round.set(name, seen);
    if (seen >= tooRound) return message;
  }
  return undefined;
}

function millisecondsOf(event: JsonValue | undefined): number | undefined {
  const { seconds, microseconds } = isObject(event) && isObject(event.timestamp) ? event.timestamp : {};
  return isInteger(seconds) && isInteger(microseconds) && seconds >= 0
    ? 1000 * seconds + microseconds / 1000
    : undefined;
}

/**
 * The first message of a session that no conversation can have; `undefined` when each is in its place.
 * @param others sessions that may have left replies behind for this one
 * @param origin milliseconds of the epoch at which its transcript began, where the monitor's clock is ours and was not set
 */
export function impossibleIn(
  session: Session,
  known: Known,
  others: readonly Session[] = [],
  origin?: number,
): Impossible | undefined {
  let mayBeLeft = others.some((other) => other !== session && other.raw && other.endpoint === session.endpoint);
  const commands = commandsBy(session);
  const answered = new Set<string>();
  for (const message of session.log) {
    const { value, stale } = message;
    if (message.index > 0 && !lineEnd.test(message.before))
      return { expected: 'a CR LF, and nothing else, between two messages', message };
    if (stale || !isObject(value)) continue;
    if (message.text.length < longText && namesTwice(message.text, value))
      return { expected: 'a message in which no object has a member twice', message };
    if (message.kind === 'greeting') {
      const expected = faultOfGreeting(value, known);
      if (expected !== undefined) return { expected, message };
    }
    const name = eventName(message);
    const fault = name === undefined ? undefined : (faultOfEvent(value, name, known) ?? faultOfNumbers(message, known));
    if (fault !== undefined) return { expected: fault, message };
    if (!isReply(message)) continue;
    if (session.lacksItsId(message)) {
      // At most one, ahead of all of its own (QMP-CONN-08).
      if (!mayBeLeft) return { expected: 'a reply with the id of its command', message };
      mayBeLeft = false;
      continue;
    }
    mayBeLeft = false;
    const { id } = value;
    if (typeof id !== 'string' || !session.hasMade(id)) continue;
    if (answered.has(id)) return { expected: `one reply to the command with id ${id}`, message };
    answered.add(id);
    const wrong =
      faultOfFrame(value) ??
      faultOfError(value) ??
      faultOfReply(value, commands.get(id) ?? '', known) ??
      faultOfNumbers(message, known);
    if (wrong !== undefined) return { expected: wrong, message };
  }
  const round = isCutToSeconds(session);
  if (round !== undefined) return { expected: 'timestamps with their microseconds', message: round };
  return outOfTime(session, origin);
}
