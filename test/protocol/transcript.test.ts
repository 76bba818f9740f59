import { expect } from 'chai';
import fc from 'fast-check';
import { linesIn } from '../../protocol/lines.js';
import { type EntryKind, entryKinds, entryValue, Transcript, TranscriptError } from '../../protocol/transcript.js';

const bytes = fc.uint8Array().map((array) => Buffer.from(array).toString('latin1'));
const entry = fc.record({
  at: fc.constantFrom('source', 'source#2', 'destination'),
  kind: fc.constantFrom<EntryKind>(...entryKinds),
  text: fc.oneof(bytes, fc.string({ unit: 'grapheme' }), fc.constant('{"a": 12345678901234567890}')),
  stale: fc.boolean(),
});

const recorded = (entries: readonly { at: string; kind: EntryKind; text: string; stale: boolean }[]): Transcript => {
  const transcript = new Transcript({ target: 'qemu', dialect: '7.2', began: '2024-01-01T00:00:00.000Z' });
  for (const { at, kind, text, stale } of entries) transcript.add(at, kind, text, { stale });
  return transcript;
};

const sample = () =>
  recorded([
    { at: 'source', kind: 'sent', text: '{"execute":"stop"}', stale: false },
    { at: 'source', kind: 'received', text: '{"return": {}}', stale: true },
    { at: 'source', kind: 'note', text: 'a\nb', stale: false },
  ]);

describe('transcript files', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
        const transcript = recorded(entries);
        const again = Transcript.fromJsonLines(transcript.toJsonLines());
        expect(again.entries).to.deep.equal(transcript.entries);
        expect(again.header).to.deep.equal(transcript.header);
        expect(again.toJsonLines()).to.equal(transcript.toJsonLines());
      }),
    );
  });

  it('are the same however the pieces part in which a file is read', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 4 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 90 })),
        (entries, cuts) => {
          const transcript = recorded(entries);
          const bytes = Buffer.from(transcript.toJsonLines());
          const pieces: Buffer[] = [];
          for (let from = 0; from < bytes.length; ) {
            const piece = bytes.subarray(from, from + cuts.next().value);
            pieces.push(piece);
            from += piece.length;
          }
          expect(Transcript.fromLines(linesIn(pieces)).entries).to.deep.equal(transcript.entries);
          const cut = [...pieces.slice(0, -1), (pieces.at(-1) as Buffer).subarray(0, -1)];
          expect(() => Transcript.fromLines(linesIn(cut))).to.throw(/the footer is missing/);
        },
      ),
    );
  });

  it('keep the numbers of their entries when older and newer ones are let go of', () => {
    const transcript = recorded(
      Array.from({ length: 10 }, (_, i) => ({ at: 'source', kind: 'note' as const, text: `${i}`, stale: false })),
    );
    transcript.keepOnly(3, 6);
    expect(transcript.entries.map(({ n, text }) => `${n} ${text}`)).to.deep.equal(['3 3', '4 4', '5 5', '6 6']);
    expect(transcript.footer.entries).to.equal(10);
    expect(transcript.add('source', 'note', 'next').n).to.equal(10);
    transcript.keepOnly(5, Number.POSITIVE_INFINITY);
    expect(transcript.entries.map(({ n }) => n)).to.deep.equal([5, 6, 10]);
  });

  it('that were cut off anywhere are recognised', () => {
    const text = recorded([{ at: 'source', kind: 'sent', text: 'x'.repeat(20), stale: false }]).toJsonLines();
    for (let length = 0; length < text.length - 1; length++) {
      expect(() => Transcript.fromJsonLines(text.slice(0, length)), `${length} of ${text.length}`).to.throw(
        TranscriptError,
      );
    }
    expect(() => Transcript.fromJsonLines(text.slice(0, -40))).to.throw(/the footer is missing: the file was cut off/);
  });

  const fault = (change: (lines: string[]) => string[] | string): string => {
    const changed = change(sample().toJsonLines().trimEnd().split('\n'));
    try {
      Transcript.fromJsonLines(typeof changed === 'string' ? changed : `${changed.join('\n')}\n`);
    } catch (error) {
      expect(error).to.be.instanceOf(TranscriptError);
      return (error as Error).message;
    }
    return 'no fault was found';
  };

  const faults: [string, (lines: string[]) => string[] | string, RegExp][] = [
    ['empty', () => '', /^line 1 of the transcript: the file is empty$/],
    ['without its header', (lines) => lines.slice(1), /^line 1 .*does not begin with a transcript header/],
    ['of another format', (lines) => ['{"transcript": 99}', ...lines.slice(1)], /format 99 is not known; .* reads 1/],
    ['with garbage in it', (lines) => lines.with(2, 'garbage'), /^line 3 .*it is not JSON/],
    ['with a list in it', (lines) => lines.with(2, '[]'), /^line 3 .*it is not a JSON object/],
    ['without one of its entries', (lines) => lines.toSpliced(2, 1), /^line 3 .*entry 1 was expected, not 2/],
    [
      'with an entry twice',
      (lines) => lines.toSpliced(2, 0, lines[1] as string),
      /^line 3 .*entry 1 was expected, not 0/,
    ],
    ['without its last entry', (lines) => lines.toSpliced(3, 1), /the footer counts 3 entries, the file has 2/],
    ['without its footer', (lines) => lines.slice(0, -1), /^line 4 .*the footer is missing: the file was cut off/],
    ['that goes on', (lines) => [...lines, ...lines], /^line 6 .*the file goes on after its footer/],
    [
      'with an unknown kind',
      (lines) => lines.with(1, '{"n":0,"time":1,"at":"a","kind":"x","text":""}'),
      /'x' is not a kind/,
    ],
    [
      'with a faulty entry',
      (lines) => lines.with(1, '{"n":0,"at":"a","kind":"sent","text":""}'),
      /^line 2 .*needs a number/,
    ],
  ];
  for (const [name, change, message] of faults) {
    it(`${name} are refused by name and line`, () => expect(fault(change)).to.match(message));
  }
});

describe('transcript', () => {
  it('numbers entries and tells followers of them until they leave', () => {
    const transcript = new Transcript();
    const heard: number[] = [];
    const leave = transcript.follow(({ n }) => heard.push(n));
    transcript.add('source', 'note', 'a');
    transcript.add('source', 'note', 'b');
    leave();
    transcript.add('source', 'note', 'c');
    expect(heard).to.deep.equal([0, 1]);
    expect(transcript.entries.map(({ n }) => n)).to.deep.equal([0, 1, 2]);
  });

  it('gives the value of a message, UTF-8 understood', () => {
    const text = Buffer.from('{"a": "é€"}', 'utf8').toString('latin1');
    const entry = new Transcript().add('source', 'received', text);
    expect(entryValue(entry)).to.deep.equal({ a: 'é€' });
    expect(entryValue({ ...entry, text: 'no' })).to.equal(undefined);
  });
});
