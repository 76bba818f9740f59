/** Integers worth trying: ends of ranges, their neighbours, and what 32- and 53-bit arithmetic trips over. */
import { type IntegerName, integerRanges } from '../../qapi/schema.js';
import type { Tape } from '../scenario/tape.js';

const landmarks = [
  0n,
  1n,
  2n,
  10n,
  100n,
  127n,
  255n,
  4096n,
  65535n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n,
];

/** A JSON integer: `number` where that is exact, else `bigint`, as our JSON has it. */
export const jsonInteger = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

/** A value of an integer type; decisions of 0 mean 0. */
export function integerOf(tape: Tape, name: IntegerName): number | bigint {
  const [low, high] = integerRanges[name];
  const candidates = [0n, 1n, low, high, low + 1n, high - 1n];
  const free = BigInt(tape.number(2 ** 30));
  const choice = tape.number(candidates.length + 2);
  if (choice < candidates.length) return jsonInteger(candidates[choice] as bigint);
  const near = (landmarks[Number(free % BigInt(landmarks.length))] as bigint) + (free % 3n) - 1n;
  const value = choice === candidates.length ? near : free;
  return jsonInteger(value < low || value > high ? ((value % (high + 1n)) + (high + 1n)) % (high + 1n) : value);
}

/** Integers just outside a range, nearest first. */
export const beyond = (name: IntegerName): readonly bigint[] => {
  const [low, high] = integerRanges[name];
  return [high + 1n, low - 1n];
};
