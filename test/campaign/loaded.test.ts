import { expect } from 'chai';
import { attempt } from '../../campaign/attempt.js';
import { loadsOf } from '../../generators/scenario/loads.js';
import { type DialectName, dialects } from '../../reference/dialects/dialect.js';
import { faults } from '../../reference/faults/index.js';
import { loadSchema } from '../../reference/schema/index.js';
import { SimulatedWorld } from '../../simulation/world.js';
import { InProcessTarget } from '../../targets/in-process/target.js';
import type { Scenario } from '../../targets/scenario.js';
import { baselineFacts } from '../oracle/scripted-target.js';

/** What one scenario shows. */
async function shownBy(one: Scenario, dialect: DialectName, planted: readonly string[], seed = 1): Promise<string[]> {
  const facts = { ...baselineFacts, dialect: dialects[dialect], schema: loadSchema(dialect) };
  const world = new SimulatedWorld(seed);
  const target = new InProcessTarget({ dialect, faults: planted, world: world.target });
  const run = attempt(one, { target, facts, strictDesc: false, world: world.stage });
  const { symptoms } = await world.scheduler.drive(run, 60_000);
  world.end();
  return symptoms.map(({ subject, rows }) => `${subject} ${rows.join()}`);
}

/** What all loads together show. */
async function shown(dialect: DialectName, ...planted: readonly string[]): Promise<string[]> {
  const all: string[] = [];
  for (const one of loadsOf(dialects[dialect])) all.push(...(await shownBy(one, dialect, planted)));
  return all;
}

/** A destination that is told to pause, and is sent the rest all the same. */
const paused: Scenario = {
  scenario: 1,
  steps: [
    {
      do: 'start',
      at: 'destination',
      options: { incoming: 'unix:{channel fed}', monitors: [{ transport: 'unix', oob: true }] },
    },
    { do: 'connect', at: 'destination', enable: ['oob'] },
    {
      do: 'command',
      at: 'destination',
      execute: 'migrate-set-capabilities',
      arguments: { capabilities: [{ capability: 'postcopy-ram', state: true }] },
    },
    {
      do: 'feed',
      channel: 'fed',
      parts: ['header', 'configuration', 'return-path', 'advise', 'ram', 'discard', 'switch'],
    },
    { do: 'status', at: 'destination', is: ['postcopy-active'], deadline: 300 },
    { do: 'command', at: 'destination', execute: 'migrate-pause', oob: true },
    { do: 'feed', channel: 'fed', parts: ['rest', 'ram-end', 'end'] },
  ],
};

describe('what a destination makes of streams of ours', () => {
  for (const dialect of ['3.0', '7.2', '10.0'] as const)
    it(`is no symptom where it is as it should be: ${dialect}`, async () => {
      expect(await shown(dialect)).to.deep.equal([]);
    });

  it('is no symptom where it is paused before all has come', async () => {
    for (let seed = 1; seed <= 20; seed++) expect(await shownBy(paused, '3.0', [], seed)).to.deep.equal([]);
  });

  const planted = {
    'footers-unexpected': /a well-formed stream is refused/,
    'length-unchecked': /a malformed stream is loaded/,
    'compressed-unasked': /a malformed stream is loaded/,
    'compressed-unchecked': /a malformed stream is loaded/,
    'deltas-unchecked': /a malformed stream is loaded/,
    'present-pages-overwritten': /a malformed stream is loaded/,
    'pages-misplaced': /is not what the guest has there/,
    'pages-lost': /is not what the guest has there/,
    'zero-records-ignored': /is not what the guest has there/,
    'fill-byte-ignored': /is not what the guest has there/,
    'deltas-ignored': /is not what the guest has there/,
    'discards-ignored': /is not what the guest has there/,
    'stored-run-state-ignored': /runs once it was loaded/,
    'pong-value-wrong': /a PONG with another value/,
    'pong-lost': /a PONG is missing/,
    'shut-lost': /closed without SHUT/,
    'shut-value-wrong': /a well-formed stream is refused/,
    'resume-ack-wrong': /illegal resume_ack value/,
    'received-bitmap-inverted': /RECV_BITMAP/,
  };
  for (const [fault, words] of Object.entries(planted))
    it(`is one with ${fault}`, async () => {
      const [first] = (await shown('3.0', fault)).filter((one) => words.test(one));
      const due = faults.get(fault)?.rows ?? [];
      expect(
        due.some((row) => first?.endsWith(` ${row}`)),
        `${first}, and not ${due.join()}`,
      ).to.equal(true);
    });

  it('is one when it takes the UUID of another machine', async () => {
    expect(await shown('7.2', 'uuid-unchecked')).to.deep.equal(['a malformed stream is loaded MIG-STR-HDR-10']);
  });
});
