import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { scenarioOf, scenarios, walk } from '../../generators/scenario/walk.js';
import { weights } from '../../generators/scenario/weights.js';
import { dialectNames, dialects } from '../../reference/dialects/dialect.js';
import type { Scenario } from '../../targets/scenario.js';
import { expectHarmless } from './harmless.js';

const fingerprint = (scenario: Scenario): string =>
  createHash('sha256').update(JSON.stringify(scenario.steps)).digest('hex').slice(0, 16);

/** Steps of many scenarios: what is never among them is never tried. */
const many = (dialect: (typeof dialects)['7.2'], runs = 400): Scenario[] =>
  fc.sample(scenarios(dialect), { seed: 1, numRuns: runs });

const pins: readonly (readonly string[])[] = dialectNames.map(() => [
  'b892e8705869448a',
  'a88228ee6570edc3',
  '2282daa60197213b',
]);

describe('generated scenarios', () => {
  it('are the same for the same seed, and differ for others', () => {
    const dialect = dialects['7.2'];
    expect(scenarioOf(11, dialect)).to.deep.equal(scenarioOf(11, dialect));
    const distinct = new Set([1, 2, 3, 4, 5].map((seed) => JSON.stringify(scenarioOf(seed, dialect).steps)));
    expect(distinct.size).to.equal(5);
  });

  it('are what they were: a seed in an old report still stands for the same scenario', () => {
    const pinned = dialectNames.map((name) => [1, 2, 3].map((seed) => fingerprint(scenarioOf(seed, dialects[name]))));
    expect(pinned).to.deep.equal(pins);
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
    for (const name of dialectNames)
      fc.assert(fc.property(scenarios(dialects[name]), expectHarmless), { numRuns: 300 });
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

  it('use only channels that a step has opened, save the one where nobody listens', () => {
    for (const { steps } of many(dialects['7.2'])) {
      const open = new Set<string>();
      for (const step of steps) {
        if (step.do === 'peer' || step.do === 'relay' || step.do === 'feed') open.add(step.channel);
        else if ('channel' in step) expect(open, JSON.stringify(step)).to.include(step.channel);
      }
    }
  });

  it('try everything that the table of weights speaks of', () => {
    const all = many(dialects['7.2']).map(({ steps }) => JSON.stringify(steps));
    const tried = (text: string) => all.some((one) => one.includes(text));
    const noise = Object.keys(weights.noise).filter((name) => name !== 'resume' && name !== 'fence');
    const steps = ['relay', 'feed', 'message', 'cut', 'release', 'kill', 'disconnect', 'pipeline', 'raw', 'fence'];
    const relays = ['pass', 'stall', 'slow', 'slice', 'cut'].map((name) => `"behaviour":"${name}"`);
    const wanted = [
      ...noise.map((name) => `"execute":"${name}"`),
      ...steps.map((name) => `"do":"${name}"`),
      ...relays,
      '"resume":true',
      '"oob":true',
      '"monitor":1',
      '"at":"source#2"',
      '"incoming":"unix:',
      '"paused":true',
      '"release-ram"',
      '"x-colo"',
    ];
    expect(wanted.filter((text) => !tried(text))).to.deep.equal([]);
  });
});
