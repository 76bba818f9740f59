/** A reader of the return path that was left waiting, and what the next migration makes of it (MIG-DEF-26). */
import { expect } from 'chai';
import { mayHang, withLeftOpen } from '../../campaign/left-open.js';
import type { Symptom } from '../../campaign/symptom.js';
import { Transcript } from '../../protocol/transcript.js';

const told = (...statuses: readonly string[]): Transcript => {
  const transcript = new Transcript();
  for (const status of statuses) {
    transcript.add('source', 'received', JSON.stringify({ event: 'MIGRATION', data: { status } }));
  }
  return transcript;
};

const hang = (transcript: Transcript, status: string): Symptom => ({
  kind: 'hang',
  subject: `stays ${status} after its channel was closed`,
  rows: ['MIG-SM-O40'],
  state: `outgoing ${status}`,
  expected: ['another status'],
  got: `${status} for 4500 ms`,
  entry: transcript.entries.length,
});

const kinds = (transcript: Transcript, status: string, defects = ['MIG-DEF-26']): readonly string[] =>
  withLeftOpen([hang(transcript, status)], transcript, new Set(defects)).map(({ kind }) => kind);

describe('a return path that was left open', () => {
  for (const end of ['cancelling', 'failed']) {
    it(`explains that the next migration hangs, after a postcopy that went from postcopy-active to ${end}`, () => {
      const transcript = told('setup', 'active', 'postcopy-active', end, 'setup', 'active');
      expect(kinds(transcript, 'active')).to.deep.equal(['known-defect']);
      expect(kinds(transcript, 'cancelling')).to.deep.equal(['known-defect']);
    });
  }

  it('explains that a process which was told to end remains, and answers nothing', () => {
    const silent = (transcript: Transcript): Symptom => {
      const { entry: _, ...without } = hang(transcript, 'failed');
      return { ...without, subject: 'no reply to status', got: 'no reply to query-migrate within 5000 ms' };
    };
    const kindsOf = (transcript: Transcript) =>
      withLeftOpen([silent(transcript)], transcript, new Set(['MIG-DEF-26'])).map(({ kind }) => kind);
    const cut = told('setup', 'active', 'postcopy-active', 'failed');
    expect(kindsOf(cut)).to.deep.equal(['hang']);
    const paused = told('setup', 'active', 'postcopy-active', 'postcopy-paused');
    for (const transcript of [cut, paused]) {
      transcript.add('source', 'received', '{"timestamp": {}, "event": "SHUTDOWN", "data": {"guest": false}}');
    }
    expect(kindsOf(cut)).to.deep.equal(['known-defect']);
    expect(kindsOf(paused)).to.deep.equal(['hang']);
  });

  it('explains nothing else, and nothing of a release without it', () => {
    const cut = told('setup', 'active', 'postcopy-active', 'failed', 'setup', 'active');
    expect(kinds(cut, 'setup')).to.deep.equal(['hang']);
    expect(kinds(cut, 'active', [])).to.deep.equal(['hang']);
    expect(kinds(told('setup', 'active', 'failed', 'setup', 'active'), 'active')).to.deep.equal(['hang']);
    expect(kinds(told('postcopy-active', 'postcopy-paused', 'failed', 'active'), 'active')).to.deep.equal(['hang']);
  });
});

describe('a postcopy that was cut short while nobody asked for events', () => {
  it('is told by query-migrate, and by what was asked for', () => {
    const transcript = new Transcript();
    for (const status of ['postcopy-active', 'cancelled', 'active'])
      transcript.add('source', 'received', JSON.stringify({ return: { status } }));
    expect(kinds(transcript, 'active')).to.deep.equal(['known-defect']);
    const unseen = new Transcript();
    const both = '{"execute":"migrate-start-postcopy"}\n{"execute":"migrate_cancel"}\n';
    unseen.add('source', 'sent', both);
    expect(mayHang(unseen, new Set(['MIG-DEF-26']))).to.equal(true);
    expect(mayHang(new Transcript(), new Set(['MIG-DEF-26']))).to.equal(false);
  });
});
