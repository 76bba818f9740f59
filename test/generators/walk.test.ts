import { expect } from 'chai';
import fc from 'fast-check';
import { scenarioOf, scenarios, walk } from '../../generators/scenario/walk.js';
import { dialectNames, dialects } from '../../reference/dialects/dialect.js';
import type { Scenario } from '../../targets/scenario.js';

/** Every text that a scenario would send or use as a path. */
const texts = (scenario: Scenario): string[] => {
  const found: string[] = [];
  JSON.stringify(scenario, (_, value: unknown) => {
    if (typeof value === 'string') found.push(value);
    return value;
  });
  return found;
};

describe('generated scenarios', () => {
  it('are the same for the same seed, and differ for others', () => {
    const dialect = dialects['7.2'];
    expect(scenarioOf(11, dialect)).to.deep.equal(scenarioOf(11, dialect));
    const distinct = new Set([1, 2, 3, 4, 5].map((seed) => JSON.stringify(scenarioOf(seed, dialect).steps)));
    expect(distinct.size).to.equal(5);
  });

  it('survive a round trip as JSON', () => {
    fc.assert(
      fc.property(scenarios(dialects['3.0']), (scenario) => {
        expect(JSON.parse(JSON.stringify(scenario))).to.deep.equal(scenario);
      }),
      { numRuns: 100 },
    );
  });

  it('stay harmless: no path of this machine, no program, no address beyond loopback', () => {
    for (const name of dialectNames) {
      fc.assert(
        fc.property(scenarios(dialects[name]), (scenario) => {
          for (const text of texts(scenario)) {
            expect(text, text).not.to.match(/^\/|exec:|file:|\.\.|~/);
            if (/^unix:/.test(text)) expect(text).to.match(/^unix:\{channel [a-z0-9]+\}$/);
            if (/^tcp:/i.test(text)) expect(text).to.match(/^tcp:127\.0\.0\.1(:1)?$/i);
          }
        }),
        { numRuns: 300 },
      );
    }
  });

  it('begin with an instance and a connection, whatever the decisions', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), (decisions) => {
        const { steps } = walk(decisions, dialects['3.0']);
        expect(steps.slice(0, 2).map((step) => step.do)).to.deep.equal(['start', 'connect']);
        expect(steps.length).to.be.lessThan(200);
      }),
    );
  });
});
