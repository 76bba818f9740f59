/** xbzrle.md §3, §4: the page cache and the statistics. */

import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject } from '../../protocol/json.js';
import { RamFlag, SectionType } from '../../reference/stream/format.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { becomes } from '../commands/observe.js';
import { figuresHold } from '../commands/ram-figures.js';
import { ChapterBuilder } from '../requirement.js';
import { captureNeeds } from '../stream-format/capture.js';
import type { Recording } from '../stream-format/recording.js';
import { changed, edits, kindsOf, looked, migratedWithChanges, pageSize } from './changing.js';

/** Hits of the third pass: every page that a reset marks dirty. */
const hits = looked + 1;
const overflows = 1;

const isWhole = ({ kind }: Recording['pages'][number]): boolean => kind === RamFlag.page;
const deltasOf = (recording: Recording) => recording.pages.filter(({ kind }) => kind === RamFlag.xbzrle);

/** Milliseconds of a window of the rates: a look for dirty pages that comes earlier does not end it. */
const window = 1000;

/** Where the passes begin: no page comes twice in one. */
function beginsOfPasses(pages: Recording['pages']): readonly number[] {
  const begins = [0];
  let seen = new Set<string>();
  for (const [at, { block, offset }] of pages.entries()) {
    const page = `${block} ${offset}`;
    if (seen.has(page)) {
      begins.push(at);
      seen = new Set();
    }
    seen.add(page);
  }
  return begins;
}

/** Bytes of a record in all. */
const recordBytes = ({ payload, continued, block }: Recording['pages'][number]): number =>
  8 + (continued ? 0 : 1 + block.length) + 3 + payload.length;

async function statistics(t: Trial, parameters?: JsonObject): Promise<[JsonObject, Recording]> {
  const [one, recording] = await migratedWithChanges(t, parameters === undefined ? {} : { parameters });
  const { info } = one;
  figuresHold(t, info);
  const cache = info['xbzrle-cache'];
  t.check(typeof cache === 'object' && cache !== null, 'a member xbzrle-cache', JSON.stringify(info));
  return [cache as JsonObject, recording];
}

export const cache = new ChapterBuilder(['XBZRLE', '3 Page cache'], 'xbzrle.md §3', {
  ...captureNeeds,
  capabilities: ['xbzrle'],
  parameters: ['xbzrle-cache-size'],
})
  .must(
    'MIG-XBZ-CACHE-01',
    'the first pass does without the cache: the first change of each page sends it whole',
    async (t) => {
      const [, recording] = await migratedWithChanges(t);
      const kinds = kindsOf(recording, edits.delta);
      t.same(kinds.join(' '), `${RamFlag.page} ${RamFlag.page} ${RamFlag.xbzrle}`, 'records of a page in three passes');
    },
  )
  .must('MIG-XBZ-CACHE-02', 'a page of zeros is kept, and its first change is a delta', async (t) => {
    const [, recording] = await migratedWithChanges(t);
    const kinds = kindsOf(recording, edits.zero);
    t.same(kinds.join(' '), `${RamFlag.zero} ${RamFlag.zero} ${RamFlag.xbzrle}`, 'records of the page');
  })
  .must(
    'MIG-XBZ-CACHE-03',
    'a cache of one page keeps the page of the pass before, and misses all others',
    async (t) => {
      const [one, recording] = await migratedWithChanges(t, { parameters: { 'xbzrle-cache-size': pageSize } });
      const kinds = kindsOf(recording, edits.delta);
      t.same(kinds.at(-1), RamFlag.xbzrle, 'last record of the first page that came');
      t.same(kindsOf(recording, edits.sparse).at(-1), RamFlag.page, 'last record of another page');
      t.same(one.info.status, 'completed', 'status');
    },
  )
  .must('MIG-XBZ-CACHE-05', 'a cache that has just enough places keeps every page', async (t) => {
    const places = 256;
    const [stats, recording] = await statistics(t, { 'xbzrle-cache-size': places * pageSize });
    t.same(stats['cache-miss'], looked, 'cache-miss');
    t.same(kindsOf(recording, edits.delta).at(-1), RamFlag.xbzrle, 'last record of a page that changed');
  })
  .must('MIG-XBZ-CACHE-04', 'deltas come before the guest is stopped, not only behind it', async (t) => {
    const [, recording] = await migratedWithChanges(t);
    t.check(
      deltasOf(recording).some(({ section }) => section === SectionType.part),
      'deltas in PART sections',
      'none',
    );
  })
  .must('MIG-XBZ-STAT-01', 'cache-miss counts the lookups that missed, zero pages apart', async (t) => {
    const [stats] = await statistics(t);
    t.same(stats['cache-miss'], looked, 'cache-miss');
    const rate = stats['cache-miss-rate'];
    t.check(
      typeof rate === 'number' && rate >= 0 && rate <= 1,
      'a number from 0 to 1',
      String(rate),
      'cache-miss-rate',
    );
  })
  .must('MIG-XBZ-STAT-02', 'overflow counts the pages whose delta does not fit', async (t) => {
    const [stats] = await statistics(t);
    t.same(stats.overflow, overflows, 'overflow');
  })
  .must(
    'MIG-XBZ-STAT-01.rates',
    'the rates are those of all pages since the last look for dirty ones that is a second old',
    async (t) => {
      const [one] = await changed(t, { capabilities: ['pause-before-switchover'] });
      await one.until('pre-switchover');
      const paused = Number((await one.info())['total-time']);
      // The last look for dirty pages comes behind the pause.
      const words = `a pause of more than ${window} ms`;
      const over = (info: JsonObject) => Number(info['total-time']) > paused + window;
      await becomes(t, one.session, 'query-migrate', words, over);
      await one.does('migrate-continue', { state: 'pre-switchover' });
      await one.completes();
      const pages = one.recording().pages.filter(({ section }) => section === SectionType.part);
      const { 'xbzrle-cache': shown } = await one.info();
      const stats = isObject(shown) ? shown : {};
      const [, second, third] = beginsOfPasses(pages);
      const misses = (from: number) => pages.slice(Math.max(from, second ?? 0), third).filter(isWhole).length;
      t.same(misses(0), looked, 'pages that come whole in the second pass');
      // What was over before the pause may have taken a window, too: the last one then began between two passes.
      const from = paused < window ? [0] : [0, second ?? 0, third ?? 0];
      const rates = from.map((first) => misses(first) / (pages.length - first));
      const isRate = rates.some((rate) => Math.abs(rate - Number(stats['cache-miss-rate'])) < 1e-6);
      t.check(isRate, rates.join(' or '), String(stats['cache-miss-rate']), 'cache-miss-rate');
      if (!t.dialect.migration.encodingRate) return;
      // All deltas come in the last pass.
      const rate = (Number(stats.pages) * pageSize) / Number(stats.bytes);
      const holds = Math.abs(rate - Number(stats['encoding-rate'])) < 1e-6 * rate;
      t.check(holds, `${rate}`, String(stats['encoding-rate']), 'encoding-rate');
    },
    { lasting: true, needs: { capabilities: ['xbzrle', 'pause-before-switchover'], unless: unlessExact } },
  )
  .must(
    'MIG-XBZ-STAT-03',
    'pages and bytes count records, or hits, as the release does',
    async (t) => {
      const [stats, recording] = await statistics(t);
      const deltas = deltasOf(recording);
      const bytes = deltas.reduce((sum, record) => sum + recordBytes(record), 0);
      const records = t.dialect.stream.xbzrleCounting === 'record';
      t.same(stats.pages, records ? deltas.length : hits, 'pages');
      t.same(stats.bytes, records ? bytes : bytes - 8 * deltas.length + overflows * pageSize, 'bytes');
    },
    { needs: { unless: unlessExact } },
  )
  .must('MIG-XBZ-STAT-04', 'cache-size is the parameter', async (t) => {
    const [stats] = await statistics(t, { 'xbzrle-cache-size': 1 << 23 });
    t.same(stats['cache-size'], 1 << 23, 'cache-size');
  })
  .must(
    'MIG-XBZ-STAT-05',
    'misses and overflows count as normal pages, deltas neither as normal nor as duplicate',
    async (t) => {
      const [one, recording] = await migratedWithChanges(t);
      const ram = one.info.ram as JsonObject;
      const count = (kind: number) => recording.pages.filter((page) => page.kind === kind).length;
      t.same(ram.normal, count(RamFlag.page), 'normal');
      t.same(ram.duplicate, count(RamFlag.zero), 'duplicate');
    },
  )
  .done();
