/** The value invariants of `query-migrate` (commands.md §8.6): what holds of one reply, and between those of one migration. */
import { isObject, type JsonObject, type JsonValue } from '../protocol/json.js';
import { wrongAmounts } from './amounts.js';
import { wrongRates } from './rates.js';

export interface InvariantBreach {
  readonly row: string;
  readonly expected: string;
  readonly got: string;
}

/** What else is known when a reply comes. */
export interface Circumstances {
  /** Which blocks are migrated, and so how much there is, cannot have changed since the migration began. */
  readonly totalHolds: boolean;
  /** The run state is known to be postmigrate (MIG-CMD-INV-09). */
  readonly settled: boolean;
  /** No capability is on with which pages are sent and not counted (MIG-CMD-INV-07). */
  readonly countsPages: boolean;
  /** Nothing can have gone over channels of multifd since the process began (MIG-CMD-INV-06). */
  readonly withoutMultifd: boolean;
  /** No migration of the process can have gone over to postcopy. */
  readonly withoutPostcopy: boolean;
  /** No page can have been meant to be sent without a copy. */
  readonly withoutZeroCopy: boolean;
  /** The last pass that was told of in this migration; 0 where none was. */
  readonly pass: number;
  /** The last one of all that it told of; 0 where that is not known. */
  readonly heard: number;
  /** Milliseconds since the process was told to begin the migration; absent where that is not known. */
  readonly age: number | undefined;
  /** … to begin its first one: some figures are left from one migration to the next (MIG-CMD-MIG-21). */
  readonly firstAge: number | undefined;
  /** None has begun before the one that is shown. */
  readonly firstEver: boolean;
  /** Limits of the throttle (MIG-CMD-INV-08); absent where they are not known. */
  readonly throttle: Bounds | undefined;
}

/** Where the throttle may be, in percent. */
export interface Bounds {
  readonly low: bigint;
  readonly high: bigint;
  /** It was to begin above its maximum at some time: then it may start high and come down. */
  readonly crossed: boolean;
}

type Numbers = Readonly<Record<string, bigint>>;

/** Members that never decrease within one migration (MIG-CMD-INV-03). */
export const neverDecreasing = [
  'transferred',
  'duplicate',
  'normal',
  'normal-bytes',
  'dirty-sync-count',
  'postcopy-requests',
  'multifd-bytes',
];
const running = new Set([
  'active',
  'pre-switchover',
  'device',
  'cancelling',
  'postcopy-active',
  'postcopy-paused',
  'postcopy-recover',
]);

/** Statuses in which the set-up is long over. */
const standing = new Set(['pre-switchover', 'device', 'postcopy-active', 'postcopy-paused', 'postcopy-recover']);

/** Follows the replies of one process. */
export class InfoInvariants {
  private last:
    | {
        status: string;
        settled: boolean;
        ram: Numbers;
        totalTime: bigint | undefined;
        setupTime: bigint | undefined;
        throttle: bigint | undefined;
      }
    | undefined;

  /** A new migration has begun: nothing is compared with replies before it. */
  restart(): void {
    this.last = undefined;
  }

  /** Judges one `query-migrate` return value. */
  check(value: JsonValue, circumstances: Circumstances): InvariantBreach[] {
    if (!isObject(value) || typeof value.status !== 'string') return [];
    const { settled } = circumstances;
    const ram = isObject(value.ram) ? integers(value.ram) : undefined;
    const throttle = integer(value['cpu-throttle-percentage']);
    const breaches =
      ram === undefined
        ? []
        : [...this.ofOne(value.status, value, ram, circumstances), ...this.ofTwo(value, ram, circumstances)];
    const wrong = [...wrongAmounts(value, circumstances), ...wrongRates(value, circumstances)];
    for (const [row, expected, got] of wrong) breaches.push(breach(row, expected, got));
    if (throttle !== undefined) breaches.push(...this.ofThrottle(throttle, circumstances.throttle));
    if (ram !== undefined) {
      const totalTime = integer(value['total-time']);
      this.last = { status: value.status, settled, ram, totalTime, setupTime: integer(value['setup-time']), throttle };
    }
    return breaches;
  }

  private ofOne(
    status: string,
    value: JsonObject,
    ram: Numbers,
    { settled, countsPages, withoutMultifd, withoutPostcopy, totalHolds, age }: Circumstances,
  ): InvariantBreach[] {
    const breaches: InvariantBreach[] = [];
    // Hundreds hold for each that does not: words are found for that one alone.
    const must = (row: string, holds: boolean, words: () => readonly [expected: string, got: string]) => {
      if (!holds) breaches.push(breach(row, ...words()));
    };
    const { normal, duplicate, remaining, skipped, transferred } = ram;
    const total = totalHolds ? ram.total : undefined;
    const page = ram['page-size'];
    const normalBytes = ram['normal-bytes'];
    const multifd = ram['multifd-bytes'];
    if (normal !== undefined && page !== undefined && normalBytes !== undefined) {
      must('MIG-CMD-INV-01', normalBytes === normal * page, () => [
        `normal-bytes ${normal * page} (normal × page-size)`,
        `${normalBytes}`,
      ]);
    }
    if (remaining !== undefined && total !== undefined && page !== undefined) {
      must('MIG-CMD-INV-02', page > 0n && remaining % page === 0n, () => [
        `remaining a multiple of ${page}`,
        `${remaining}`,
      ]);
      must('MIG-CMD-INV-02', remaining >= 0n && remaining <= total, () => [
        `remaining not negative and at most ${total}`,
        `${remaining}`,
      ]);
    }
    if (skipped !== undefined) must('MIG-CMD-INV-05', skipped === 0n, () => ['skipped 0', `${skipped}`]);
    if (multifd !== undefined && transferred !== undefined) {
      must('MIG-CMD-INV-06', multifd <= transferred, () => [
        `multifd-bytes at most ${transferred} (transferred)`,
        `${multifd}`,
      ]);
    }
    if (multifd !== undefined && withoutMultifd) {
      must('MIG-CMD-INV-06', multifd === 0n, () => ['multifd-bytes 0 without multifd', `${multifd}`]);
    }
    if (status === 'completed' && settled) {
      if (remaining !== undefined)
        must('MIG-CMD-INV-04', remaining === 0n, () => ['remaining 0 in completed', `${remaining}`]);
      const rate = ram['dirty-pages-rate'];
      if (rate !== undefined) must('MIG-CMD-INV-04', rate === 0n, () => ['dirty-pages-rate 0 in completed', `${rate}`]);
      if (countsPages && normal !== undefined && duplicate !== undefined && total !== undefined && page) {
        const [sent, pages] = [normal + duplicate, total / page];
        must('MIG-CMD-INV-07', sent >= pages, () => [
          `normal and duplicate together at least ${pages}, each page once`,
          `${sent}`,
        ]);
      }
    }
    // Some releases show the end a moment before its times: once there is a time of all, there are the others.
    const timed = settled || (integer(value['total-time']) ?? 0n) > 0n;
    if (status === 'completed' && timed && countsPages) {
      // Each of them is cut to whole milliseconds by itself.
      const most = (integer(value['total-time']) ?? 0n) + 2n;
      for (const name of ['setup-time', 'downtime']) {
        const time = integer(value[name]) ?? 0n;
        must('MIG-CMD-INV-09', time <= most, () => [`${name} at most ${most} ms, the time of all`, `${time}`]);
      }
      // The guest stands once all has been set up.
      const both = (integer(value['setup-time']) ?? 0n) + (integer(value.downtime) ?? 0n);
      must('MIG-CMD-INV-09', both <= most + 1n, () => [
        `set-up and downtime at most ${most + 1n} ms together`,
        `${both}`,
      ]);
    }
    for (const [name, figure] of negativeFigures(value)) {
      const row = times.has(name) ? 'MIG-CMD-INV-03' : 'MIG-CMD-QMIG-03';
      breaches.push(breach(row, `${name} not negative`, `${figure}`));
    }
    // The downtime of a postcopy begins at no known time in some releases.
    const clocks = ['total-time', 'setup-time', ...(withoutPostcopy ? ['downtime'] : [])];
    for (const name of age === undefined ? [] : clocks) {
      const time = integer(value[name]) ?? 0n;
      const most = BigInt(Math.ceil(age as number)) + clockStep;
      must('MIG-CMD-INV-03', time <= most, () => [
        `${name} at most ${most} ms, for which it has been known`,
        `${time}`,
      ]);
    }
    const parts = [ram['precopy-bytes'], ram['downtime-bytes'], ram['postcopy-bytes']];
    if (countsPages && normalBytes !== undefined && duplicate !== undefined && !parts.includes(undefined)) {
      const sum = parts.reduce<bigint>((all, part = 0n) => all + part, 0n);
      const least = normalBytes + markBytes * duplicate;
      must('MIG-CMD-INV-01', sum >= least, () => [
        `${least} bytes at least in precopy, downtime and postcopy`,
        `${sum}`,
      ]);
    }
    const passes = ram['dirty-sync-count'];
    if (normal !== undefined && duplicate !== undefined && total !== undefined && page && passes !== undefined) {
      const most = (passes + sentAgain) * (total / page);
      must('MIG-CMD-INV-07', normal + duplicate <= most, () => [`at most ${most} pages sent`, `${normal + duplicate}`]);
    }
    return breaches;
  }

  private ofThrottle(throttle: bigint, bounds: Bounds | undefined): InvariantBreach[] {
    const { low, high, crossed } = bounds ?? { low: 1n, high: 99n, crossed: true };
    const [least, most] = low < high ? [low, high] : [high, low];
    const before = this.last?.throttle;
    const expected = (words: string) => [breach('MIG-CMD-INV-08', `cpu-throttle-percentage ${words}`, `${throttle}`)];
    if (throttle < least || throttle > most) return expected(`from ${least} to ${most}`);
    return before !== undefined && !crossed && throttle < before ? expected(`not below ${before}`) : [];
  }

  private ofTwo(value: JsonObject, ram: Numbers, { settled, totalHolds }: Circumstances): InvariantBreach[] {
    const { last } = this;
    if (last === undefined) return [];
    const breaches: InvariantBreach[] = [];
    for (const name of neverDecreasing) {
      const before = last.ram[name];
      const now = ram[name];
      if (before !== undefined && now !== undefined && now < before) {
        breaches.push(breach('MIG-CMD-INV-03', `${name} not below ${before}`, `${now}`));
      }
    }
    for (const name of totalHolds ? ['total', 'page-size'] : ['page-size']) {
      const before = last.ram[name];
      const now = ram[name];
      if (before !== undefined && now !== undefined && now !== before) {
        breaches.push(breach('MIG-CMD-INV-03', `${name} ${before}, as before`, `${now}`));
      }
    }
    const totalTime = integer(value['total-time']);
    const clockRuns = running.has(last.status) && running.has(String(value.status));
    if (clockRuns && totalTime !== undefined && last.totalTime !== undefined && totalTime < last.totalTime) {
      breaches.push(breach('MIG-CMD-INV-03', `total-time not below ${last.totalTime}`, `${totalTime}`));
    }
    const done = value.status === 'completed' && settled && last.status === 'completed' && last.settled;
    if (done && totalTime !== last.totalTime) {
      breaches.push(breach('MIG-CMD-INV-04', `total-time ${last.totalTime}, as before`, `${totalTime}`));
    }
    // Some releases show the new status a moment before the time: 0 may still change until the guest stands.
    const setupTime = integer(value['setup-time']);
    const noted = last.setupTime !== undefined && (last.setupTime > 0n || standing.has(last.status));
    const constant = last.status !== 'cancelling' && noted;
    if (constant && setupTime !== undefined && setupTime !== last.setupTime) {
      breaches.push(breach('MIG-CMD-INV-03', `setup-time ${last.setupTime}, as before`, `${setupTime}`));
    }
    return breaches;
  }
}

const times: ReadonlySet<string> = new Set(['total-time', 'setup-time', 'downtime', 'expected-downtime']);
/** Bytes that a page of one value takes at least: the mark that says where it is. */
const markBytes = 8n;
/** Milliseconds by which clocks of two processes may differ in what they call the same moment. */
const clockStep = 50n;
/** So many times may each page be sent beyond the passes that are counted: on request, and by recoveries. */
const sentAgain = 10n;

/** Released monitors subtract more from what was compressed than they had added: nothing is said of those figures. */
const unsaid = new Set(['compression']);

type Figure = readonly [path: string, figure: number | bigint];

/**
 * Every number below nothing in the answer to a `query-migrate`, however deep, with where it stands; those of compressing are
 * left out. The speed of a whole migration is that of the time beside its set-up (MIG-CMD-QMIG-03), which two clocks make
 * less than nothing in one that takes no longer.
 */
export function negativeFigures(info: JsonObject): readonly Figure[] {
  const all = figuresBelow(info);
  if (all.length === 0) return all;
  const [whole, setUp] = [integer(info['total-time']), integer(info['setup-time'])];
  return whole !== undefined && setUp !== undefined && whole < setUp
    ? all.filter(([path]) => path !== 'ram mbps')
    : all;
}

function figuresBelow(value: JsonObject): readonly Figure[] {
  let found: Figure[] | undefined;
  for (const name in value) {
    const member = value[name];
    if (typeof member === 'number' || typeof member === 'bigint') {
      if (member >= 0 || unsaid.has(name)) continue;
      found ??= [];
      found.push([name, member]);
    } else if (isObject(member) && !unsaid.has(name)) {
      const inside = figuresBelow(member);
      if (inside.length === 0) continue;
      found ??= [];
      for (const [path, figure] of inside) found.push([`${name} ${path}`, figure]);
    }
  }
  return found ?? none;
}

const none: readonly Figure[] = [];

const breach = (row: string, expected: string, got: string): InvariantBreach => ({ row, expected, got });

const integer = (value: JsonValue | undefined): bigint | undefined => {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined;
};

function integers(object: JsonObject): Numbers {
  const result: Record<string, bigint> = {};
  for (const name in object) {
    const number = integer(object[name]);
    if (number !== undefined) result[name] = number;
  }
  return result;
}
