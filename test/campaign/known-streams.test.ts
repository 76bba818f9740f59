/** Streams that are broken as releases are known for: no discard (MIG-DEF-47), greetings that are not clean (MIG-DEF-52). */
import { expect } from 'chai';
import { attempt } from '../../campaign/attempt.js';
import { withKnownStreams } from '../../campaign/known-streams.js';
import type { Symptom } from '../../campaign/symptom.js';
import { defectsOf } from '../../oracle/known-defects.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import { SimulatedWorld } from '../../simulation/world.js';
import { InProcessTarget } from '../../targets/in-process/target.js';
import { channelUri, type Scenario } from '../../targets/scenario.js';
import { baselineFacts } from '../oracle/scripted-target.js';

const scenario: Scenario = {
  scenario: 1,
  steps: [
    { do: 'start', at: 'source' },
    { do: 'connect', at: 'source' },
    {
      do: 'command',
      at: 'source',
      execute: 'migrate-set-capabilities',
      arguments: { capabilities: [{ capability: 'postcopy-ram', state: true }] },
    },
    { do: 'peer', channel: 'link', behaviour: 'answer' },
    {
      do: 'pipeline',
      at: 'source',
      commands: [{ execute: 'migrate', arguments: { uri: channelUri('link') } }, { execute: 'migrate-start-postcopy' }],
    },
    { do: 'status', at: 'source', is: ['completed', 'failed', 'postcopy-paused'], deadline: 1000 },
  ],
};

/** What a source of that release shows that switches with this fault. */
async function shown(version: string, fault: string): Promise<string[]> {
  const facts = { ...baselineFacts, version, dialect: dialects['10.0'], schema: loadSchema('10.0') };
  const world = new SimulatedWorld(1);
  const target = new InProcessTarget({ dialect: '10.0', faults: [fault], world: world.target });
  const run = attempt(scenario, { target, facts, strictDesc: false, world: world.stage });
  const { symptoms } = await world.scheduler.drive(run, 60_000);
  world.end();
  return symptoms.map(({ kind, defect }) => defect ?? kind);
}

describe('a switch to postcopy without a discard', () => {
  it('is what releases from 10.1 on are known for', async () => {
    expect(await shown('10.1.0', 'discard-lost')).to.deep.equal(['MIG-DEF-47']);
    expect(await shown('11.1.0', 'discard-lost')).to.deep.equal(['MIG-DEF-47']);
  });

  it('is a broken stream of any other release, and hides nothing else that breaks one', async () => {
    expect(await shown('10.0.0', 'discard-lost')).to.deep.equal(['garbage']);
    expect(await shown('7.2.0', 'discard-lost')).to.deep.equal(['garbage']);
    expect(await shown('11.1.0', 'package-ping-lost')).to.not.include('MIG-DEF-47');
    expect(await shown('11.1.0', 'package-ping-lost')).to.include('garbage');
  });
});

describe('a greeting of a data channel with something in reserve', () => {
  const symptom: Symptom = {
    kind: 'garbage',
    subject: 'a migration stream that breaks the format',
    rows: ['MIG-MFD-INIT-03'],
    state: '',
    expected: ['a stream that a destination can load'],
    got: 'offset 4711: a greeting has 5a5a in reserve (multifd §1)',
    entry: 1,
  };
  const told = (major: number, minor: number) =>
    withKnownStreams([symptom], defectsOf({ major, minor })).map(({ kind, defect }) => defect ?? kind);

  it('is what releases before 5.2 are known for', () => {
    expect(told(4, 2)).to.deep.equal(['MIG-DEF-52']);
    expect(told(5, 2)).to.deep.equal(['garbage']);
    expect(told(10, 0)).to.deep.equal(['garbage']);
  });
});
