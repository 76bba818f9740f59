import { expect } from 'chai';
import fc from 'fast-check';
import { renderEntries, renderEntry, visible } from '../../protocol/render.js';
import { type Entry, Transcript } from '../../protocol/transcript.js';

const entry: Entry = { n: 7, time: 12.34, at: 'source', kind: 'received', text: '{"return": {}}' };

describe('rendering', () => {
  it("is QMP's own notation", () => {
    expect(renderEntry(entry)).to.equal('   7 <- {"return": {}}');
    expect(renderEntry({ ...entry, kind: 'sent', text: '{"execute":"stop"}\n' })).to.equal(
      '   7 -> {"execute":"stop"}',
    );
    expect(renderEntry({ ...entry, kind: 'eof', text: '' })).to.equal('   7 -- end of file');
    expect(renderEntry({ ...entry, kind: 'exited', text: 'exit status 1' })).to.equal('   7 -- exited: exit status 1');
    expect(renderEntry({ ...entry, kind: 'stderr', text: 'oops' })).to.equal('   7 !! oops');
    expect(renderEntry({ ...entry, stale: true })).to.match(/ \(stale\)$/);
  });

  it('tells times and points when asked', () => {
    expect(renderEntry(entry, { times: true, pointAt: 7 })).to.equal('   7     12.3 ms <- {"return": {}}   <-- here');
    expect(renderEntry(entry, { pointAt: 6 })).not.to.contain('here');
  });

  it('names endpoints only where there are several', () => {
    const transcript = new Transcript();
    transcript.add('source', 'sent', 'a');
    expect(renderEntries(transcript.entries)).to.deep.equal(['   0 -> a']);
    transcript.add('destination', 'sent', 'b');
    expect(renderEntries(transcript.entries)).to.deep.equal(['   0 source -> a', '   1 destination -> b']);
  });

  it('cuts long texts and tells their length', () => {
    const line = renderEntry({ ...entry, text: 'x'.repeat(500) }, { width: 20 });
    expect(line).to.equal(`   7 <- ${'x'.repeat(20)}… (500 characters)`);
  });

  it('shows every control and non-ASCII byte', () => {
    expect(visible('a\tb\r\n')).to.equal('a\\tb');
    expect(visible('\x1b[31m\xff\0')).to.equal('\\x1b[31m\\xff\\x00');
    fc.assert(
      fc.property(fc.uint8Array(), (array) => {
        expect(visible(Buffer.from(array).toString('latin1'))).to.match(/^[\x20-\x7e]*$/);
      }),
    );
  });
});
