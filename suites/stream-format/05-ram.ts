/** stream-format.md §5.1, §5.2: setup and page records. */
import { ramImage } from '../../oracle/ram-image.js';
import { RamFlag, SectionType } from '../../reference/stream/format.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { block } from '../state-machine/feed.js';
import { takes } from './accepted-row.js';
import { afterCancelled } from './after-cancelled.js';
import { Captured, capture, captureNeeds, ramBytes, recorded } from './capture.js';
import { mixedPages, mixedRam } from './image.js';
import { failNeeds, loadNeeds, loads, ramPart, ramStart, refuses } from './loading.js';
import type { Recording } from './recording.js';

const pageSize = 4096;
const pageCount = ramBytes / pageSize;
const zero = Buffer.alloc(pageSize);

/** Numbers of the pages in a stream, in its order. */
const offsetsIn = ({ pages }: Recording): number[] => pages.map(({ offset }) => offset / pageSize);

/** Numbers of the pages of the image that are not zero. */
function filledPages(): number[] {
  const ram = mixedRam();
  return Array.from({ length: mixedPages }, (_, page) => page).filter(
    (page) => zero.compare(ram, page * pageSize, (page + 1) * pageSize) !== 0,
  );
}

export const ram = new ChapterBuilder(['Migration stream', '5 The ram section'], 'stream-format.md §5', captureNeeds)
  .must('MIG-STR-RAM-01', 'the setup announces every block with its used length, and the sum of all', async (t) => {
    const [, recording] = await capture(t, { image: null });
    t.same(recording.setup.length, 1, 'blocks');
    const [first] = recording.setup;
    t.same(first?.block.name, 'ram', 'name');
    t.same(first?.length, ramBytes, 'length');
    t.same(recording.total, ramBytes, 'total');
    t.check(first?.guestAddress === undefined, 'no guest address', String(first?.guestAddress));
  })
  .must('MIG-STR-RAM-02', 'the stream carries the RAM of the source', async (t) => {
    const [one, recording] = await capture(t);
    one.carries(recording);
  })
  .must(
    'MIG-STR-RAM-02.again',
    'after a migration that was cancelled half-way the stream carries the RAM of the source anew, whole',
    async (t) => {
      const one = await afterCancelled(t);
      one.carries(one.recording(2));
    },
  )
  .must('MIG-STR-RAM-03', 'the first pass sends every page once, in ascending order', async (t) => {
    const [, recording] = await capture(t);
    const offsets = recording.pages.map(({ offset }) => offset / pageSize);
    const wrong = offsets.findIndex((page, i) => page !== i);
    t.check(
      wrong === -1 && offsets.length === pageCount,
      `pages 0 to ${pageCount - 1}`,
      `${offsets.length} pages, number ${wrong} is ${offsets[wrong]}`,
    );
  })
  .must(
    'MIG-STR-RAM-04',
    'a page of zeros goes as a ZERO record with fill byte 0, and no other page does',
    async (t) => {
      const [, recording] = await capture(t);
      const filled = new Set(filledPages());
      for (const { kind, offset, payload } of recording.pages) {
        const page = offset / pageSize;
        const due = filled.has(page) ? RamFlag.page : RamFlag.zero;
        t.check(kind === due, `record 0x${due.toString(16)}`, `0x${kind.toString(16)}`, `page ${page}`);
        if (kind === RamFlag.zero) t.same(payload[0], 0, `fill byte of page ${page}`);
      }
    },
  )
  .must('MIG-STR-RAM-05', 'the first record names its block, the others go on with it', async (t) => {
    const [, recording] = await capture(t);
    const named = recording.pages.filter(({ continued }) => !continued).length;
    t.same(recording.pages[0]?.continued, false, 'CONTINUE flag of the first record');
    t.same(named, 1, 'records with a name');
  })
  .must('MIG-STR-RAM-06', 'the memory has gone before the guest is stopped when nothing writes to it', async (t) => {
    const [, recording] = await capture(t);
    const late = recording.pages.filter(({ section }) => section === SectionType.end).length;
    t.check(late < pageCount, 'pages in PART sections', `all ${late} in END`);
    t.check(
      recording.pages.every(({ section }) => section !== SectionType.start),
      'no page in START',
      'pages in START',
    );
  })
  .must('MIG-STR-RAM-07', 'a slow stream has many PART sections, and the bytes are the same', async (t) => {
    const one = await Captured.open(t, { parameters: { 'max-bandwidth': 600_000 } });
    await one.migrates();
    await one.completes();
    const recording = one.recording();
    const parts = recording.sections.filter(({ type }) => type === SectionType.part).length;
    t.check(parts >= 2, 'more than one PART section', `${parts}`);
    one.carries(recording);
  })
  .must(
    'MIG-STR-RAM-08',
    'a page that is asked for goes ahead of the others',
    async (t) => {
      const one = await Captured.open(t, {
        capabilities: ['return-path'],
        // Hundreds of pages that are not zero go first, of which the slowest release sends some eight in 100 ms.
        parameters: { 'max-bandwidth': 4096 },
        image: ramImage(1),
      });
      await one.migrates();
      await one.peer.until('announced', one.session.deadline);
      // The last pages of RAM, which the first pass would reach at its very end.
      const start = Buffer.alloc(8);
      start.writeBigUInt64BE(BigInt(ramBytes - 8 * pageSize));
      one.peer.message(
        Buffer.concat([Buffer.from([0, 3, 0, 16]), start, Buffer.from([0, 0, 128, 0, 3]), Buffer.from('ram')]),
      );
      const came = () => offsetsIn(recorded(t, one.bytes())).includes(pageCount - 8);
      await one.arrives('the page that was asked for', came);
      await one.does('migrate-set-parameters', { 'max-bandwidth': 0 });
      await one.completes();
      const recording = one.recording();
      const order = offsetsIn(recording);
      const asked = order.indexOf(pageCount - 8);
      t.check(asked >= 0 && asked < pageCount - 8, 'an earlier place than its own', `place ${asked}`);
      one.carries(recording);
    },
    { needs: { capabilities: ['return-path'], unless: unlessExact } },
  )
  .must(
    'MIG-STR-RAM-20',
    'a destination puts pages where they belong, the last one too',
    (t) => takes(t, 'MIG-STR-RAM-20'),
    { needs: loadNeeds },
  )
  .must('MIG-STR-RAM-21', 'a ZERO record clears a page that had come before', (t) => takes(t, 'MIG-STR-RAM-21'), {
    needs: loadNeeds,
  })
  .must(
    'MIG-STR-RAM-22',
    'a later record of a page takes the place of an earlier one',
    (t) => takes(t, 'MIG-STR-RAM-22'),
    { needs: loadNeeds },
  )
  .must(
    'MIG-STR-RAM-23',
    'CONTINUE means the block of the last record with a name, across sections',
    (t) => takes(t, 'MIG-STR-RAM-23'),
    { needs: loadNeeds },
  )
  .must(
    'MIG-STR-RAM-24',
    'an end record may have the CONTINUE flag and an address',
    (t) => takes(t, 'MIG-STR-RAM-24'),
    { needs: loadNeeds },
  )
  .must(
    'MIG-STR-RAM-25',
    'page records need no setup before them, and a second setup is no harm',
    (t) => takes(t, 'MIG-STR-RAM-25'),
    { needs: loadNeeds },
  )
  .must('MIG-STR-RAM-26', 'a setup of 0 bytes lists no block', (t) => takes(t, 'MIG-STR-RAM-26'), { needs: loadNeeds })
  .must(
    'MIG-STR-RAM-27',
    'a ZERO record fills with its byte where the release takes any, else other bytes than 0 are refused',
    async (t) => {
      const write = (out: Parameters<Parameters<typeof loads>[1]>[0]) => out.ram.zero(block, 0x1000, 0xaa);
      if (t.dialect.stream.zeroPageAnyValue) {
        await loads(t, write, new Map([[1, Buffer.alloc(pageSize, 0xaa)]]));
        return;
      }
      await refuses(t, (writer, feed) => {
        feed.begin();
        ramStart(writer);
        ramPart(writer, write);
        feed.end();
      });
    },
    { needs: { ...failNeeds, unless: unlessExact } },
  )
  .must('MIG-STR-RAM-28', 'PART sections without a page are normal, in any number', (t) => takes(t, 'MIG-STR-RAM-28'), {
    needs: loadNeeds,
  })
  .must('MIG-STR-RAM-29', 'a stream may come in pieces of any size', (t) => takes(t, 'MIG-STR-RAM-29'), {
    needs: loadNeeds,
  })
  .done();
