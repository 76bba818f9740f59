import { expect } from 'chai';
import type { Evidence } from '../../campaign/diagnose.js';
import { stuckSymptoms } from '../../campaign/stuck.js';
import { Transcript } from '../../protocol/transcript.js';

/** The defect that a source which stays in a status is told to have; `hang` where it is none that is known. */
function told(
  status: string,
  peer: readonly string[],
  defects: readonly string[],
  remaining = 4096,
): string | undefined {
  let time = 0;
  const transcript = new Transcript({}, { now: () => time });
  transcript.add('channel c', 'channel', 'connection 1: accepted');
  for (const text of peer) transcript.add('channel c', 'channel', text);
  transcript.add('channel c', 'channel', 'cut');
  for (; time < 5000; time += 500) {
    transcript.add(
      'source',
      'received',
      `{"return": {"status": "${status}", "ram": {"remaining": ${remaining}}}, "id": "qs1.${time}"}`,
    );
  }
  const judge = { states: () => [] };
  const [symptom] = stuckSymptoms({ transcript, judge, defects: new Set(defects) } as unknown as Evidence);
  return symptom?.defect ?? symptom?.kind;
}

/** … of one that was told to cancel, and whose channel nobody of us closed. */
function toldOfCancel(capability: string | undefined, peer: readonly string[]): string | undefined {
  let time = 0;
  const transcript = new Transcript({}, { now: () => time });
  transcript.add('source', 'started', '{}');
  const state = true;
  if (capability !== undefined)
    transcript.add('source', 'sent', JSON.stringify({ arguments: { capabilities: [{ capability, state }] } }));
  for (const text of peer) transcript.add('channel c', 'channel', text);
  transcript.add('source', 'sent', '{"execute":"migrate_cancel","id":"qs1.1"}');
  for (; time < 5000; time += 500)
    transcript.add('source', 'received', `{"return": {"status": "cancelling"}, "id": "qs1.${time}"}`);
  const judge = { states: () => [] };
  const [symptom] = stuckSymptoms({ transcript, judge, defects: new Set() } as unknown as Evidence);
  return symptom?.kind;
}

describe('a source that goes on cancelling', () => {
  it('hangs: a cancel closes the channel by itself', () => {
    expect(toldOfCancel(undefined, ['connection 1: accepted'])).to.equal('hang');
    expect(toldOfCancel('events', ['connection 1: accepted'])).to.equal('hang');
  });

  it('waits for its connection, or for what comes back', () => {
    expect(toldOfCancel(undefined, [])).to.equal(undefined);
    expect(toldOfCancel(undefined, ['the queue at /c is full', 'connection 1: accepted'])).to.equal(undefined);
    expect(toldOfCancel('return-path', ['connection 1: accepted'])).to.equal(undefined);
  });
});

describe('a source whose status does not change when its channel is gone', () => {
  const newer = ['MIG-DEF-31'];
  const older = ['MIG-DEF-10', 'MIG-DEF-32'];
  const [shut, bitmap, ack] = ['sent 0001000400000000', 'sent 0005000101', 'sent 0006000400000001'];

  it('is a hang', () => {
    expect(told('active', [], [...newer, ...older])).to.equal('hang');
    expect(told('postcopy-active', [], [...newer, ...older])).to.equal('hang');
    expect(told('completed', [], [])).to.equal(undefined);
  });

  it('has MIG-DEF-31 where its peer said SHUT, or acknowledged before its bitmaps', () => {
    expect(told('postcopy-recover', [shut], newer)).to.equal('MIG-DEF-31');
    expect(told('postcopy-recover', [], newer)).to.equal('hang');
    expect(told('postcopy-active', [ack], newer)).to.equal('MIG-DEF-31');
    expect(told('postcopy-active', [bitmap, ack], newer)).to.equal('hang');
  });

  it('has MIG-DEF-32 where its peer had everything, and MIG-DEF-10 whatever the peer did', () => {
    expect(told('postcopy-active', ['connection 1: the stream has ended'], older)).to.equal('MIG-DEF-32');
    expect(told('postcopy-active', [], older, 0)).to.equal('MIG-DEF-32');
    expect(told('postcopy-active', [], older)).to.equal('hang');
    expect(told('postcopy-recover', [], older)).to.equal('MIG-DEF-10');
  });
});
