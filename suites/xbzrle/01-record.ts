/** xbzrle.md §1, §2, §5: records and deltas on the wire. */
import { encodeXbzrle } from '../../reference/ram/xbzrle-encode.js';
import { RamFlag } from '../../reference/stream/format.js';
import { ChapterBuilder } from '../requirement.js';
import { block } from '../state-machine/feed.js';
import { takes } from '../stream-format/accepted-row.js';
import { captureNeeds } from '../stream-format/capture.js';
import { failNeeds, loadNeeds, pageOf, ramPart, ramStart, refuses } from '../stream-format/loading.js';
import { contentOf, type Edit, edits, kindsOf, migratedWithChanges, pageSize } from './changing.js';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** The delta that takes a page from its first content to its second: the encoding leaves no choice. */
function deltaOf(edit: Edit): Buffer {
  const out = Buffer.alloc(2 * pageSize);
  const length = encodeXbzrle(contentOf(edit, 0), 0, contentOf(edit, 1), 0, out);
  return out.subarray(0, Math.max(0, length));
}

/** Deltas that no destination takes. */
const bad: readonly (readonly [string, string, string])[] = [
  ['one', 'a single byte', '00'],
  ['length', 'a length without its data', '05'],
  ['wide', 'a length of two bytes without its data', '8501'],
  ['empty', 'a data run of no bytes', '050001'],
  ['second', 'a second run of no zeros', '000141000142'],
  ['three', 'a length of three bytes', '8080010141'],
  ['behind', 'data behind the end of the page', 'ff1f024142'],
  ['outside', 'a zero run beyond the page', '80200141'],
  ['short', 'a data run longer than the delta', '00054142'],
  ['tail', 'a zero run at the end', '00014107'],
  ['tail-two', 'a zero run and a length at the end', '0001410700'],
];

const builder = new ChapterBuilder(['XBZRLE', '1 Records and deltas'], 'xbzrle.md §1, §2', {
  ...captureNeeds,
  capabilities: ['xbzrle'],
  parameters: ['xbzrle-cache-size'],
})
  .must('MIG-XBZ-REC-01', 'a changed page goes as the delta that the encoding prescribes', async (t) => {
    const [, recording] = await migratedWithChanges(t);
    for (const edit of ['delta', 'sparse', 'tail'] as const) {
      const records = recording.pages.filter(
        ({ offset, kind }) => offset === edits[edit] * pageSize && kind === RamFlag.xbzrle,
      );
      t.same(records.length, 1, `deltas of the page '${edit}'`);
      t.same(records[0]?.payload.toString('hex'), deltaOf(edit).toString('hex'), `delta of the page '${edit}'`);
    }
  })
  .must('MIG-XBZ-REC-02', 'a page whose delta does not fit goes whole', async (t) => {
    const [, recording] = await migratedWithChanges(t);
    for (const edit of ['whole', 'dense'] as const) {
      const fits = deltaOf(edit).length > 0;
      const due = fits ? RamFlag.xbzrle : RamFlag.page;
      t.same(kindsOf(recording, edits[edit]).at(-1), due, `last record of the page '${edit}'`);
    }
  })
  .must('MIG-XBZ-REC-03', 'a page that has not changed is not sent', async (t) => {
    const [, recording] = await migratedWithChanges(t);
    const kinds = kindsOf(recording, edits.same);
    t.check(
      kinds.every((kind) => kind === RamFlag.page) && kinds.length <= 2,
      'a PAGE in each of two passes',
      kinds.join(' '),
    );
  })
  .must('MIG-XBZ-REC-04', 'the deltas are at most a page long and leave the RAM of the source', async (t) => {
    const [, recording] = await migratedWithChanges(t);
    const deltas = recording.pages.filter(({ kind }) => kind === RamFlag.xbzrle);
    t.check(deltas.length >= 4, 'at least four deltas', `${deltas.length}`);
    for (const { payload } of deltas)
      t.check(payload.length >= 1 && payload.length <= pageSize, '1 to 4096 bytes', `${payload.length}`);
  })
  .must(
    'MIG-XBZ-DEC-01',
    'a destination applies every well-formed delta, capability or not',
    (t) => takes(t, 'MIG-XBZ-DEC-01'),
    { needs: loadNeeds },
  )
  .must(
    'MIG-XBZ-DEC-02',
    'deltas follow one another, and a delta may come with a block name, on a page that never came',
    (t) => takes(t, 'MIG-XBZ-DEC-02'),
    { needs: loadNeeds },
  )
  .must(
    'MIG-XBZ-DEC-03',
    'what the encoder makes of any two pages is undone by a destination',
    (t) => takes(t, 'MIG-XBZ-DEC-03'),
    { needs: loadNeeds },
  );

for (const [name, what, delta] of bad) {
  builder.must(
    `MIG-XBZ-DEC-10.${name}`,
    `a delta with ${what} fails the load`,
    (t) =>
      refuses(
        t,
        (writer, feed) => {
          feed.begin();
          ramStart(writer);
          ramPart(writer, ({ ram }) => {
            ram.page(block, 0x1000, pageOf('a'), 0);
            ram.xbzrle(block, 0x1000, hex(delta));
          });
          feed.end();
        },
        { lines: [/Failed to decompress XBZRLE page at 1000/] },
      ),
    { needs: failNeeds },
  );
}

for (const [name, what, bytes] of [
  ['encoding', 'another encoding byte than 1', '02 0003 000141'],
  ['length', 'a length of more than a page', '01 1001 000141'],
] as const) {
  builder.must(
    `MIG-XBZ-REC-10.${name}`,
    `a record with ${what} fails the load`,
    (t) =>
      refuses(
        t,
        (writer, feed) => {
          feed.begin();
          ramStart(writer);
          ramPart(writer, ({ ram, out }) => {
            ram.zero(block, 0);
            out.be64(0x1060);
            out.bytes(hex(bytes));
            out.bytes(Buffer.alloc(4200));
          });
          feed.end();
        },
        { lines: [/Failed to load XBZRLE page/] },
      ),
    { needs: failNeeds },
  );
}

export const records = builder.done();
