import { expect } from 'chai';
import { type Attempt, untold } from '../../campaign/attempt.js';
import { confirm } from '../../campaign/confirm.js';
import { type Reduced, reduce } from '../../campaign/reduce.js';
import type { Symptom } from '../../campaign/symptom.js';
import type { Scenario, Step } from '../../targets/scenario.js';

const symptom: Symptom = { kind: 'garbage', subject: 'it', rows: [], state: '', expected: ['an end'], got: 'none' };
const steps = (count: number): Step[] =>
  Array.from({ length: count }, (_, n) => ({ do: 'command', at: 'source', execute: `c${n}` }));
const scenarioOf = (count: number): Scenario => ({
  scenario: 1,
  steps: [{ do: 'start', at: 'source' }, { do: 'connect', at: 'source' }, ...steps(count)],
});

/** A target that shows it in a part of the runs, which hangs on what is left of the scenario: by numbers of commands. */
function flaky(rates: (commands: readonly string[]) => number): (scenario: Scenario) => Promise<Attempt> {
  const runs = new Map<string, number>();
  return async (scenario) => {
    const commands = scenario.steps.flatMap((step) => (step.do === 'command' ? [step.execute] : []));
    const key = commands.join();
    const run = runs.get(key) ?? 0;
    runs.set(key, run + 1);
    // Shown in the first of every so many runs: luck is with those that look for it.
    const rate = rates(commands);
    const shown = rate > 0 && run % Math.round(1 / rate) === 0;
    return untold(scenario, '', shown ? [symptom] : []);
  };
}

async function reduced(scenario: Scenario, run: (scenario: Scenario) => Promise<Attempt>): Promise<Reduced> {
  const { rate, shown } = await confirm(scenario, symptom, run);
  if (shown === undefined) throw new Error('it does not show itself');
  return reduce(scenario, symptom, { rate, shown }, { run, going: () => true, inTime: () => true });
}

describe('reducing a finding', () => {
  it('ends with what always shows it, although less shows it now and then', async () => {
    const run = flaky((commands) =>
      ['c1', 'c5'].every((name) => commands.includes(name)) ? 1 : commands.includes('c5') ? 0.1 : 0,
    );
    const { scenario, told, minimal } = await reduced(scenarioOf(12), run);
    expect(scenario.steps.length).to.equal(4);
    expect(told.rate).to.deep.equal({ times: 5, of: 5 });
    expect(minimal).to.equal(true);
  });

  it('takes less that shows it often enough where what always shows it is too large', async () => {
    const sure = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6'];
    const run = flaky((commands) =>
      sure.every((name) => commands.includes(name)) ? 1 : commands.includes('c6') ? 0.5 : 0,
    );
    const { scenario, told } = await reduced(scenarioOf(9), run);
    expect(scenario.steps.length).to.equal(3);
    expect(told.rate.times / told.rate.of).to.be.within(0.3, 0.9);
  });

  it('goes back from what was luck no further than to what is confirmed', async () => {
    const seen = new Set<string>();
    const honest = flaky((commands) => (['c1', 'c5', 'c7'].every((name) => commands.includes(name)) ? 1 : 0));
    const twice = new Map<string, number>();
    // Less than is needed shows it in its first two runs, and never again.
    const run = async (scenario: Scenario): Promise<Attempt> => {
      const text = JSON.stringify(scenario.steps);
      const times = (twice.get(text) ?? 0) + 1;
      twice.set(text, times);
      const lucky = text.includes('c5') && text.includes('c7') && !text.includes('"c1"') && times <= 2;
      if (lucky) seen.add(text);
      return lucky ? untold(scenario, '', [symptom]) : honest(scenario);
    };
    const { scenario, told } = await reduced(scenarioOf(10), run);
    expect(seen.size).to.be.greaterThan(0);
    expect(scenario.steps.length).to.be.at.most(6);
    expect(told.rate).to.deep.equal({ times: 5, of: 5 });
  });

  it('keeps what shows itself now and then when there is nothing better', async () => {
    const run = flaky((commands) => (commands.includes('c2') ? 0.25 : 0));
    const { scenario, told } = await reduced(scenarioOf(6), run);
    expect(scenario.steps.length).to.equal(3);
    expect(told.rate.times).to.be.greaterThan(0);
  });
});
