/** stream-format.md §5.3: compressed pages. */
import { deflateSync, inflateSync } from 'node:zlib';
import { RamFlag } from '../../reference/stream/format.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { block } from '../state-machine/feed.js';
import { takes } from './accepted-row.js';
import { capture, captureNeeds } from './capture.js';
import { failNeeds, loadNeeds, pageOf, pattern, ramPart, ramStart, refuses } from './loading.js';

const compress = { capabilities: ['compress'] } as const;
const pageSize = 4096;

/** First two bytes of a zlib stream by level, where a release has been seen to write them. */
const headers: readonly (readonly [number, string])[] = [
  [0, '7801'],
  [1, '7801'],
  [2, '785e'],
  [5, '785e'],
  [6, '789c'],
  [9, '78da'],
];

const bad: readonly (readonly [string, string, () => Buffer, RegExp])[] = [
  [
    'sum',
    'a wrong checksum',
    () => zlibOf(pageOf('Z'), (bytes) => (bytes[bytes.length - 1]! ^= 1)),
    /decompress data failed/,
  ],
  ['long', 'more than a page', () => deflateSync(Buffer.alloc(pageSize + 1, 'Z')), /decompress data failed/],
  ['cut', 'a cut zlib stream', () => deflateSync(pattern(30)).subarray(0, 2000), /decompress data failed/],
  ['none', 'no bytes at all', () => Buffer.alloc(0), /decompress data failed/],
  ['garbage', 'no zlib stream', () => Buffer.from('qmpspec qmpspec qmpspec'), /decompress data failed/],
];

function zlibOf(page: Buffer, change: (bytes: Buffer) => void): Buffer {
  const bytes = deflateSync(page, { level: 1 });
  change(bytes);
  return bytes;
}

const builder = new ChapterBuilder(['Migration stream', '5.3 Compressed pages'], 'stream-format.md §5.3', {
  ...captureNeeds,
  ...compress,
})
  .must('MIG-STR-ZIP-01', 'each compressed page is a zlib stream of its own, of exactly one page', async (t) => {
    const [one, recording] = await capture(t, compress);
    const pages = recording.pages.filter(({ kind }) => kind === RamFlag.compressed);
    t.check(pages.length > 0, 'compressed pages', 'none');
    for (const { payload, offset } of pages) {
      let length = -1;
      try {
        length = inflateSync(payload).length;
      } catch (error) {
        t.check(false, 'a zlib stream', (error as Error).message, `page ${offset / pageSize}`);
      }
      t.same(length, pageSize, `bytes of page ${offset / pageSize}`);
      t.check(payload.length <= 4110, 'at most 4110 bytes', `${payload.length}`);
    }
    one.carries(recording);
  })
  .must('MIG-STR-ZIP-02', 'the header of the zlib streams shows compress-level', async (t) => {
    for (const [level, header] of headers) {
      const [, recording] = await capture(t, {
        ...compress,
        parameters: { 'compress-level': level, 'compress-threads': 1 },
      });
      const pages = recording.pages.filter(({ kind }) => kind === RamFlag.compressed);
      t.same(pages[0]?.payload.toString('hex', 0, 2), header, `level ${level}`);
      if (level === 0) t.same(pages[0]?.payload.length, 4107, 'bytes of a page that is only stored');
    }
  })
  .must('MIG-STR-ZIP-03', 'the record that names the block is never compressed', async (t) => {
    const [, recording] = await capture(t, compress);
    for (const { kind, continued } of recording.pages) {
      if (kind === RamFlag.compressed) t.same(continued, true, 'CONTINUE flag of a compressed page');
    }
    t.check(recording.pages[0]?.kind !== RamFlag.compressed, 'another record first', 'a compressed page');
  })
  .must('MIG-STR-ZIP-04', 'pages of zeros are not compressed', async (t) => {
    const [, recording] = await capture(t, { ...compress, image: null });
    t.check(
      recording.pages.every(({ kind }) => kind === RamFlag.zero),
      'ZERO records',
      'others',
    );
    t.check(recording.pages.length >= 4096, 'every page', `${recording.pages.length}`);
  })
  .must(
    'MIG-STR-ZIP-10',
    'a destination with compress unpacks pages of every level, with a block name too',
    (t) => takes(t, 'MIG-STR-ZIP-10'),
    { needs: loadNeeds },
  )
  .must(
    'MIG-STR-ZIP-11',
    'a zlib stream of less than a page is accepted, as are bytes behind its end',
    (t) => takes(t, 'MIG-STR-ZIP-11'),
    { needs: { ...loadNeeds, unless: unlessExact } },
  )
  .must(
    'MIG-STR-ZIP-12',
    'a destination without compress refuses compressed pages',
    (t) =>
      refuses(
        t,
        (writer, feed) => {
          feed.begin();
          ramStart(writer);
          ramPart(writer, ({ ram }) => ram.compressed(block, 0x1000, deflateSync(pageOf('K'))));
          feed.end();
        },
        { lines: [/Received an unexpected compressed page/] },
      ),
    { needs: failNeeds },
  );

for (const [name, what, make, line] of bad) {
  builder.must(
    `MIG-STR-ZIP-13.${name}`,
    `a compressed page with ${what} fails the load`,
    (t) =>
      refuses(
        t,
        (writer, feed) => {
          feed.begin();
          ramStart(writer);
          ramPart(writer, ({ ram }) => ram.compressed(block, 0x1000, make()));
          feed.end();
        },
        { ...compress, lines: [line] },
      ),
    { needs: failNeeds },
  );
}

for (const length of [4111, 0x80000000]) {
  builder.must(
    `MIG-STR-ZIP-14.${length === 4111 ? 'beyond' : 'negative'}`,
    `a compressed length of ${length} is refused`,
    (t) =>
      refuses(
        t,
        (writer, feed) => {
          feed.begin();
          ramStart(writer);
          ramPart(writer, ({ ram, out }) => {
            ram.zero(block, 0);
            out.be64(0x1120);
            out.be32(length);
            out.bytes(Buffer.alloc(4111));
          });
          feed.end();
        },
        { ...compress, lines: [/Invalid compressed data length/] },
      ),
    { needs: failNeeds },
  );
}

export const compressed = builder.done();
