/** What every generator has to keep to, whatever it makes: the kit that their tests share. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../simulation/random.js';

export type Make<T> = (decisions: readonly number[]) => T;

/** The first tapes of a seed: independent of fast-check, so that they stay what they are. */
export function tapesOf(seed: number, count: number, length = 120): number[][] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => Array.from({ length }, () => random.below(2 ** 30)));
}

const text = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one)) ?? 'undefined';

/** The same decisions give the same value; other ones mostly another. */
export function expectFunctionOfItsTape<T>(make: Make<T>): void {
  const tapes = tapesOf(7, 40);
  for (const tape of tapes) expect(text(make(tape))).to.equal(text(make(tape)));
  expect(new Set(tapes.map((tape) => text(make(tape)))).size).to.be.greaterThan(20);
}

/** Every tape stands for a value, however short or odd it is. */
export function expectTotal<T>(make: Make<T>): void {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 2 ** 30 }), { maxLength: 40 }), (decisions) => {
      make(decisions);
    }),
    { numRuns: 60 },
  );
}

/** What a generator makes of the tapes of one seed, in a few characters: changes with every change of its outputs. */
export const fingerprint = <T>(make: Make<T>): string =>
  createHash('sha256')
    .update(
      tapesOf(1, 50)
        .map((tape) => text(make(tape)))
        .join('\n'),
    )
    .digest('hex')
    .slice(0, 16);

/**
 * A planted fault shrinks to the smallest value that shows it: nothing can be taken away from the counterexample.
 * @param wanted what the counterexample must come down to
 */
export function expectShrinksTo<T>(
  arbitrary: fc.Arbitrary<T>,
  shows: (value: T) => boolean,
  size: (value: T) => number,
  wanted: number,
): void {
  for (const seed of [1, 2, 3]) {
    const { failed, counterexample } = fc.check(
      fc.property(arbitrary, (value) => !shows(value)),
      { seed, numRuns: 3000 },
    );
    expect(failed, `seed ${seed} shows the fault`).to.equal(true);
    const [least] = counterexample as [T];
    expect(shows(least)).to.equal(true);
    expect(size(least), text(least).slice(0, 300)).to.be.at.most(wanted);
  }
}

/** Each value that a failing run tries while it shrinks shows the fault with strictly less than the one before it. */
export function expectStrictlySmaller(
  arbitrary: fc.Arbitrary<readonly number[]>,
  shows: (tape: readonly number[]) => boolean,
): void {
  const sizes: bigint[] = [];
  const weigh = (tape: readonly number[]) => tape.reduce((sum, one) => sum + BigInt(one), BigInt(tape.length) << 64n);
  fc.check(
    fc.property(arbitrary, (tape) => {
      if (!shows(tape)) return true;
      sizes.push(weigh(tape));
      return false;
    }),
    { seed: 4, numRuns: 2000 },
  );
  expect(sizes.length).to.be.greaterThan(1);
  sizes.forEach((one, index) => {
    if (index > 0) expect(one < (sizes[index - 1] as bigint)).to.equal(true);
  });
}
