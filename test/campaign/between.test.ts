import { expect } from 'chai';
import { attempt } from '../../campaign/attempt.js';
import { SimulatedWorld } from '../../simulation/world.js';
import { InProcessTarget } from '../../targets/in-process/target.js';
import { channelUri, type Scenario, type Step } from '../../targets/scenario.js';
import { baselineFacts } from '../oracle/scripted-target.js';

const uri = channelUri('pair');
const steps: readonly Step[] = [
  { do: 'start', at: 'source' },
  { do: 'connect', at: 'source' },
  { do: 'start', at: 'destination', options: { incoming: uri } },
  { do: 'command', at: 'source', execute: 'migrate', arguments: { uri } },
  { do: 'status', at: 'source', is: ['completed', 'failed'] },
];

async function shown(steps: readonly Step[], ...faults: readonly string[]): Promise<string> {
  const world = new SimulatedWorld(1);
  const target = new InProcessTarget({ dialect: '3.0', faults, world: world.target });
  const scenario: Scenario = { scenario: 1, steps };
  const run = attempt(scenario, { target, facts: baselineFacts, strictDesc: false, world: world.stage });
  const { symptoms } = await world.scheduler.drive(run, 60_000);
  world.end();
  return symptoms.map(({ subject }) => subject).join();
}

describe('a migration between two that are alike', () => {
  it('is loaded', async () => {
    expect(await shown(steps)).to.equal('');
  });

  for (const fault of ['machine-name-wrong', 'ram-instance-wrong'])
    it(`is a symptom where it is refused: ${fault}`, async () => {
      expect(await shown(steps, fault)).to.equal('a destination refuses what its like has sent');
    });

  it('is none where the machines differ, or the migration was cancelled', async () => {
    const [source, connect, destination, ...rest] = steps as [Step, Step, Step, ...Step[]];
    const other: Step = { do: 'start', at: 'source', options: { name: 'other' } };
    expect(await shown([other, connect, destination, ...rest], 'machine-name-wrong')).to.equal('');
    const cancel: Step = { do: 'command', at: 'source', execute: 'migrate_cancel' };
    const [migrate, ...wait] = rest as [Step, ...Step[]];
    expect(await shown([source, connect, destination, migrate, cancel, ...wait], 'machine-name-wrong')).to.equal('');
  });
});
