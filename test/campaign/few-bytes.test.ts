/** A destination that looks at the first four bytes of a connection until they are there (MIG-DEF-36). */
import { expect } from 'chai';
import { attempt } from '../../campaign/attempt.js';
import { broughtTooFew, withFewBytes } from '../../campaign/few-bytes.js';
import type { Symptom } from '../../campaign/symptom.js';
import { Transcript } from '../../protocol/transcript.js';
import { qemuTarget } from '../../targets/executable.js';
import { learnFacts } from '../../targets/facts.js';
import { channelUri, type Scenario } from '../../targets/scenario.js';
import { realQemu } from '../targets/real-qemu.js';

const silent: Symptom = {
  kind: 'hang',
  subject: 'no reply to status',
  rows: [],
  state: 'outgoing none, incoming active',
  expected: ['a reply'],
  got: 'no reply to query-migrate within 5000 ms',
};

function fed(...events: readonly string[]): Transcript {
  const transcript = new Transcript();
  for (const text of events) transcript.add('channel fed', 'channel', text);
  return transcript;
}

const kinds = (transcript: Transcript, symptom = silent, defects = ['MIG-DEF-36']) =>
  withFewBytes([symptom], transcript, new Set(defects)).map(({ kind, defect }) => defect ?? kind);

/** A destination that may be sent several channels, fed with the beginning of a stream. */
const scenario = (cut: number): Scenario => ({
  scenario: 1,
  steps: [
    {
      do: 'start',
      at: 'destination',
      options: { incoming: channelUri('fed'), extra: ['-global', 'migration.x-multifd=on'] },
    },
    { do: 'connect', at: 'destination' },
    { do: 'feed', channel: 'fed', parts: ['header'], cut },
    { do: 'command', at: 'destination', execute: 'query-status' },
  ],
});

describe('a connection that brings fewer than four bytes', () => {
  it('explains a process that answers nobody', () => {
    expect(kinds(fed('connected', 'sent 1 bytes', 'cut'))).to.deep.equal(['MIG-DEF-36']);
    expect(kinds(fed('connected', 'sent 3 bytes'))).to.deep.equal(['MIG-DEF-36']);
    expect(kinds(fed('connected', 'sent 2 bytes', 'cut', 'connected', 'sent 8 bytes'))).to.deep.equal(['MIG-DEF-36']);
  });

  it('explains nothing else, and nothing of a release without it', () => {
    expect(broughtTooFew(fed('connected', 'cut').entries)).to.equal(false);
    expect(kinds(fed('connected', 'sent 4 bytes', 'cut'))).to.deep.equal(['hang']);
    expect(kinds(fed('connected', 'sent 2 bytes', 'sent 2 bytes: header'))).to.deep.equal(['hang']);
    expect(kinds(fed('connected', 'sent 1 bytes'), silent, [])).to.deep.equal(['hang']);
    const stays: Symptom = { ...silent, subject: 'stays active after its channel was closed' };
    expect(kinds(fed('connected', 'sent 1 bytes'), stays)).to.deep.equal(['hang']);
  });

  it('is what a real QEMU 10.0 does with multifd', async function () {
    const target = qemuTarget('qemu', realQemu(this, process.env.QMPSPEC_QEMU_10 ?? 'qemu-10'));
    const first = await target.start();
    const facts = await learnFacts(first);
    await first.dispose();
    const seen = async (cut: number) => {
      const { symptoms } = await attempt(scenario(cut), { target, facts, strictDesc: false, deadline: 700 });
      return symptoms.map(({ kind, defect }) => defect ?? kind);
    };
    expect(await seen(3))
      .to.include('MIG-DEF-36')
      .and.not.include('hang');
    // It refuses four other bytes, too, and ends.
    expect(await seen(4)).to.not.include('MIG-DEF-36');
    await target.close();
  });
});
