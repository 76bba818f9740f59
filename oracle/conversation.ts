/** What holds of every conversation with a monitor, whatever it is about (qmp-protocol.md §5, §9). */
import { isObject, type JsonObject, type JsonValue } from '../protocol/json.js';
import { eventName, isReply, type Received } from '../protocol/message.js';
import type { Session } from '../protocol/session.js';
import type { Schema } from '../qapi/schema.js';
import { type Validators, validatorsFor } from '../qapi/validators.js';

/** Something that a monitor must not say. */
export interface Impossible {
  readonly expected: string;
  readonly message: Received;
}

const known = new WeakMap<Schema, Validators>();
function validatorsOf(schema: Schema): Validators {
  let validators = known.get(schema);
  if (validators === undefined) {
    validators = validatorsFor(schema);
    known.set(schema, validators);
  }
  return validators;
}

const isInteger = (value: JsonValue | undefined): value is number => Number.isInteger(value);

/** Both are -1 where no clock can be read (QMP-EVT-03). */
function isTimestamp(value: JsonValue | undefined): boolean {
  if (!isObject(value) || Object.keys(value).length !== 2) return false;
  const { seconds, microseconds } = value;
  if (seconds === -1 && microseconds === -1) return true;
  return isInteger(seconds) && seconds >= 0 && isInteger(microseconds) && microseconds >= 0 && microseconds < 1e6;
}

function faultOfEvent(event: JsonObject, name: string, schema: Schema): string | undefined {
  const more = Object.keys(event).filter((member) => !['event', 'timestamp', 'data'].includes(member));
  if (more.length > 0) return 'an event with the members event, timestamp and perhaps data';
  if (!isTimestamp(event.timestamp)) return 'an event with seconds and microseconds in its timestamp';
  if (!schema.events.has(name)) return undefined;
  // A schema of our own may be older than the monitor.
  const additional = schema.origin !== 'introspection';
  const [fault] = validatorsOf(schema).event(name, { additional })(event.data);
  return fault === undefined ? undefined : `event ${name} with data as in its schema: ${fault.path} ${fault.expected}`;
}

/**
 * The first message of a session that no conversation can have; `undefined` when each is in its place.
 * @param others sessions that may have left replies behind for this one
 */
export function impossibleIn(
  session: Session,
  schema: Schema,
  others: readonly Session[] = [],
): Impossible | undefined {
  const left = others.some((other) => other !== session && other.raw && other.endpoint === session.endpoint);
  const answered = new Set<string>();
  for (const message of session.log) {
    const { value, stale } = message;
    if (stale || !isObject(value)) continue;
    const name = eventName(message);
    const fault = name === undefined ? undefined : faultOfEvent(value, name, schema);
    if (fault !== undefined) return { expected: fault, message };
    if (!isReply(message)) continue;
    if (!left && session.lacksItsId(message)) return { expected: 'a reply with the id of its command', message };
    const { id } = value;
    if (typeof id !== 'string' || !session.hasMade(id)) continue;
    if (answered.has(id)) return { expected: `one reply to the command with id ${id}`, message };
    answered.add(id);
  }
  return undefined;
}
