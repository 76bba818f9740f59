/** In which members two replies or events differ, once what differs between any two runs is masked. */
import { isObject, type JsonValue, parseJson, sameJson } from '../protocol/json.js';
import type { Entry } from '../protocol/transcript.js';
import { type NormaliseOptions, normalise } from './normalise.js';

export interface Difference {
  /** Name, with dots between levels: `return.ram.total`. */
  readonly member: string;
  /** Absent where that side has no such member. */
  readonly left?: JsonValue;
  readonly right?: JsonValue;
}

/** Members that differ, deepest level first told; none for what are no two messages of the monitor. */
export function differences(left: Entry, right: Entry, options: NormaliseOptions): Difference[] {
  if (left.kind !== 'received' || right.kind !== 'received') return [];
  const [a, b] = [left, right].map((entry) => parsed(normalise(entry, options)));
  if (a === undefined || b === undefined) return [];
  return between(a, b, '').filter(({ member }) => member !== 'id' && !member.startsWith('id.'));
}

function between(a: JsonValue, b: JsonValue, member: string): Difference[] {
  if (sameJson(a, b)) return [];
  if (!isObject(a) || !isObject(b)) return [{ member, left: a, right: b }];
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].flatMap((name) => {
    const path = member === '' ? name : `${member}.${name}`;
    const [left, right] = [a[name], b[name]];
    if (left === undefined) return [{ member: path, right: right as JsonValue }];
    if (right === undefined) return [{ member: path, left }];
    return between(left, right, path);
  });
}

function parsed(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
