/** Reads what a monitor sent. Much of it is said again and again, word for word: that is read once. */
import { type JsonValue, parseJson } from './json.js';
import { kindOf, type MessageKind } from './message.js';

export interface ReadMessage {
  /** `undefined` when the text is not JSON. */
  readonly value: JsonValue | undefined;
  readonly kind: MessageKind;
}

const beyondAscii = /[\x80-\xff]/;
/** Characters of a message that is worth remembering. */
const longest = 1024;
const mostMessages = 4096;

let known = new Map<string, ReadMessage>();
/** Those that were known before: what is said again stays. */
let older = new Map<string, ReadMessage>();

/** @param text of one character a byte; equal texts may give the same value, which nobody may change */
export function readMessage(text: string): ReadMessage {
  if (text.length > longest) return read(text);
  let message = known.get(text);
  if (message !== undefined) return message;
  message = older.get(text) ?? read(text);
  if (known.size >= mostMessages) {
    older = known;
    known = new Map();
  }
  known.set(text, message);
  return message;
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
