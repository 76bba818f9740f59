/**
 * JSON without loss: integers beyond ±(2^53 - 1) are `bigint`, every other number is `number`. QMP carries unsigned 64-bit
 * integers (QMP-OUT-04), which `JSON.parse` would round silently.
 */
import { parse as parseLossless, stringify as stringifyLossless } from 'lossless-json';

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

// Sixteen digits are the fewest that can exceed 2^53; text without such a run is safe for the native parser, which is
// some ten times faster than the lossless one.
const longNumber = /\d{16}/;

const parseNumber = (text: string): number | bigint => {
  const value = Number(text);
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(text) ? value : BigInt(text);
};

/** @throws JsonError when `text` is not one JSON value. */
export function parseJson(text: string): JsonValue {
  try {
    return (longNumber.test(text) ? parseLossless(text, undefined, parseNumber) : JSON.parse(text)) as JsonValue;
  } catch (error) {
    throw new JsonError((error as Error).message, text);
  }
}

/** Compact JSON text; `bigint` becomes an integer of any size. */
export function stringifyJson(value: unknown): string {
  return hasBigint(value) ? (stringifyLossless(value) ?? 'null') : JSON.stringify(value);
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
