/** Tapes made from other tapes. What is early on a tape decides what the later decisions mean: the end is changed most. */
import type { Random } from './random.js';

const decision = (random: Random): number => random.next() % 2 ** 30;

type Mutation = (tape: readonly number[], other: readonly number[], random: Random) => readonly number[];

/** A position, later ones more likely. */
const late = (length: number, random: Random): number => Math.max(random.below(length), random.below(length));

const mutations: readonly (readonly [weight: number, mutation: Mutation])[] = [
  // The same way up to a point, then another one.
  [
    4,
    (tape, _, random) => {
      const at = late(tape.length, random);
      return tape.map((one, i) => (i < at ? one : decision(random)));
    },
  ],
  // One to four decisions.
  [
    4,
    (tape, _, random) => {
      const changed = [...tape];
      for (let left = 1 + random.below(4); left > 0; left--) changed[random.below(tape.length)] = decision(random);
      return changed;
    },
  ],
  // One decision's neighbour: another entry of a list, a value beside it.
  [
    2,
    (tape, _, random) => {
      const at = random.below(tape.length);
      const step = random.below(2) === 0 ? 1 : -1;
      return tape.map((one, i) => (i === at ? Math.max(0, one + step) : one));
    },
  ],
  [
    1,
    (tape, _, random) => {
      const at = random.below(tape.length + 1);
      return [...tape.slice(0, at), decision(random), ...tape.slice(at)];
    },
  ],
  [
    1,
    (tape, _, random) => {
      const at = random.below(tape.length);
      return [...tape.slice(0, at), ...tape.slice(at + 1)];
    },
  ],
  // The beginning of one, the end of another.
  [
    3,
    (tape, other, random) => [...tape.slice(0, random.below(tape.length)), ...other.slice(random.below(other.length))],
  ],
];

const longest = 400;

export function mutated(tape: readonly number[], other: readonly number[], random: Random): number[] {
  if (tape.length === 0) return [decision(random)];
  let result: readonly number[] = tape;
  for (let left = random.below(3) === 0 ? 2 : 1; left > 0 && result.length > 0; left--) {
    result = random.weighted(mutations)(result, other, random);
  }
  return result.slice(0, longest);
}
