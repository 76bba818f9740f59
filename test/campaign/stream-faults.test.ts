import { expect } from 'chai';
import { attempt } from '../../campaign/attempt.js';
import { SimulatedWorld } from '../../simulation/world.js';
import { InProcessTarget } from '../../targets/in-process/target.js';
import { channelUri, imageOf, type Scenario } from '../../targets/scenario.js';
import { baselineFacts } from '../oracle/scripted-target.js';

/** A migration of a guest with content to a peer of ours. */
const scenario: Scenario = {
  scenario: 1,
  steps: [
    { do: 'start', at: 'source', options: { ramImage: imageOf(1) } },
    { do: 'connect', at: 'source' },
    { do: 'peer', channel: 'a', behaviour: 'answer' },
    { do: 'command', at: 'source', execute: 'migrate', arguments: { uri: channelUri('a') } },
    { do: 'status', at: 'source', is: ['completed', 'failed'] },
  ],
};

async function subjects(...faults: readonly string[]): Promise<string[]> {
  const world = new SimulatedWorld(1);
  const target = new InProcessTarget({ dialect: '3.0', faults, world: world.target });
  const run = attempt(scenario, { target, facts: baselineFacts, strictDesc: false, world: world.stage });
  const { symptoms } = await world.scheduler.drive(run, 60_000);
  world.end();
  return symptoms.map(({ kind, subject }) => `${kind}: ${subject}`);
}

describe('what a source sends to a peer of ours', () => {
  it('is no symptom where it is as it should be', async () => {
    expect(await subjects()).to.deep.equal([]);
  });

  const planted = {
    'footers-lost': /footer mark/,
    'zero-fill-byte-wrong': /ZERO record with fill byte/,
    'zero-pages-whole': /PAGE record of an all-zero page/,
    'page-damaged': /is not what the guest has there/,
    'page-misplaced': /is not what the guest has there/,
  };
  for (const [fault, words] of Object.entries(planted)) {
    it(`is one with ${fault}`, async () => {
      expect((await subjects(fault)).join())
        .to.match(words)
        .and.contain('garbage: a migration stream');
    });
  }
});
