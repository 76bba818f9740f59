/** stream-format.md §9: postcopy on the wire, and its recovery. */
import { join } from 'node:path';
import { ramImage } from '../../oracle/ram-image.js';
import type { Trial } from '../../oracle/trial.js';
import { RamFlag, SectionType } from '../../reference/stream/format.js';
import { ReturnPathWriter } from '../../reference/stream/return-path-writer.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { hurry } from '../state-machine/pair.js';
import { Captured, type CaptureOptions, captureNeeds, memory, ramBytes, recorded } from './capture.js';
import { checkRamFile } from './ram-file.js';
import type { Recording } from './recording.js';

const pageSize = 4096;
/**
 * Bytes a second with which neither half of the migration ends by itself while a test looks at it; without a downtime, for a
 * source that has measured a good bandwidth sends all that fits into it at once, behind the switch too.
 */
const held = { 'max-bandwidth': 4096, 'max-postcopy-bandwidth': 4096, 'downtime-limit': 0 } as const;

/**
 * RAM without a page of zeros, for tests that look at a slow migration. A source may notice its limit only when a buffer of
 * output is full, and thousands of zero pages fit into one: with those it can be over at once.
 */
const heavy = (): string => ramImage(memory);

/** Bytes of a stream in which a page has gone. */
const somePages = 4400;

/** Begins, and asks for postcopy in the same breath, or after the first pages; the guest has been sent. */
async function switched(t: Trial, options: CaptureOptions & { readonly later?: boolean } = {}): Promise<Captured> {
  const one = await Captured.open(t, { capabilities: ['postcopy-ram'], parameters: held, ...options });
  const { session } = one;
  if (options.later === true) {
    await one.migrates();
    await one.arrives('the first pages', () => one.bytes().length >= somePages);
    await one.does('migrate-start-postcopy');
  } else {
    const ids = [session.post('migrate', { uri: one.peer.uri }), session.post('migrate-start-postcopy')];
    for (const id of ids) t.succeeded(await session.reply(id));
  }
  await one.until('postcopy-active');
  await one.peer.until('switched', session.deadline);
  await session.fence();
  return one;
}

/** A postcopy from begin to end. */
async function postcopied(t: Trial, before: (one: Captured) => void = () => undefined): Promise<[Captured, Recording]> {
  const one = await switched(t);
  before(one);
  await hurry(one);
  await one.completes();
  return [one, one.recording()];
}

const wordsOf = (recording: Recording): string => recording.words.join(', ');

/** Pages that the discards cover. */
function discarded(recording: Recording): Set<number> {
  const pages = new Set<number>();
  for (const { name, ranges } of recording.commands) {
    if (name !== 'POSTCOPY_RAM_DISCARD') continue;
    for (const { start, length } of ranges ?? []) {
      for (let at = start; at < start + length; at += pageSize) pages.add(at / pageSize);
    }
  }
  return pages;
}

export const postcopySource = new ChapterBuilder(['Migration stream', '9 Postcopy: source'], 'stream-format.md §9.1', {
  ...captureNeeds,
  capabilities: ['postcopy-ram'],
  commands: ['migrate-start-postcopy'],
  parameters: ['max-postcopy-bandwidth'],
})
  .must('MIG-STR-PC-01', 'the switch sends discards, PING 2, the package and PING 4, in this order', async (t) => {
    const [one, recording] = await postcopied(t);
    const words = wordsOf(recording)
      .replaceAll(/(POSTCOPY_RAM_DISCARD, )+/g, 'DISCARD, ')
      .replace('SWITCHOVER_START, ', '');
    const [inside, ...further] = t.dialect.stream.packagePings.map((value) => `PING ${value}, `);
    const pattern = new RegExp(
      `START ram, (PART ram, )*DISCARD, PING 2, PACKAGED, POSTCOPY_LISTEN, (FULL \\S+, )+${inside}` +
        `${further.map((ping) => `(${ping})?`).join('')}POSTCOPY_RUN, PING 4, (PART ram, )*END ram, (END dirty-bitmap, )?EOF$`,
    );
    t.check(pattern.test(words), 'the order of stream-format.md §9.1', words);
    one.carries(recording);
  })
  .must('MIG-STR-PC-02', 'a postcopy stream has no description', async (t) => {
    const [, recording] = await postcopied(t);
    t.check(recording.description === undefined, 'no description', `${recording.descriptionLength} bytes`);
    t.same(recording.words.at(-1), 'EOF', 'last item');
  })
  .must('MIG-STR-PC-03', 'the discards cover exactly what has not come yet, twelve ranges to a command', async (t) => {
    const [, recording] = await postcopied(t);
    const pages = discarded(recording);
    const later = new Set(recording.pages.filter(({ postcopy }) => postcopy).map(({ offset }) => offset / pageSize));
    const missing = [...later].filter((page) => !pages.has(page));
    t.check(missing.length === 0, 'a discard of every page that comes later', `none of page ${missing[0]}`);
    const lost = [...pages].filter((page) => !later.has(page));
    t.check(lost.length === 0, 'every discarded page to come', `page ${lost[0]} does not`);
    for (const { ranges } of recording.commands) {
      if (ranges !== undefined) t.check(ranges.length <= 12 && ranges.length > 0, '1 to 12 ranges', `${ranges.length}`);
    }
  })
  .must('MIG-STR-PC-04', 'after the switch pages go as ZERO and PAGE records only, each once', async (t) => {
    const [, recording] = await postcopied(t);
    const later = recording.pages.filter(({ postcopy }) => postcopy);
    t.check(later.length > 0, 'pages after the switch', 'none');
    const seen = new Set<number>();
    for (const { kind, offset } of later) {
      t.check(kind === RamFlag.zero || kind === RamFlag.page, 'ZERO or PAGE', `0x${kind.toString(16)}`);
      t.check(!seen.has(offset), 'each page once', `page ${offset / pageSize} again`);
      seen.add(offset);
    }
  })
  .must('MIG-STR-PC-05', 'the first record after the switch names its block, whatever came before', async (t) => {
    // So much that it cannot all have gone by then, also where this process had to wait.
    const one = await switched(t, { later: true, image: heavy() });
    await hurry(one);
    await one.completes();
    const recording = one.recording();
    t.check(!recording.pages[0]?.postcopy, 'a page before the switch', 'none');
    const first = recording.pages.find(({ postcopy }) => postcopy);
    t.same(first?.continued, false, 'CONTINUE flag');
    one.carries(recording);
  })
  .must('MIG-STR-PC-06', 'the package holds every device, with a run state, and no end mark', async (t) => {
    const [, recording] = await postcopied(t);
    const inside = recording.sections.filter(({ depth }) => depth === 1);
    t.check(
      inside.length >= 2 && inside.every(({ type }) => type === SectionType.full),
      'FULL sections',
      wordsOf(recording),
    );
    t.check(
      inside.some(({ idstr }) => idstr === 'globalstate'),
      'globalstate among them',
      wordsOf(recording),
    );
    t.same(recording.words.filter((word) => word === 'EOF').length, 1, 'end marks');
  })
  .must('MIG-STR-PC-07', 'a page that is asked for comes next, and its neighbours after it', async (t) => {
    const asked = ramBytes / pageSize - 20;
    let before = 0;
    const one = await switched(t, { image: heavy() });
    before = one.bytes().length;
    one.peer.message(new ReturnPathWriter().requestPages('ram', asked * pageSize, pageSize));
    await hurry(one);
    await one.completes();
    const recording = one.recording();
    const later = recording.pages.filter(({ postcopy }) => postcopy).map(({ offset }) => offset / pageSize);
    const place = later.indexOf(asked);
    t.check(place >= 0 && place < later.length - 30, 'an early place', `place ${place} of ${later.length}`);
    t.same(later[place + 1], asked + 1, 'page behind it');
    t.check(before > 0, 'a stream', 'none');
    one.carries(recording);
  })
  .must('MIG-STR-PC-08', 'a page that was asked for goes at once, whatever the bandwidth', async (t) => {
    const one = await switched(t, { image: heavy() });
    const asked = ramBytes / pageSize - 40;
    one.peer.message(new ReturnPathWriter().requestPages('ram', asked * pageSize, pageSize));
    const read = () => {
      const recording = recorded(t, one.bytes());
      recording.release();
      return recording.pages.some(({ offset }) => offset === asked * pageSize);
    };
    await one.arrives('the page', read);
    await one.statusIs('postcopy-active');
  })
  .must(
    'MIG-STR-PC-09',
    'with release-ram the source gives back what it has sent',
    async (t) => {
      const one = await switched(t, { capabilities: ['postcopy-ram', 'release-ram'], image: heavy() });
      await hurry(one);
      await one.completes();
      one.carries(one.recording());
      if (t.facts.commands?.has('pmemsave') === false) return;
      const filename = join(one.instance.scratch, 'left.bin');
      t.succeeded(await one.session.command('pmemsave', { val: 0, size: ramBytes, filename }), 'pmemsave');
      const { length, fault } = checkRamFile(filename, new Map());
      t.check(length === ramBytes, `${ramBytes} bytes`, `${length} bytes`, 'RAM');
      t.check(fault === undefined, 'zeros where the pages were', `page ${fault?.page} is still there`, 'RAM');
    },
    { needs: { capabilities: ['release-ram'] } },
  )
  .must(
    'MIG-STR-PC-20',
    'the second connection asks for the bitmaps, resumes, and names the block again',
    async (t) => {
      const one = await switched(t, { image: heavy() });
      await one.peer.until('onward', one.session.deadline);
      await one.does('migrate-pause');
      await one.until('postcopy-paused');
      await one.peer.until('closed', one.session.deadline);
      one.turn();
      await one.migrates({ resume: true });
      await hurry(one);
      await one.completes();
      const first = recorded(t, one.bytes(1));
      const words = first.words.length;
      first.problem = undefined;
      first.read(one.bytes(2), true);
      t.check(first.problem === undefined, 'a recovery that can be read', first.problem ?? '');
      const again = first.words.slice(words).join(', ');
      const pattern = /^RECV_BITMAP, POSTCOPY_RESUME, (PART ram, )*END ram, (END dirty-bitmap, )?EOF$/;
      t.check(pattern.test(again), 'RECV_BITMAP, POSTCOPY_RESUME, the rest, the end mark', again);
      // Our end of the first connection had nothing, it said; so all of it comes again.
      const resumed = first.pages.slice(-(ramBytes / pageSize));
      t.same(resumed[0]?.continued, false, 'CONTINUE flag of the first record');
      t.same(new Set(resumed.map(({ offset }) => offset)).size, ramBytes / pageSize, 'pages on the second connection');
    },
    { needs: { commands: ['migrate-pause'], members: ['migrate.resume'], unless: unlessExact } },
  )
  .done();
