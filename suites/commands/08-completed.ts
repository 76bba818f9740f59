/** commands.md §8: query-migrate of a source whose migration has completed, and the invariants of its figures. */
import { negativeFigures } from '../../oracle/invariants.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { validatorsFor } from '../../qapi/validators.js';
import { usualMemory } from '../../targets/target.js';
import { ChapterBuilder } from '../requirement.js';
import { Captured, captureNeeds } from '../stream-format/capture.js';
import { pauseText } from './10-control.js';
import { fitsExactly } from './dialect-fit.js';
import { migrationBecomes, runStateBecomes, unchanged } from './observe.js';
import { migratedAway, pair, seenMigration, wordsOf } from './pair.js';
import { baselineRam, figuresHold, ramMembers } from './ram-figures.js';

const needs = { abilities: ['start', 'incoming', 'local'] } as const;
/** Milliseconds for which a guest is held up before its switch-over. */
const pause = 150;
/** Milliseconds after which its figures still stand. */
const later = 400;
const xbzrleMembers = ['cache-size', 'bytes', 'pages', 'cache-miss', 'cache-miss-rate', 'overflow'];

/** What the source shows once its figures stand. */
async function settled(t: Trial, capabilities?: readonly string[]) {
  const seen = await seenMigration(t, { transport: 'unix', ...(capabilities === undefined ? {} : { capabilities }) });
  return { ...seen, ram: isObject(seen.info.ram) ? seen.info.ram : {} };
}

const big = (value: JsonValue | undefined): bigint =>
  typeof value === 'bigint' || Number.isInteger(value) ? BigInt(value as number | bigint) : -1n;

/** The figures of `ram` as integers. */
const figures = (ram: JsonObject) => (name: string) => big(ram[name]);

export const completedInfo = new ChapterBuilder(
  ['Migration commands', '8 query-migrate', 'completed'],
  'commands.md §8.6',
  needs,
)
  .must(
    'MIG-CMD-QMIG-03.completed',
    'a completed migration shows its times and figures, and nothing else',
    async (t) => {
      const { info, ram } = await settled(t);
      t.returned('query-migrate', info, ['status', 'total-time', 'downtime', 'setup-time', 'ram']);
      figuresHold(t, info);
      const faults = validatorsFor(t.facts.schema).returns('query-migrate')(info);
      t.same(
        faults.map(({ path, expected }) => `${path}: ${expected}`),
        [],
        'faults against the schema',
      );
      const all = [...new Set(Object.values(ramMembers).flat())];
      if (fitsExactly(t.facts)) t.returned('query-migrate', ram, ramMembers[t.dialect.migration.ramMembers], [], 'ram');
      else t.returned('query-migrate', ram, baselineRam, [...all, ...Object.keys(ram)], 'ram');
    },
  )
  .must('MIG-CMD-QMIG-03.integers', 'every figure but mbps is an integer that is not negative', async (t) => {
    const { info, ram } = await settled(t);
    for (const [name, value] of Object.entries({ ...info, ...ram })) {
      if (['status', 'ram', 'mbps'].includes(name)) continue;
      t.check(big(value) >= 0n, 'an integer from 0', String(value), name);
    }
    const fits = typeof ram.mbps === 'number' && negativeFigures(info).length === 0;
    t.check(fits, 'a number from 0', String(ram.mbps), 'mbps');
  })
  .must(
    'MIG-CMD-QMIG-03.xbzrle',
    'with xbzrle on, the figures of its cache are shown too',
    async (t) => {
      const { info } = await settled(t, ['xbzrle']);
      t.returned('query-migrate', info, ['status', 'total-time', 'downtime', 'setup-time', 'ram', 'xbzrle-cache']);
      const cache = info['xbzrle-cache'];
      const more = t.dialect.migration.encodingRate ? ['encoding-rate'] : [];
      if (fitsExactly(t.facts)) t.returned('query-migrate', cache, [...xbzrleMembers, ...more], [], 'xbzrle-cache');
      t.equal(isObject(cache) ? cache['cache-size'] : undefined, 67108864, 'cache-size');
    },
    { needs: { ...needs, capabilities: ['xbzrle'] } },
  )
  .must('MIG-CMD-INV-01', 'normal-bytes is normal pages times the page size', async (t) => {
    const at = figures((await settled(t)).ram);
    t.same(at('normal-bytes'), at('normal') * at('page-size'), 'normal-bytes');
    t.check(
      at('page-size') > 0n && (at('page-size') & (at('page-size') - 1n)) === 0n,
      'a power of two',
      `${at('page-size')}`,
    );
  })
  .must('MIG-CMD-INV-04', 'nothing remains, nothing is dirtied, and the figures stand still', async (t) => {
    const { again, info, ram } = await settled(t);
    const at = figures(ram);
    t.same(at('remaining'), 0n, 'remaining');
    t.same(at('dirty-pages-rate'), 0n, 'dirty-pages-rate');
    for (const answer of again) t.same(answer, info, 'asked again');
  })
  .must('MIG-CMD-INV-02', 'the total is whole pages, and at least the memory of the guest', async (t) => {
    const at = figures((await settled(t)).ram);
    t.same(at('total') % at('page-size'), 0n, 'total modulo the page size');
    t.check(at('total') >= BigInt(usualMemory) << 20n, `${usualMemory} MiB or more`, `${at('total')}`, 'total');
  })
  .must(
    'MIG-CMD-INV-05',
    'no page was skipped',
    async (t) => {
      t.same(figures((await settled(t)).ram)('skipped'), 0n, 'skipped');
    },
    {
      needs: {
        ...needs,
        unless: ({ dialect }) => (dialect.migration.ramMembers === '10.0' ? 'skipped is gone' : undefined),
      },
    },
  )
  .must('MIG-CMD-INV-06', 'without multifd nothing went over its channels', async (t) => {
    const at = figures((await settled(t)).ram);
    t.same(at('multifd-bytes'), 0n, 'multifd-bytes');
    t.same(at('postcopy-requests'), 0n, 'postcopy-requests');
  })
  .must('MIG-CMD-INV-07', 'every page was sent once at least', async (t) => {
    const at = figures((await settled(t)).ram);
    const sent = at('duplicate') + at('normal');
    const pages = at('total') / at('page-size');
    t.check(sent >= pages, `${pages} pages or more`, `${sent}`, 'duplicate and normal');
    // Each page costs nine bytes at least, as a zero page.
    t.check(
      at('transferred') >= at('normal-bytes') + 9n * at('duplicate'),
      'bytes for all pages',
      `${at('transferred')}`,
    );
  })
  .must('MIG-CMD-EVT-04', 'the last MIGRATION_PASS has the number that dirty-sync-count shows', async (t) => {
    const { source, ram } = await settled(t);
    for (const { value } of source)
      if (isObject(value) && value.event === 'MIGRATION_PASS') t.members(value.data, ['pass'], [], 'data of a pass');
    const said = [...wordsOf(t, source).matchAll(/MIGRATION_PASS\((\d+)\)/g)];
    const least = t.dialect.migration.passesTold === 'every' ? 2 : 1;
    t.check(said.length >= least, `${least} passes or more`, `${said.length}`);
    t.same(Number(said.at(-1)?.[1]), ram['dirty-sync-count'], 'dirty-sync-count');
  })
  .must('MIG-CMD-INV-09.times', 'total-time is not less than setup-time and the pause of the guest', async (t) => {
    const { info } = await settled(t);
    const [total, setup, pause] = ['total-time', 'setup-time', 'downtime'].map((name) => big(info[name])) as [
      bigint,
      bigint,
      bigint,
    ];
    // Each of the three is cut to whole milliseconds by itself.
    t.check(total + 2n >= setup, `at least ${setup}`, `${total}`, 'total-time');
    t.check(total + 2n >= pause, `at least ${pause}`, `${total}`, 'total-time');
    t.check(total < 60000n, 'less than a minute', `${total}`, 'total-time');
  })
  .must('MIG-CMD-INV-09.clock', 'total-time is milliseconds, from migrate to the end', async (t) => {
    const { info, took } = await settled(t);
    const most = Math.ceil(took) + 2;
    const total = big(info['total-time']);
    t.check(total >= 0n && total <= BigInt(most), `${most} ms at most`, `${total}`, 'total-time');
  })
  .must(
    'MIG-CMD-INV-09.downtime',
    'the downtime is all the time that the guest stood, a pause before the switch-over included',
    async (t) => {
      const both = await pair(t, { capabilities: ['pause-before-switchover'] });
      const { source, uri } = both;
      t.succeeded(await source.command('migrate-set-parameters', { 'max-bandwidth': 2 ** 15 }));
      let ran = performance.now();
      t.succeeded(await source.command('migrate', { uri }), 'migrate');
      // The time for which it goes on running is no part of it.
      for (const until = ran + pause; performance.now() < until; ) {
        const now = performance.now();
        const state = t.succeeded(await source.command('query-status'));
        if (isObject(state) && state.status === 'running') ran = now;
      }
      t.succeeded(await source.command('migrate-set-parameters', { 'max-bandwidth': 0 }));
      await migrationBecomes(t, source, 'pre-switchover');
      const stopped = performance.now();
      // Every answer is an observation of the pause.
      while (performance.now() - stopped < pause) await migrationBecomes(t, source, 'pre-switchover');
      const least = Math.floor(performance.now() - stopped) - 2;
      t.succeeded(await source.command('migrate-continue', { state: 'pre-switchover' }), 'migrate-continue');
      const info = await migrationBecomes(t, source, 'completed');
      await runStateBecomes(t, source, 'postmigrate');
      const most = Math.ceil(performance.now() - ran) + 2;
      const settledInfo = t.succeeded(await source.command('query-migrate'));
      const downtime = Number((isObject(settledInfo) ? settledInfo : info).downtime);
      t.check(downtime >= least && downtime <= most, `${least} to ${most} ms`, `${downtime}`, 'downtime');
    },
    { needs: { ...needs, capabilities: ['pause-before-switchover'] } },
  )
  .must(
    'MIG-CMD-QMIG-03.speed',
    'mbps is all bytes of the stream over total-time without setup-time',
    async (t) => {
      // Slow enough that milliseconds can be told from each other.
      const one = await Captured.open(t, { parameters: { 'max-bandwidth': 2 ** 20 } });
      await one.migrates();
      await one.completes();
      const info = await one.info();
      const mbps = isObject(info.ram) ? info.ram.mbps : undefined;
      t.check(typeof mbps === 'number', 'a number', String(mbps), 'mbps');
      const sending = Number(info['total-time']) - Number(info['setup-time']);
      // Less than a millisecond divides by nothing: the figure of the last window stays.
      if (sending <= 0) return;
      const bytes = Number(mbps) * sending * 125;
      const sent = one.bytes().length;
      // Exactly so, in every release; some show no more than six decimals.
      const holds = Math.abs(bytes - sent) <= 1 + sending * 0.0001;
      t.check(holds, `${sent} bytes in ${sending} ms`, `${mbps}, which is ${bytes.toFixed(1)} bytes`, 'mbps');
    },
    { needs: captureNeeds },
  )
  .must(
    'MIG-CMD-CAN-02.completed',
    'the control commands of a completed migration change nothing, nor does the time after it',
    async (t) => {
      const { source } = await migratedAway(t);
      await unchanged(t, source, 'control commands', async () => {
        t.equal(t.succeeded(await source.command('migrate_cancel')), {}, 'migrate_cancel');
        t.equal(t.succeeded(await source.command('migrate-continue', { state: 'completed' })), {}, 'migrate-continue');
        const other = await source.command('migrate-continue', { state: 'active' });
        t.failed(other, 'GenericError', 'Migration not in expected state: completed');
        t.failed(await source.command('migrate-pause'), 'GenericError', pauseText(t));
        t.failed(await source.command('migrate-start-postcopy'), 'GenericError');
        await new Promise((resolve) => setTimeout(resolve, later));
      });
    },
  )
  .done();
