import { expect } from 'chai';
import { attempt } from '../../campaign/attempt.js';
import { sweepsOf } from '../../generators/scenario/sweep.js';
import { transfer, transfersOf } from '../../generators/scenario/transfers.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { faults } from '../../reference/faults/index.js';
import { loadSchema } from '../../reference/schema/index.js';
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
  return shownBy(scenario, ...faults);
}

async function shownBy(one: Scenario, ...planted: readonly string[]): Promise<string[]> {
  const world = new SimulatedWorld(1);
  const target = new InProcessTarget({ dialect: '3.0', faults: planted, world: world.target });
  const run = attempt(one, { target, facts: baselineFacts, strictDesc: false, world: world.stage });
  const { symptoms } = await world.scheduler.drive(run, 60_000);
  world.end();
  return symptoms.map(({ kind, subject, rows }) => `${kind}: ${subject} ${accused(rows, planted)}`);
}

/** Whether a finding is filed under a requirement that the fault breaks. */
const accused = (rows: readonly string[], planted: readonly string[]): string => {
  const due = planted.flatMap((name) => faults.get(name)?.rows ?? []);
  return due.some((row) => rows.includes(row)) ? '(rightly)' : `(${rows.join()} for ${due.join()})`;
};

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
    'every-record-named': /names its block once more/,
    'description-lost': /without a description/,
    'description-empty': /describes timer of N bytes not at all/,
    'description-sizes-wrong': /the vmdescription has .* of N bytes|describes timer of N bytes as N bytes/,
    'end-section-lost': /is never ended/,
    'page-twice': /comes twice in one section/,
    'run-state-stored-wrong': /globalstate says paused/,
    'globalstate-lost': /has no section globalstate/,
  };
  for (const [fault, words] of Object.entries(planted)) {
    it(`is one with ${fault}`, async () => {
      expect((await subjects(fault)).join())
        .to.match(words)
        .and.match(/garbage: a migration stream.*\(rightly\)/);
    });
  }

  const openings = Array.from({ length: transfersOf({ dialect: dialects['3.0'] }) }, (_, n) =>
    transfer([n], { dialect: dialects['3.0'] }),
  );
  const withCapability = (name: string) =>
    openings.filter(
      ({ steps }) => JSON.stringify(steps).includes(`"${name}"`) && steps.some((step) => step.do === 'peer'),
    );

  it('is no symptom with any capability', async () => {
    for (const one of openings) expect(await shownBy(one), JSON.stringify(one.steps)).to.deep.equal([]);
  });

  it('is one with compressed-page-cut', async () => {
    const [one] = withCapability('compress');
    expect((await shownBy(one as Scenario, 'compressed-page-cut')).join()).to.match(/no complete zlib stream/);
  });

  const channels = {
    'multifd-ids-alike': /two data channels have the id N/,
    'multifd-greeting-wrong': /failed to receive packet via multifd channel/,
    'multifd-offset-wrong': /garbage: a migration stream/,
    'multifd-page-lost': /never came/,
    'multifd-sync-lost': /packets with SYNC/,
    'multifd-sync-twice': /packets with SYNC/,
    'multifd-flags-wrong': /a packet has flags/,
  };
  for (const [fault, words] of Object.entries(channels)) {
    it(`is one with ${fault}`, async () => {
      const [one] = withCapability('x-multifd');
      expect((await shownBy(one as Scenario, fault)).join()).to.match(words);
    });
  }

  it('is one with multifd-uuid-lost', async () => {
    const one = openings.find(({ steps }) => JSON.stringify(steps).includes('"-uuid"'));
    expect((await shownBy(one as Scenario, 'multifd-uuid-lost')).join()).to.match(/UUID .* of a machine/);
  });

  it('is one with zero-page-lost', async () => {
    const [start, ...steps] = scenario.steps;
    const empty = { ...scenario, steps: [{ do: 'start', at: 'source' } as const, ...steps] };
    expect(start?.do).to.equal('start');
    expect((await shownBy(empty, 'zero-page-lost')).join()).to.match(/never came/);
  });

  const postcopy = {
    'discard-short': /was not discarded/,
    'advise-page-size-wrong': /advise of RAM page sizes/,
    'package-ping-lost': /the package has no PING/,
    'package-without-devices': /the package has no section timer/,
  };
  for (const [fault, words] of Object.entries(postcopy)) {
    it(`is one with ${fault}`, async () => {
      const [one] = withCapability('postcopy-ram');
      expect((await shownBy(one as Scenario, fault)).join()).to.match(words);
    });
  }

  const compression = { 'compressed-named': /names its block once more/, 'compress-level-ignored': /is not of level/ };
  for (const [fault, words] of Object.entries(compression)) {
    it(`is one with ${fault}`, async () => {
      const [one] = withCapability('compress');
      expect((await shownBy(one as Scenario, fault)).join()).to.match(words);
    });
  }
});

describe('what is said ahead of the negotiation, and to a second monitor', () => {
  const sweeps = sweepsOf(dialects['3.0'], loadSchema('3.0'));
  const first = sweeps[0] as Scenario;
  const last = sweeps.at(-1) as Scenario;

  it('is no symptom where it is as it should be', async () => {
    for (const one of [first, last]) expect(await shownBy(one)).to.deep.equal([]);
  });

  for (const fault of ['negotiation-optional', 'negotiation-error-class']) {
    it(`is one with ${fault}`, async () => {
      expect((await shownBy(first, fault)).join()).to.contain('of query-status');
    });
  }

  const more = {
    'negotiation-shared': /./,
    'null-id-dropped': /./,
    'text-as-number': /success of migrate-set-parameters/,
    'integers-in-doubles': /query-migrate-parameters/,
    'first-argument-wins': /query-migrate-parameters/,
    'cont-in-postcopy-accepted': /success of cont/,
    'requests-ignored': /was asked for, and others come instead/,
    'postcopy-block-unnamed': /the first page behind the switch goes on/,
    'released-ram-kept': /memory that was released/,
  };
  const late = sweeps.slice(-8);
  it('is no symptom at the end of a sweep', async () => {
    for (const one of late) expect(await shownBy(one), JSON.stringify(one.steps)).to.deep.equal([]);
  });
  for (const [fault, words] of Object.entries(more)) {
    it(`is one with ${fault}`, async () => {
      let shown = '';
      for (const one of late) shown += (await shownBy(one, fault)).join();
      expect(shown).to.match(words);
    });
  }

  it('is one with timestamps-differ', async () => {
    expect((await shownBy(last, 'timestamps-differ')).join()).to.contain('divergence: event');
  });
});
