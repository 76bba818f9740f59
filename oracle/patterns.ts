/**
 * What a message may look like. A pattern knows its own words, so that a divergence can list every permitted outcome.
 * Error classes are always compared; descriptions are for people and are compared only in strict mode.
 */
import { isObject, type JsonObject, type JsonValue, sameJson, stringifyJson } from '../protocol/json.js';
import { eventName, type Received } from '../protocol/message.js';

export interface MatchOptions {
  /** Compare error descriptions too (`--strict-desc`). */
  readonly strictDesc: boolean;
}

export interface Pattern {
  readonly words: string;
  readonly test: (message: Received, options: MatchOptions) => boolean;
}

/** How a value may be prescribed: exactly, or by a test that has words. */
export type Expected = JsonValue | { readonly words: string; readonly holds: (value: JsonValue) => boolean };

const isTest = (value: unknown): value is { words: string; holds: (value: JsonValue) => boolean } =>
  typeof value === 'object' && value !== null && 'holds' in value && typeof value.holds === 'function';

export const wordsOf = (expected: Expected): string => (isTest(expected) ? expected.words : stringifyJson(expected));
export const meets = (value: JsonValue, expected: Expected): boolean =>
  isTest(expected) ? expected.holds(value) : sameJson(value, expected as JsonValue);

const member = (message: Received, name: string): JsonValue | undefined =>
  isObject(message.value) && Object.hasOwn(message.value, name) ? message.value[name] : undefined;

/** A success reply, with this return value if one is given, with exactly this id if one is given. */
export function success(value?: Expected, id?: JsonValue): Pattern {
  return {
    words: `success${value === undefined ? '' : ` with ${wordsOf(value)}`}${idWords(id)}`,
    test: (message) => {
      if (message.kind !== 'success' || !idHolds(message, id)) return false;
      return value === undefined || meets(member(message, 'return') as JsonValue, value);
    },
  };
}

/** An error reply of this class. `desc`: the texts that the spec lists, compared in strict mode only. */
export function failure(errorClass: string, desc?: string | readonly string[] | RegExp, id?: JsonValue): Pattern {
  const texts = desc === undefined || desc instanceof RegExp ? [] : typeof desc === 'string' ? [desc] : desc;
  const words = desc instanceof RegExp ? ` matching ${desc}` : texts.length > 0 ? ` "${texts.join('" or "')}"` : '';
  return {
    words: `${errorClass}${words}${idWords(id)}`,
    test: (message, { strictDesc }) => {
      const error = member(message, 'error');
      if (message.kind !== 'failure' || !isObject(error) || error.class !== errorClass || !idHolds(message, id))
        return false;
      if (!strictDesc || desc === undefined) return true;
      return desc instanceof RegExp ? desc.test(String(error.desc)) : texts.includes(String(error.desc));
    },
  };
}

/** An event of this name; with `data`, its members must have these values (others may be there too). */
export function event(name: string, data?: Readonly<Record<string, Expected>>): Pattern {
  const details = Object.entries(data ?? {}).map(([key, value]) => `${key} ${wordsOf(value)}`);
  return {
    words: `event ${name}${details.length === 0 ? '' : ` with ${details.join(', ')}`}`,
    test: (message) => {
      if (message.kind !== 'event' || member(message, 'event') !== name) return false;
      const got = member(message, 'data');
      return Object.entries(data ?? {}).every(
        ([key, value]) => isObject(got) && Object.hasOwn(got, key) && meets(got[key] as JsonValue, value),
      );
    },
  };
}

/** Any of several patterns. */
export function either(...patterns: readonly Pattern[]): Pattern {
  return {
    words: patterns.map((pattern) => pattern.words).join(' or '),
    test: (message, options) => patterns.some((pattern) => pattern.test(message, options)),
  };
}

const idWords = (id: JsonValue | undefined): string => (id === undefined ? '' : ` and id ${stringifyJson(id)}`);

const idHolds = (message: Received, id: JsonValue | undefined): boolean => {
  if (id === undefined) return true;
  return isObject(message.value) && Object.hasOwn(message.value, 'id') && sameJson(message.value.id as JsonValue, id);
};

/** A message for "got": long texts are cut in the middle of nothing important. */
export function brief(message: Received | undefined, width = 300): string {
  if (message === undefined) return 'nothing';
  return message.text.length > width
    ? `${message.text.slice(0, width)}… (${message.text.length} characters)`
    : message.text;
}

/** Values that a test prescribes by a rule. */
export const anInteger: Expected = {
  words: 'an integer',
  holds: (value) => typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value)),
};
export const aString: Expected = { words: 'a string', holds: (value) => typeof value === 'string' };
export const aBoolean: Expected = { words: 'a boolean', holds: (value) => typeof value === 'boolean' };
export const anObject: Expected = { words: 'an object', holds: (value): value is JsonObject => isObject(value) };
export const anArray: Expected = { words: 'an array', holds: (value) => Array.isArray(value) };

/** An event by its name, `MIGRATION` with its status, `MIGRATION_PASS` with its number; `undefined` for what is none. */
export function wordOfEvent(message: Received): string | undefined {
  const name = eventName(message);
  const data = isObject(message.value) ? message.value.data : undefined;
  if (name === 'MIGRATION' && isObject(data)) return `MIGRATION(${String(data.status)})`;
  return name === 'MIGRATION_PASS' && isObject(data) ? `MIGRATION_PASS(${String(data.pass)})` : name;
}
