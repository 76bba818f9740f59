import { expect } from 'chai';
import { chooseSources, sources } from '../../generators/sources.js';
import { simulateBatch } from '../../simulation/batch.js';
import { drawn } from '../../simulation/drawn.js';
import type { Simulation } from '../../simulation/simulate.js';

describe('simulated scenarios of chosen sources', () => {
  it('are the same for the same seed, and come from each source in turn', () => {
    const titles = new Set<string>();
    for (let seed = 1; seed <= 120; seed++) {
      const scenario = drawn(seed, '7.2', sources);
      expect(drawn(seed, '7.2', sources)).to.deep.equal(scenario);
      titles.add((scenario.title ?? '').replace(/, seed .*/, ''));
    }
    for (const { name } of sources.filter((one) => one.name !== 'race')) expect([...titles]).to.include(name);
  });

  it('run without a problem', async function () {
    this.timeout(60_000);
    const problems: Simulation[] = [];
    const { runs } = await simulateBatch({
      seed: 1,
      runs: 12,
      sources: chooseSources(['expedition', 'race', 'values']),
      onProblem: (one) => problems.push(one),
    });
    expect([runs, problems.map(({ problem }) => problem)]).to.deep.equal([12, []]);
  });
});
