/**
 * Figures of one reply to `query-migrate` held against one another and against what cannot have happened (commands.md §8.2 and
 * §8.6): what was sent takes as many bytes as its pages, and nothing is counted of what was never switched on.
 */
import { isObject, type JsonObject } from '../protocol/json.js';
import type { WrongRate } from './rates.js';

/** What is known of the process that shows them. */
export interface Known {
  /** Milliseconds since it was told to begin the migration; absent where that is not known. */
  readonly age: number | undefined;
  /** Its run state is known to be postmigrate. */
  readonly settled: boolean;
  /** Every page that is sent is counted, and little but pages is sent. */
  readonly countsPages: boolean;
  /** No migration of the process has begun before the one that is shown. */
  readonly firstEver: boolean;
  /** The last pass that was told of; 0 where none was. */
  readonly pass: number;
  /** The last one of all that it told of; 0 where that is not known. */
  readonly heard: number;
  /** Which blocks are migrated cannot have changed since the migration began. */
  readonly totalHolds: boolean;
  /** No migration of the process can have gone over to postcopy. */
  readonly withoutPostcopy: boolean;
  /** No page can have been meant to be sent without a copy. */
  readonly withoutZeroCopy: boolean;
}

/** Bytes that say where a page is, at least, and at most (with the name of its block). */
const [leastMark, mostMark] = [8, 8 + 1 + 256 + 8];
/** Pages that may be on their way, neither counted as sent nor as what remains. */
export const onTheirWay = 16;
/** Bytes of all that is no page, at most. */
const besidePages = 2 ** 20;
/** Passes that can have begun before the first millisecond is over, and in each one after it. */
const [firstPasses, passesEachMs] = [100, 20];

const figure = (holder: unknown, name: string): number | undefined => {
  const value = isObject(holder as JsonObject) ? (holder as JsonObject)[name] : undefined;
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
};

/** The amounts among the figures of one reply that cannot be. */
export function* wrongAmounts(value: JsonObject, known: Known): Generator<WrongRate> {
  if (value['error-desc'] === '') yield ['MIG-CMD-QMIG-03', 'error-desc with a text', '""'];
  const { ram } = value;
  if (!isObject(ram)) return;
  const page = figure(ram, 'page-size');
  if (page !== undefined && (page < 1 || !Number.isInteger(Math.log2(page))))
    yield ['MIG-CMD-INV-01', 'page-size a power of two', `${page}`];
  const never = [
    ...(known.withoutPostcopy ? ['postcopy-requests', 'postcopy-bytes'] : []),
    ...(known.withoutZeroCopy ? ['dirty-sync-missed-zero-copy'] : []),
  ];
  for (const name of never) {
    const shown = figure(ram, name) ?? 0;
    if (shown !== 0) yield ['MIG-CMD-INV-06', `${name} 0 of what was never switched on`, `${shown}`];
  }
  yield* passes(ram, known);
  if (known.countsPages && known.totalHolds && value.status === 'pre-switchover') yield* whole(ram);
  // Some releases go on counting what they compress from one migration to the next.
  if (known.settled && known.firstEver && value.status === 'completed') yield* compressed(value, ram);
  if (known.countsPages && known.settled && value.status === 'completed' && !('disk' in value)) yield* sent(value, ram);
}

/** What was compressed has been transferred, and is little more than its pages at worst; at best it is no figure to rely on. */
function* compressed({ compression }: JsonObject, ram: JsonObject): Generator<WrongRate> {
  const [pages, size] = ['pages', 'compressed-size'].map((name) => figure(compression, name));
  const [page, bytes] = ['page-size', 'transferred'].map((name) => figure(ram, name));
  if (pages === undefined || size === undefined || page === undefined || bytes === undefined) return;
  const most = Math.min(bytes, pages * (page + mostMark));
  if (size > Math.max(0, most)) yield ['MIG-CMD-QMIG-03', `compressed-size at most ${most}`, `${size}`];
}

function* passes(ram: JsonObject, { age, heard, pass, settled }: Known): Generator<WrongRate> {
  const syncs = figure(ram, 'dirty-sync-count');
  if (syncs === undefined) return;
  // A pass is counted, and then told of.
  if (syncs < pass)
    yield ['MIG-CMD-EVT-04', `dirty-sync-count at least ${pass}, as MIGRATION_PASS has told`, `${syncs}`];
  const told = heard + (settled ? 0 : 1);
  if (heard > 0 && syncs > told)
    yield ['MIG-CMD-EVT-04', `dirty-sync-count at most ${told}, as MIGRATION_PASS has told`, `${syncs}`];
  if (age === undefined) return;
  const most = firstPasses + passesEachMs * age;
  if (syncs > most)
    yield ['MIG-CMD-INV-03', `dirty-sync-count at most ${Math.ceil(most)} in ${Math.ceil(age)} ms`, `${syncs}`];
}

/** Where nothing is sent, each page has been, or it remains. */
function* whole(ram: JsonObject): Generator<WrongRate> {
  const [normal, duplicate, remaining, total] = ['normal', 'duplicate', 'remaining', 'total'].map((name) =>
    figure(ram, name),
  );
  const page = figure(ram, 'page-size');
  if (normal === undefined || duplicate === undefined || remaining === undefined || total === undefined) return;
  if (page === undefined || page < 1) return;
  const [pages, least] = [normal + duplicate + remaining / page, total / page - onTheirWay];
  if (pages < least) yield ['MIG-CMD-INV-07', `at least ${least} pages that were sent or remain`, `${pages}`];
}

/** What a migration that is over has transferred, and how fast: on the whole it fits its pages and its time. */
function* sent(value: JsonObject, ram: JsonObject): Generator<WrongRate> {
  const [normal, duplicate, bytes] = ['normal', 'duplicate', 'transferred'].map((name) => figure(ram, name));
  const page = figure(ram, 'page-size');
  if (normal === undefined || duplicate === undefined || bytes === undefined || page === undefined) return;
  const least = normal * page + (normal + duplicate) * leastMark;
  const most = normal * page + (normal + duplicate) * mostMark + besidePages;
  if (bytes < least || bytes > most)
    yield ['MIG-CMD-INV-01', `transferred from ${least} to ${most}, the bytes of its pages`, `${bytes}`];
  const parts = ['precopy-bytes', 'downtime-bytes', 'postcopy-bytes'].map((name) => figure(ram, name) ?? 0);
  const sum = parts.reduce((all, part) => all + part, 0);
  if (sum > bytes)
    yield ['MIG-CMD-INV-01', `${bytes} bytes at most in precopy, downtime and postcopy, all there are`, `${sum}`];
  const time = (figure(value, 'total-time') ?? 0) - (figure(value, 'setup-time') ?? 0);
  const mbps = figure(ram, 'mbps');
  // Of a shorter time a cut millisecond is too large a part.
  if (mbps === undefined || time < 10) return;
  const slowest = (0.95 * bytes * 8) / (time + 2) / 1000;
  const fastest = ((bytes + besidePages / 8) * 8) / (time - 2) / 500;
  if (mbps < slowest || mbps > fastest)
    yield ['MIG-CMD-QMIG-03', `mbps from ${slowest} to ${fastest}, transferred in its time`, `${mbps}`];
}
