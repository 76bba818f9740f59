/**
 * JSON without loss: integers beyond ±(2^53 - 1) are `bigint`, every other number is `number`. QMP carries unsigned 64-bit
 * integers (QMP-OUT-04), which `JSON.parse` would round silently.
 */
import { stringify as stringifyLossless } from 'lossless-json';

export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue };
export type JsonObject = { readonly [member: string]: JsonValue };

/** Text that is not JSON; `position` is an offset in characters where it is known. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  constructor(
    message: string,
    readonly text: string,
  ) {
    super(message);
  }
}

// Sixteen digits are the fewest that can exceed 2^53; text without such a run needs no second look.
const longNumber = /\d{16}/;
// A string without its end counts to the end of the text: to look for one behind each of its quotes would take the square of it.
const stringOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
const integer = /^-?(?:0|[1-9]\d*)$/;

/** @throws JsonError when `text` is not one JSON value. */
export function parseJson(text: string): JsonValue {
  try {
    return longNumber.test(text) ? parseLongNumbers(text) : (JSON.parse(text) as JsonValue);
  } catch (error) {
    // What V8 quotes of the text may have line ends.
    throw new JsonError((error as Error).message.replaceAll(/\s+/g, ' '), text);
  }
}

/**
 * Hides long integers from the native parser in marked strings. So everything else (duplicate members, `__proto__`, what is
 * an error) is as the native parser has it, whether a text holds long integers or not.
 */
function parseLongNumbers(text: string): JsonValue {
  let mark = '#';
  while (text.includes(mark)) mark += '#';
  const marked = text.replace(stringOrNumber, (token) =>
    token[0] === '"' || !integer.test(token) || Number.isSafeInteger(Number(token)) ? token : `"${mark}${token}"`,
  );
  return JSON.parse(marked, (key, value) => {
    if (key.startsWith(mark)) throw new SyntaxError(`the integer ${key.slice(mark.length)} stands for a member's name`);
    return typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value;
  }) as JsonValue;
}

/** Compact JSON text; `bigint` becomes an integer of any size. */
export function stringifyJson(value: unknown): string {
  // Most values hold no bigint: to look for one first would take as long as to write the text.
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!hasBigint(value)) throw error;
    return stringifyLossless(value) ?? 'null';
  }
}

const stringOrBlanks = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|[ \t\r\n]+/gs;

/** `text` without what JSON lets stand between two tokens: texts that differ in blanks alone become the same. */
export function withoutBlanks(text: string): string {
  return text.replace(stringOrBlanks, (part) => (part[0] === '"' ? part : ''));
}

/** `text` with strings in which nothing is escaped that need not be; numbers and blanks stay as they stand. */
export function withPlainStrings(text: string): string {
  return text.replace(stringOrBlanks, (part) => {
    if (part[0] !== '"') return part;
    try {
      return JSON.stringify(JSON.parse(part));
    } catch {
      return part;
    }
  });
}

/** Whether some string in a value, or the name of a member, contains `text`. */
export function mentions(value: unknown, text: string): boolean {
  if (typeof value === 'string') return value.includes(text);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (mentions(item, text)) return true;
    return false;
  }
  for (const name in value) {
    if (name.includes(text) || mentions((value as Record<string, unknown>)[name], text)) return true;
  }
  return false;
}

const stringOrName = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/gs;

/** Whether an object in `text`, which is that of `value`, has two members of one name: the last one is what was read. */
export function namesTwice(text: string, value: JsonValue): boolean {
  let written = 0;
  for (const [, colon] of text.matchAll(stringOrName)) if (colon !== undefined) written++;
  return written > membersIn(value);
}

function membersIn(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inside: readonly JsonValue[] = Object.values(value);
  const own = Array.isArray(value) ? 0 : inside.length;
  return inside.reduce((sum: number, one) => sum + membersIn(one), own);
}

function hasBigint(value: unknown): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null) return false;
  for (const member of Array.isArray(value) ? value : Object.values(value)) if (hasBigint(member)) return true;
  return false;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equality of JSON values: member order is without meaning (MIG-CMD-GEN-08), 5 and 5n are the same number. */
export function sameJson(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (isNumeric(a) && isNumeric(b)) return isInteger(a) && isInteger(b) && BigInt(a) === BigInt(b);
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && sameJson(a[name] as JsonValue, b[name] as JsonValue))
  );
}

const isNumeric = (value: JsonValue): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';
const isInteger = (value: number | bigint) => typeof value === 'bigint' || Number.isInteger(value);
