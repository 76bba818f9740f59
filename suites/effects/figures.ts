/** commands.md §8: figures of a migration that only time and both ends together show. */
import { imageFile } from '../../oracle/ram-image.js';
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { RamFlag } from '../../reference/stream/format.js';
import { isOurMachine, otherMemory } from '../../targets/machine.js';
import { fitsExactly, unlessExact } from '../commands/dialect-fit.js';
import { becomes } from '../commands/observe.js';
import { ChapterBuilder } from '../requirement.js';
import { over, pairNeeds, postcopyPair } from '../state-machine/pair.js';
import { postcopyNeeds } from '../state-machine/postcopy.js';
import { active, peerNeeds } from '../state-machine/source.js';
import { afterCancelled } from '../stream-format/after-cancelled.js';
import { Captured, capture, captureNeeds } from '../stream-format/capture.js';
import { bytesOfRam, countsStream } from './counted.js';

const growing = ['transferred', 'duplicate', 'normal', 'normal-bytes', 'dirty-sync-count', 'postcopy-requests'];
const constant = ['total', 'page-size'];

export const figureEffects = new ChapterBuilder(['Effects', 'Figures'], 'commands.md §8', peerNeeds)
  .must(
    'MIG-CMD-INV-03',
    'figures of one migration never decrease, and those of the machine stay',
    async (t) => {
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
    },
    // Of memory that is all zeros nothing may be left to send.
    { needs: { unless: otherMemory } },
  )
  .must(
    'MIG-CMD-QMIG-03.window',
    'mbps and pages-per-second are those of the last tenth of a second or so, which max-bandwidth sets',
    async (t) => {
      const one = await active(t, { ram: 8, parameters: { 'max-bandwidth': paced } });
      let zeros: JsonValue | undefined;
      // Milliseconds of total-time at the last look, and at the last one that showed the window before this one's.
      let [looked, ended]: [number | undefined, number | undefined] = [undefined, undefined];
      const windows: {
        readonly mbps: number;
        readonly pages: number;
        readonly time: number;
        readonly fits: boolean;
      }[] = [];
      const words = `mbps of about ${(paced * 8) / 1e6}, of whole bytes, pages and milliseconds, in ${enough} windows or more`;
      await becomes(t, one.session, 'query-migrate', words, (now) => {
        const { mbps, 'pages-per-second': pages, 'page-size': size, duplicate } = ram(now);
        const last = windows.at(-1);
        // Of pages that are sent whole it is known how long they are: those of the begin may not be.
        if (duplicate !== zeros) windows.length = 0;
        zeros = duplicate;
        const time = Number(now['total-time']);
        const another = last?.mbps !== mbps || last?.pages !== Number(pages ?? 0) || time - last.time >= anotherWindow;
        if (Number(mbps) > 0 && another) {
          // It ended behind the last look but one of another window, and so did the one before it.
          const longest = time - (ended ?? 0) + 2;
          const fits = ofWholeBytes(Number(mbps), longest, { page: Number(size), perSecond: pages });
          windows.push({ mbps: Number(mbps), pages: Number(pages ?? 0), time, fits });
          ended = looked;
        }
        looked = time;
        if (windows.length < enough) return false;
        // One may have been shown while its figures were being written.
        if (windows.filter(({ fits }) => fits).length < 0.75 * windows.length) return false;
        const mean = (of: (one: (typeof windows)[number]) => number) =>
          windows.reduce((sum, one) => sum + of(one), 0) / windows.length;
        if (!near(mean((one) => one.mbps) * 125_000, paced)) return false;
        return pages === undefined || near(mean((one) => one.pages) * (Number(size) + 8), paced);
      });
    },
    { needs: { unless: otherMemory } },
  )
  .must(
    'MIG-CMD-INV-01.stream',
    'the figures of RAM count the pages and the bytes that the stream has',
    async (t) => {
      const [one, recording] = await capture(t);
      countsStream(t, one.info, recording, one.bytes().length);
    },
    { needs: captureNeeds },
  )
  .must(
    'MIG-CMD-INV-01.again',
    'the figures of a second migration count what it has sent, and nothing of the first one, which was seen half-way',
    async (t) => {
      const one = await afterCancelled(t);
      countsStream(t, await one.info(), one.recording(2), one.bytes(2).length);
    },
    { needs: { ...captureNeeds, unless: unlessExact } },
  )
  .must(
    'MIG-CMD-INV-01.still',
    'of a guest that stands still all RAM goes while it is down, and none before; of one that was cancelled nothing is left',
    async (t) => {
      const one = await afterCancelled(t, { paused: true });
      const shown = ram(await one.info());
      t.check(Number(shown.normal) > 0, 'pages that are not zero', String(shown.normal), 'normal');
      const { 'precopy-bytes': before, 'downtime-bytes': meanwhile, 'postcopy-bytes': after } = shown;
      if (before === undefined) return;
      t.same([before, after ?? null], [0, 0], 'precopy-bytes and postcopy-bytes');
      const least = Number(shown['normal-bytes']);
      const holds = Number(meanwhile) >= least && Number(meanwhile) <= Number(shown.transferred);
      t.check(holds, `${least} to ${shown.transferred} bytes`, String(meanwhile), 'downtime-bytes');
      if (fitsExactly(t.facts)) t.same(meanwhile, bytesOfRam(one.recording(2)), 'downtime-bytes, the records of RAM');
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
      const one = await Captured.open(t, {
        image: imageFile('alike', alike),
        capabilities: ['compress'],
        // Some releases go on counting from one migration to the next.
        untouched: true,
        // Longer than the second after which the rate is worked out.
        parameters: { 'max-bandwidth': 2 ** 17 },
      });
      await one.migrates();
      await one.completes();
      const info = await one.info();
      const { compression } = info;
      const names = ['pages', 'busy', 'busy-rate', 'compressed-size', 'compression-rate'];
      t.returned('query-migrate', compression ?? null, names, [], 'compression');
      const recording = one.recording();
      const packed = recording.pages.filter(({ kind }) => kind === RamFlag.compressed);
      const bytes = packed.reduce((sum, { payload }) => sum + lengthBytes + payload.length, 0);
      one.carries(recording);
      const {
        pages,
        'compressed-size': size,
        'compression-rate': rate,
        ...idleness
      } = isObject(compression) ? compression : {};
      // Pages wait for a thread, as compress-wait-thread has it unless it is told otherwise.
      t.same([Number(idleness.busy), Number(idleness['busy-rate'])], [0, 0], 'busy and busy-rate');
      const idle = Number(pages) - packed.length;
      const few = idle >= 0 && idle <= mostIdle;
      t.check(few, `${packed.length}, and ${mostIdle} times nothing at most`, String(pages), 'pages');
      t.same(size, bytes - idleBytes * idle, 'compressed-size');
      const { 'page-size': page } = ram(info);
      // All are alike: a part of them became as much smaller as the whole.
      const rates = Array.from({ length: idle + 1 }, (_, nothing) => {
        return ((packed.length + nothing) * Number(page)) / (bytes - idleBytes * nothing);
      });
      const known = rates.some((one) => Math.abs(one - Number(rate)) < 1e-6) || Number(rate) < nextToNothing;
      t.check(known, `${rates[0]}, or next to nothing`, String(rate), 'compression-rate');
      t.succeeded(
        await one.session.command('migrate-set-capabilities', {
          capabilities: [{ capability: 'compress', state: false }],
        }),
      );
      t.same('compression' in (await one.info()), false, 'compression, of what is off');
    },
    {
      lasting: true,
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
      // The machine that our arguments make has one.
      if (isOurMachine(t.facts) && Array.isArray(each)) t.same(each.length, 1, 'processors');
      const numbers = [whole, ...(Array.isArray(each) ? each : [Number.NaN])].map(Number);
      t.check(
        numbers.every((number) => Number.isInteger(number) && number >= 0 && number <= most),
        `milliseconds, ${most} at most`,
        numbers.join(', '),
      );
      // It is the time for which all of them were blocked at once.
      if (!t.dialect.migration.blocktimeOfAll) return;
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
/** Milliseconds of a window at least. */
const shortest = 100;
/** Bytes of a window that are not those of its pages, beyond one page more or less. */
const beside = 1000;

/** Some whole number of milliseconds, bytes and pages gives just these figures; some releases show six decimals only. */
function ofWholeBytes(
  mbps: number,
  longest: number,
  { page, perSecond }: { readonly page: number; readonly perSecond: JsonValue | undefined },
): boolean {
  const rounded = Math.abs(mbps * 1e6 - Math.round(mbps * 1e6)) < 1e-3;
  for (let ms = shortest; ms <= longest; ms++) {
    const bytes = mbps * ms * 125;
    if (Math.abs(bytes - Math.round(bytes)) > (rounded ? ms * 0.0001 : 0.001)) continue;
    if (perSecond === undefined) return true;
    const pages = Math.ceil((Number(perSecond) * ms) / 1000);
    if (Math.floor((pages * 1000) / ms) !== Number(perSecond)) continue;
    if (Math.abs(bytes - pages * (page + 8)) <= page + beside) return true;
  }
  return false;
}
/** Pages that are all alike, so that each becomes as many bytes. */
function alike(): Buffer {
  const page = Buffer.alloc(4096);
  for (let at = 0, word = 1; at < 1000; at++) {
    word = (Math.imul(word, 0x41c64e6d) + 12345) | 0;
    page[at] = word >>> 16;
  }
  return Buffer.concat(Array.from({ length: 170 }, () => page));
}
/** Bytes of the length in front of a compressed page. */
const lengthBytes = 4;
/** Releases before 8.1 count a thread that had no page as one of -8 bytes, at each flush of them all: eight threads, a few flushes. */
const [idleBytes, mostIdle] = [8, 64];
/** A rate of a second in which there were only such threads, or of a migration of less than a second. */
const nextToNothing = 1e-6;
const fast = { 'max-postcopy-bandwidth': 0 };
/** Members that later releases show here too. */
const later = ['socket-address', 'postcopy-latency', 'postcopy-latency-dist', 'postcopy-vcpu-latency'];

const ram = (info: JsonObject): JsonObject => (isObject(info.ram) ? info.ram : {});
