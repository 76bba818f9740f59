/** Reads what a monitor sent. Much of it is said again and again, word for word but for the id: that is read once. */
import { isObject, type JsonValue, parseJson } from './json.js';
import { kindOf, type MessageKind } from './message.js';

export interface ReadMessage {
  /** `undefined` when the text is not JSON. */
  readonly value: JsonValue | undefined;
  readonly kind: MessageKind;
}

const beyondAscii = /[\x80-\xff]/;
/** Characters of a message that is worth remembering. */
const longest = 2048;
const mostMessages = 4096;

let known = new Map<string, ReadMessage>();
/** Those that were known before: what is said again stays. */
let older = new Map<string, ReadMessage>();
/** Texts that came once: most of them never come again, and what is kept of each costs more than to read a few twice. */
let once = new Set<string>();
let onceBefore = new Set<string>();

/** @param text of one character a byte; equal texts may give the same value, which nobody may change */
export function readMessage(text: string): ReadMessage {
  if (text.length > longest) return read(text);
  return withTime(text) ?? withId(text) ?? remembered(text);
}

/** A message as it was read before, or as it is read now. */
function remembered(text: string): ReadMessage {
  let message = known.get(text);
  if (message !== undefined) return message;
  message = older.get(text);
  if (message === undefined) {
    message = read(text);
    if (!cameBefore(text)) return message;
  }
  if (known.size >= mostMessages) {
    older = known;
    known = new Map();
  }
  known.set(text, message);
  return message;
}

function cameBefore(text: string): boolean {
  if (once.delete(text) || onceBefore.delete(text)) return true;
  if (once.size >= mostMessages) {
    onceBefore = once;
    once = new Set();
  }
  once.add(text);
  return false;
}

const idAtEnd = /^, "id": "(qs\d+\.\d+)"\}$/;
const idAtBeginning = /^\{"id": "(qs\d+\.\d+)", /;
/** Characters of such an id and what belongs to it, at most. */
const mostOfId = 48;

/**
 * A reply to a command of a session, whose id is another one each time. These bounds can only be those of a member of the
 * whole: inside of a string their quotes would end it.
 */
function withId(text: string): ReadMessage | undefined {
  const from = text.lastIndexOf(', "id": "qs');
  if (from >= 0 && from > text.length - mostOfId) {
    const [, id] = idAtEnd.exec(text.slice(from)) ?? [];
    return id === undefined ? undefined : besides(`${text.slice(0, from)}}`, (rest) => ({ ...rest, id }));
  }
  if (!text.startsWith('{"id": "qs')) return undefined;
  const [head, id] = idAtBeginning.exec(text.slice(0, mostOfId)) ?? [];
  return id === undefined || head === undefined
    ? undefined
    : besides(`{${text.slice(head.length)}`, (rest) => ({ id, ...rest }));
}

const timeAtBeginning = /^\{"timestamp": \{"seconds": ([1-9]\d{0,11}), "microseconds": (0|[1-9]\d{0,5})\}, (?=")/;
/** Characters of such a time and what belongs to it, at most. */
const mostOfTime = 80;

/** An event, whose time is another one each time. */
function withTime(text: string): ReadMessage | undefined {
  if (!text.startsWith('{"timestamp": ')) return undefined;
  const [head, seconds, microseconds] = timeAtBeginning.exec(text.slice(0, mostOfTime)) ?? [];
  if (head === undefined) return undefined;
  const { value, kind } = remembered(`{${text.slice(head.length)}`);
  if (!isObject(value) || kind !== 'event') return undefined;
  const timestamp = { seconds: Number(seconds), microseconds: Number(microseconds) };
  return { value: { timestamp, ...value }, kind };
}

/** The message with its id, if it is one without it. */
function besides(
  text: string,
  whole: (rest: { readonly [member: string]: JsonValue }) => JsonValue,
): ReadMessage | undefined {
  const { value, kind } = remembered(text);
  return isObject(value) && kind !== 'unknown' && !('id' in value) ? { value: whole(value), kind } : undefined;
}

function read(text: string): ReadMessage {
  let value: JsonValue | undefined;
  try {
    value = parseJson(beyondAscii.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text);
  } catch {
    value = undefined;
  }
  return { value, kind: kindOf(value) };
}
