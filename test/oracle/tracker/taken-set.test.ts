import { expect } from 'chai';
import fc from 'fast-check';
import { empty, join, meet, setOfOne, type TakenSet } from '../../../oracle/tracker/taken-set.js';
import { placeKey, type Taken, takenKey } from '../../../oracle/tracker/transition-name.js';
import { migrationRules } from '../../../reference/dialects/migration.js';
import { initialState } from '../../../reference/model/index.js';

const idle = initialState(migrationRules['7.2'], {});
const held = { ...idle, out: { ...idle.out, phase: 'iterating' as const } };

/** Some that look the same from outside, and some that do not. */
const transitions: readonly Taken[] = Array.from({ length: 40 }, (_, n) => ({
  side: 'outgoing' as const,
  label: `step-${n >> 1}`,
  rows: [`MIG-SM-T${n >> 1}`],
  from: n % 2 === 0 ? idle : held,
}));

/** As it would be without anything that is kept. */
type Plain = ReadonlyMap<string, Taken>;
const plainOf = (numbers: readonly number[]): Plain => {
  const result = new Map<string, Taken>();
  for (const n of numbers) {
    const one = transitions[n] as Taken;
    if (!result.has(placeKey(one))) result.set(placeKey(one), one);
  }
  return result;
};
const setOf = (numbers: readonly number[]): TakenSet =>
  numbers.reduce((set, n) => join(set, setOfOne(transitions[n] as Taken)), empty);
const keys = (all: Iterable<Taken>): string[] => [...all].map(takenKey).sort();

const some = fc.array(fc.nat(transitions.length - 1), { maxLength: 24 });

describe('sets of transitions', () => {
  it('have what comes of two, and of those that look the same what the first one has', () => {
    fc.assert(
      fc.property(some, some, (one, other) => {
        const [first, second] = [plainOf(one), plainOf(other)];
        const joined = [...first, ...[...second].filter(([place]) => !first.has(place))].map(([, taken]) => taken);
        const met = [...first].flatMap(([place, taken]) => (second.has(place) ? [taken] : []));
        expect(keys(join(setOf(one), setOf(other)).all)).to.deep.equal(keys(joined));
        expect(keys(meet(setOf(one), setOf(other)).all)).to.deep.equal(keys(met));
      }),
      { numRuns: 300 },
    );
  });

  it('are the same object, and tell their transitions in the same order, however they came about', () => {
    // One of each that look the same.
    const alone = some.map((numbers) => numbers.map((n) => n & ~1));
    fc.assert(
      fc.property(alone, some, (numbers, other) => {
        const there = setOf(numbers);
        expect(setOf([...numbers].reverse())).to.equal(there);
        const halves = [numbers.slice(0, numbers.length >> 1), numbers.slice(numbers.length >> 1)] as const;
        expect(join(setOf(halves[1]), setOf(halves[0]))).to.equal(there);
        expect(meet(there, join(setOf(other), there)).all).to.deep.equal(there.all);
      }),
      { numRuns: 300 },
    );
  });
});
