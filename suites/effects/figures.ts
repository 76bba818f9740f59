/** commands.md §8: figures of a migration that only time and both ends together show. */
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { RamFlag } from '../../reference/stream/format.js';
import { becomes } from '../commands/observe.js';
import { ChapterBuilder } from '../requirement.js';
import { over, pairNeeds, postcopyPair } from '../state-machine/pair.js';
import { postcopyNeeds } from '../state-machine/postcopy.js';
import { active, peerNeeds, someRam, source } from '../state-machine/source.js';
import { capture, captureNeeds } from '../stream-format/capture.js';

const growing = ['transferred', 'duplicate', 'normal', 'normal-bytes', 'dirty-sync-count', 'postcopy-requests'];
const constant = ['total', 'page-size'];

export const figureEffects = new ChapterBuilder(['Effects', 'Figures'], 'commands.md §8', peerNeeds)
  .must('MIG-CMD-INV-03', 'figures of one migration never decrease, and those of the machine stay', async (t) => {
    const one = await active(t, { parameters: { 'max-bandwidth': 2 ** 18 } });
    const [asked, first] = [performance.now(), await one.info()];
    const answered = performance.now();
    let before = first;
    for (let round = 0; round < 3; round++) {
      const sent = ram(before).transferred;
      const now = await becomes(t, one.session, 'query-migrate', 'more transferred', (info) => {
        return Number(ram(info).transferred) > Number(sent);
      });
      for (const name of growing) {
        const [was, is] = [Number(ram(before)[name] ?? 0), Number(ram(now)[name] ?? 0)];
        t.check(is >= was, `${name} of at least ${was}`, String(is));
      }
      for (const name of constant) t.same(ram(now)[name], ram(before)[name], name);
      const [total, page, remaining] = ['total', 'page-size', 'remaining'].map((name) => Number(ram(now)[name]));
      const whole = Number(remaining) % Number(page) === 0 && Number(remaining) <= Number(total);
      t.check(whole, `whole pages that remain, of ${total} bytes at most`, String(remaining), 'remaining');
      t.check(now['cpu-throttle-percentage'] === undefined, 'no throttle, which nobody asked for', 'a throttle');
      t.same(now['setup-time'], before['setup-time'], 'setup-time');
      t.check(Number(now['total-time']) >= Number(before['total-time']), 'a total-time that grows', 'a smaller one');
      before = now;
    }
    // Nothing dirties memory here: what was sent does not remain.
    const [more, less] = [first, before].map((info) => Number(ram(info).remaining)) as [number, number];
    t.check(less < more, `less than ${more} bytes that remain`, String(less), 'remaining');
    // Both clocks are the host's: what passed there passed here, but for what is cut to whole milliseconds.
    const last = performance.now();
    const grown = Number((await one.info())['total-time']) - Number(first['total-time']);
    const [least, most] = [Math.floor(last - answered) - 2, Math.ceil(performance.now() - asked) + 2];
    t.check(grown >= least && grown <= most, `${least} to ${most} ms`, `${grown}`, 'growth of total-time');
  })
  .must(
    'MIG-CMD-QMIG-03.window',
    'mbps and pages-per-second are those of the last tenth of a second or so, which max-bandwidth sets',
    async (t) => {
      const one = await active(t, { ram: 8, parameters: { 'max-bandwidth': paced } });
      let zeros: JsonValue | undefined;
      const windows: { readonly mbps: number; readonly pages: number; readonly time: number }[] = [];
      const words = `mbps of about ${(paced * 8) / 1e6}, and so many pages, in ${enough} windows or more`;
      await becomes(t, one.session, 'query-migrate', words, (now) => {
        const { mbps, 'pages-per-second': pages, 'page-size': size, duplicate } = ram(now);
        const last = windows.at(-1);
        // Of pages that are sent whole it is known how long they are: those of the begin may not be.
        if (duplicate !== zeros) windows.length = 0;
        zeros = duplicate;
        const time = Number(now['total-time']);
        const another = last?.mbps !== mbps || last?.pages !== Number(pages ?? 0) || time - last.time >= anotherWindow;
        if (Number(mbps) > 0 && another) windows.push({ mbps: Number(mbps), pages: Number(pages ?? 0), time });
        if (windows.length < enough) return false;
        const mean = (of: (one: (typeof windows)[number]) => number) =>
          windows.reduce((sum, one) => sum + of(one), 0) / windows.length;
        if (!near(mean((one) => one.mbps) * 125_000, paced)) return false;
        return pages === undefined || near(mean((one) => one.pages) * (Number(size) + 8), paced);
      });
    },
  )
  .must(
    'MIG-CMD-INV-01.stream',
    'the figures of RAM count the pages and the bytes that the stream has',
    async (t) => {
      const [one, recording] = await capture(t);
      const shown = ram(one.info);
      const count = (kind: number) => recording.pages.filter((page) => page.kind === kind).length;
      const [normal, duplicate] = [count(RamFlag.page), count(RamFlag.zero)];
      t.same(shown.normal, normal, 'normal');
      t.same(
        shown['page-size'],
        recording.pages.find(({ kind }) => kind === RamFlag.page)?.payload.length,
        'page-size',
      );
      t.same(shown['normal-bytes'], normal * Number(shown['page-size']), 'normal-bytes');
      t.same(shown.duplicate, duplicate, 'duplicate');
      t.same(shown.total, recording.total, 'total');
      // What a release counts beside the records of pages differs; more than all that it sent is wrong in each.
      const least = recording.pages.reduce((sum, { payload }) => sum + 8 + payload.length, 0);
      const most = one.bytes().length;
      const sent = Number(shown.transferred);
      t.check(sent >= least && sent <= most, `${least} to ${most} bytes`, String(sent), 'transferred');
      const parts = ['precopy-bytes', 'downtime-bytes', 'postcopy-bytes'].map((name) => shown[name]);
      if (parts.includes(undefined)) return;
      const [before = 0, behind = 0, after] = parts.map(Number);
      const both = before + behind;
      t.check(both >= least && both <= most, `${least} to ${most} bytes`, parts.join(', '), 'precopy and downtime');
      t.check(before >= behind, 'most of it before the downtime', parts.join(', '), 'precopy-bytes');
      t.same(after, 0, 'postcopy-bytes');
    },
    { needs: captureNeeds },
  )
  .must('MIG-CMD-INV-08', 'a throttle of the guest keeps within its limits, and never goes down', async (t) => {
    const parameters = { 'cpu-throttle-initial': initial, 'max-cpu-throttle': limit };
    const asked = await active(t, { capabilities: ['auto-converge'], parameters });
    let before = initial;
    for (let round = 0; round < 3; round++) {
      const { 'cpu-throttle-percentage': shown = before } = await asked.info();
      const holds = Number(shown) >= before && Number(shown) <= limit;
      t.check(holds, `no throttle, or one from ${before} to ${limit}`, String(shown));
      before = Number(shown);
    }
  })
  .must(
    'MIG-CMD-QMIG-03.compression',
    'with compress, the pages that were compressed are told of, and what they became',
    async (t) => {
      const one = await source(t, 'answer', { ram: someRam, capabilities: ['compress'] });
      await one.migrate();
      await one.until('completed');
      await one.runs('postmigrate');
      const info = await one.info();
      const { compression } = info;
      const names = ['pages', 'busy', 'busy-rate', 'compressed-size', 'compression-rate'];
      t.returned('query-migrate', compression ?? null, names, [], 'compression');
      const { pages, 'compressed-size': size } = isObject(compression) ? compression : {};
      const { total, transferred, 'page-size': page } = ram(info);
      const most = Number(total) / Number(page);
      t.check(Number(pages) > 0 && Number(pages) <= most, `1 to ${most}`, String(pages), 'pages');
      const fits = Number(size) > 0 && Number(size) <= Number(transferred);
      t.check(fits, `bytes, ${transferred} at most`, String(size), 'compressed-size');
      t.succeeded(
        await one.session.command('migrate-set-capabilities', {
          capabilities: [{ capability: 'compress', state: false }],
        }),
      );
      t.same('compression' in (await one.info()), false, 'compression, of what is off');
    },
    {
      needs: {
        capabilities: ['compress'],
        unless: ({ dialect }) =>
          dialect.migration.compressionShown ? undefined : 'this release does not tell of what it compresses',
      },
    },
  )
  .must(
    'MIG-CMD-QMIG-02.blocktime',
    'with postcopy-blocktime the destination tells how long vCPUs were blocked, as far as it could measure',
    async (t) => {
      const two = await postcopyPair(t, { destination: ['postcopy-blocktime'], parameters: fast });
      if (two === undefined) return;
      const { session } = two.source;
      const began = performance.now();
      const ids = [session.post('migrate', { uri: two.destination.uri }), session.post('migrate-start-postcopy')];
      for (const id of ids) t.succeeded(await session.reply(id));
      await over(two);
      const most = Math.ceil(performance.now() - began) + 2;
      const info = await two.destination.info();
      t.returned('query-migrate', info, ['status'], ['postcopy-blocktime', 'postcopy-vcpu-blocktime', ...later]);
      const [whole, each] = [info['postcopy-blocktime'], info['postcopy-vcpu-blocktime']];
      t.check((whole === undefined) === (each === undefined), 'both figures or none', Object.keys(info).join(', '));
      if (each === undefined) return;
      const numbers = [whole, ...(Array.isArray(each) ? each : [Number.NaN])].map(Number);
      t.check(
        numbers.every((number) => Number.isInteger(number) && number >= 0 && number <= most),
        `milliseconds, ${most} at most`,
        numbers.join(', '),
      );
      // It is the time for which all of them were blocked at once.
      const [all = 0, ...single] = numbers;
      t.check(all <= Math.min(...single), `${single.join(', ')} at most`, `${all}`, 'postcopy-blocktime');
    },
    { needs: { ...postcopyNeeds, ...pairNeeds, capabilities: ['postcopy-ram', 'postcopy-blocktime'] } },
  )
  .done();

/** Limits other than the defaults, in percent. */
const [initial, limit] = [30, 50];
/** Bytes a second: eight MiB take four seconds, and a window is some 50 pages. */
const paced = 2 ** 21;
/** So many windows together do not hang on what a buffer held at the end of one of them. */
const enough = 4;
/** Milliseconds after which the same figures are those of another window: where nothing disturbs them, all are alike. */
const anotherWindow = 200;
/** A window may be drawn out, and a few pages more than there is room for may be sent in each. */
const near = (figure: number, at: number): boolean => figure > 0.62 * at && figure < 1.6 * at;
const fast = { 'max-postcopy-bandwidth': 0 };
/** Members that later releases show here too. */
const later = ['socket-address', 'postcopy-latency', 'postcopy-latency-dist', 'postcopy-vcpu-latency'];

const ram = (info: JsonObject): JsonObject => (isObject(info.ram) ? info.ram : {});
