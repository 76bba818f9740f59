import { expect } from 'chai';
import { dialectNames, dialects } from '../../../reference/dialects/dialect.js';
import { conflictsIn, setsOfPairs } from '../../../suites/commands/capability-model.js';

describe('sets of capabilities that tell of pairs', () => {
  const pairsOf = (names: readonly string[]) =>
    names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b].sort().join()));

  it('have each pair that goes together in one of them, and leave the others on their own', () => {
    for (const dialect of dialectNames) {
      const { capabilities, conflicts } = dialects[dialect].migration;
      const [apart] = capabilities as readonly [string];
      const { sets, pairs } = setsOfPairs(capabilities, conflicts, new Set([apart]));
      for (const set of sets) expect(conflictsIn(conflicts, new Set(set)), set.join()).to.deep.equal([]);
      const agree = (a: string, b: string) => conflictsIn(conflicts, new Set([a, b])).length === 0;
      const inSets = new Set(sets.flatMap(pairsOf));
      const alone = new Set(pairs.map((pair) => [...pair].sort().join()));
      for (const pair of pairsOf(capabilities)) {
        const [a, b] = pair.split(',') as [string, string];
        const together = agree(a, b) && a !== apart && b !== apart;
        expect([inSets.has(pair) || !together, alone.has(pair)], pair).to.deep.equal([true, !together]);
      }
    }
  });
});
