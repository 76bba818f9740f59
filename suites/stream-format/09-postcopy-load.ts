/** stream-format.md §9.2: destinations whose guest runs while its memory is still to come, fed by hand. */
import type { Trial } from '../../oracle/trial.js';
import { DirtyBitmap } from '../../reference/ram/dirty-bitmap.js';
import type { TargetFacts } from '../../targets/facts.js';
import { fitsExactly, unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { type Destination, postcopyDestination } from '../state-machine/destination.js';
import { block, Feed } from '../state-machine/feed.js';
import { holds, loadNeeds, pageOf, pageSize, ramEnd, ramPart, ramStart } from './loading.js';

const pages = block.length / pageSize;

interface Before {
  /** Pages that come before the switch, with their letters. */
  readonly pages?: readonly (readonly [page: number, letter: string])[];
  /** First page and number of pages of what is discarded then. */
  readonly discard?: readonly (readonly [page: number, pages: number])[];
}

/** A destination whose guest runs; the connection is ours. */
async function running(t: Trial, { pages: early = [[1, 'P']], discard = [[2, pages - 2]] }: Before = {}) {
  const one = await postcopyDestination(t);
  const feed = await one.loads();
  one.turn();
  feed.begin().returnPath();
  feed.writer.postcopyAdvise(4096);
  ramStart(feed.writer);
  ramPart(feed.writer, ({ ram }) => {
    for (const [page, letter] of early) ram.page(block, page * pageSize, pageOf(letter), 0);
  });
  const ranges = discard.map(([page, count]) => ({ start: page * pageSize, length: count * pageSize }));
  feed.writer.postcopyDiscard(block.name, ranges);
  feed.package('POSTCOPY_LISTEN', 'POSTCOPY_RUN').send('the switch');
  await one.until('postcopy-active');
  await one.runs('running');
  feed.writer.ram.forgetBlock();
  return [one, feed] as const;
}

/** A connection is lost and another one takes its place; what the destination says that it has, page by page. */
async function recovers(t: Trial, one: Destination, feed: Feed, has: readonly (readonly [number, boolean])[]) {
  feed.close();
  await one.until('postcopy-paused');
  one.turn();
  const path = `${one.instance.scratch}/again.sock`;
  await one.does('migrate-recover', { uri: `unix:${path}` });
  const again = await Feed.open(t, path, 'again');
  // Where the first bytes decide, nothing is told before they are there.
  if (!t.dialect.migration.activeWithBytes) await one.until('postcopy-recover');
  again.writer.recvBitmap(block.name);
  again.send();
  await one.until('postcopy-recover');
  const answer = await again.answer('RECV_BITMAP');
  const wire = answer.type === 'RECV_BITMAP' ? answer.bitmap : Buffer.alloc(0);
  t.same(wire.length, pages / 8, 'bytes of the bitmap');
  const bitmap = DirtyBitmap.fromWire(wire, pages);
  for (const [page, present] of has) t.same(bitmap.has(page), present, `page ${page} in the bitmap`);
  again.writer.command('POSTCOPY_RESUME');
  again.send();
  const ack = await again.answer('RESUME_ACK');
  t.same(ack.type === 'RESUME_ACK' ? ack.value : -1, 1, 'RESUME_ACK');
  await one.until('postcopy-active');
  again.writer.ram.forgetBlock();
  return again;
}

async function shuts(t: Trial, feed: Feed) {
  const shut = await feed.answer('SHUT');
  t.same(shut.type === 'SHUT' ? shut.value : -1, 0, 'SHUT');
}

/** All that has been written is known to have been read. */
async function readSoFar(feed: Feed) {
  feed.writer.ping(33);
  feed.send();
  await feed.until('PONG 33', () => feed.answers.some((message) => message.type === 'PONG' && message.value === 33));
}

/** Pages come, the connection is lost, and more come over another one, up to the end. */
async function arrives(t: Trial): Promise<void> {
  const discard = [
    [2, 6],
    [8, pages - 8],
  ] as const;
  const early = [
    [1, 'P'],
    [8, 'D'],
  ] as const;
  const both = await running(t, { pages: early, discard });
  const [one, first] = both;
  ramPart(first.writer, ({ ram }) => ram.page(block, 5 * pageSize, pageOf('T'), 0));
  await readSoFar(first);
  const has = [1, 5, 6, 8, 100].map((page) => [page, page === 1 || page === 5] as const);
  const feed = recoverable(t.facts) ? await recovers(t, one, first, has) : first;
  ramPart(feed.writer, ({ ram }) => {
    ram.page(block, 6 * pageSize, pageOf('U'), 0);
    ram.zero(block, 7 * pageSize);
    ram.page(block, 8 * pageSize, pageOf('R'), 0);
  });
  ramEnd(feed.writer);
  feed.writer.eof();
  feed.send();
  await one.until('completed');
  await shuts(t, feed);
  await holds(t, one, lettered({ 1: 'P', 5: 'T', 6: 'U', 8: 'R' }));
}

/** What no running postcopy takes pauses it, once and again. */
async function pauses(t: Trial): Promise<void> {
  const both = await running(t);
  const [one, feed] = both;
  await refusesRecord(one, feed);
  const again = await recovers(t, one, feed, [[1, true]]);
  await refusesPage(one, again);
}

async function refusesRecord(one: Destination, feed: Feed) {
  ramPart(feed.writer, ({ ram }) => ram.xbzrle(block, 0x5000, Buffer.from([0, 1, 65])));
  feed.send();
  await one.until('postcopy-paused');
  await one.statusIs('postcopy-paused');
}

async function refusesPage(one: Destination, feed: Feed) {
  ramPart(feed.writer, ({ ram }) => ram.page(block, 0x1000, pageOf('S'), 0));
  feed.send();
  await one.until('postcopy-paused');
  await one.statusIs('postcopy-paused');
}

const recoverable = (facts: TargetFacts): boolean =>
  fitsExactly(facts) && ['migrate-pause', 'migrate-recover'].every((name) => facts.commands?.has(name) ?? true);

const lettered = (letters: Readonly<Record<number, string>>) =>
  new Map(Object.entries(letters).map(([page, letter]) => [Number(page), pageOf(letter)]));

/** One load before the eyes of all who look at a part of it. */
const seen = (alone: (t: Trial) => Promise<void>) => (t: Trial) => t.observed('pages after the switch', arrives, alone);
const seenPaused = (alone: (t: Trial) => Promise<void>) => (t: Trial) =>
  recoverable(t.facts) ? t.observed('a postcopy that pauses twice', pauses, alone) : alone(t);

export const postcopyLoad = new ChapterBuilder(
  ['Migration stream', '9 Postcopy: destination'],
  'stream-format.md §9.2',
  {
    ...loadNeeds,
    capabilities: ['postcopy-ram'],
  },
)
  .must(
    'MIG-STR-PC-30',
    'pages from before the switch stay, later ones are placed, missing ones read as zero',
    seen(async (t) => {
      const both = await running(t);
      const [one, feed] = both;
      ramPart(feed.writer, ({ ram }) => {
        ram.page(block, 0x5000, pageOf('Q'), 0);
        ram.zero(block, 0x6000);
      });
      ramEnd(feed.writer);
      feed.writer.eof();
      feed.send();
      await one.until('completed');
      await holds(t, one, lettered({ 1: 'P', 5: 'Q' }));
    }),
  )
  .must(
    'MIG-STR-PC-31',
    'a discarded page is forgotten, and comes again',
    seen(async (t) => {
      const both = await running(t, {
        discard: [
          [1, 1],
          [8, 4],
        ],
      });
      const [one, feed] = both;
      ramPart(feed.writer, ({ ram }) => ram.page(block, 0x1000, pageOf('R'), 0));
      ramEnd(feed.writer);
      feed.writer.eof();
      feed.send();
      await one.until('completed');
      await holds(t, one, lettered({ 1: 'R' }));
    }),
  )
  .must(
    'MIG-STR-PC-32',
    'it ends with SHUT 0 once everything has come',
    seen(async (t) => {
      const both = await running(t);
      const [one, feed] = both;
      ramEnd(feed.writer);
      feed.writer.eof();
      feed.send();
      await one.until('completed');
      await shuts(t, feed);
    }),
  )
  .must(
    'MIG-STR-PC-33',
    'a record other than ZERO, PAGE and the end pauses a running postcopy',
    seenPaused(async (t) => {
      const both = await running(t);
      await refusesRecord(...both);
    }),
    { needs: { commands: ['migrate-pause'] } },
  )
  .must(
    'MIG-STR-PC-34',
    'a page that is present already pauses a running postcopy',
    seenPaused(async (t) => {
      const both = await running(t);
      await refusesPage(...both);
    }),
    { needs: { commands: ['migrate-pause'] } },
  )
  .must('MIG-STR-PC-40', 'on a recovery it tells which pages have come, acknowledges, and goes on', seen(arrives), {
    needs: { commands: ['migrate-pause', 'migrate-recover'], unless: unlessExact },
  })
  .done();
