/** commands.md §8: what holds of the figures of a migration in whatever state they are shown. */
import { negativeFigures, neverDecreasing } from '../../oracle/invariants.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { validatorsFor } from '../../qapi/validators.js';
import { fitsExactly } from './dialect-fit.js';

export const baselineRam =
  `transferred remaining total duplicate normal normal-bytes dirty-pages-rate mbps dirty-sync-count postcopy-requests
  page-size multifd-bytes`.split(/\s+/);
const laterRam = 'pages-per-second precopy-bytes downtime-bytes postcopy-bytes dirty-sync-missed-zero-copy'.split(' ');
/** Members of `ram` in each kind of dialect. */
export const ramMembers = {
  baseline: [...baselineRam, 'skipped'],
  '4.2': [...baselineRam, 'pages-per-second', 'skipped'],
  '7.2': [...baselineRam, ...laterRam, 'skipped'],
  '10.0': [...baselineRam, ...laterRam],
} as const;

/** What only grows within one migration, in the dialects that have it. */
const growing = [...neverDecreasing, 'precopy-bytes', 'downtime-bytes', 'postcopy-bytes'] as const;

/** Where nothing is sent any more, or nothing until somebody says so. */
const ended: ReadonlySet<JsonValue | undefined> = new Set(['completed', 'pre-switchover', 'postcopy-paused']);

/** Bytes that may be counted, and not be written yet, or the other way round. */
const underWay = 1n << 20n;

function faultsOf({ facts }: Trial, info: JsonObject): string[] {
  // What is shown beyond the schema is looked at where the members of a state are.
  const validate = validatorsFor(facts.schema).returns('query-migrate', { additional: true });
  return validate(info).map(({ path, expected, got }) => `${path}: ${expected}, got ${got}`);
}

const integer = (value: JsonValue | undefined): bigint =>
  typeof value === 'bigint' || Number.isInteger(value) ? BigInt(value as number | bigint) : -1n;

/** What `query-migrate` shows of a source is as its schema says, nothing is below nothing, and the figures fit together. */
export function figuresHold(t: Trial, info: JsonObject): void {
  t.same(faultsOf(t, info), [], 'query-migrate against the schema');
  const below = negativeFigures(info).map(([path]) => path);
  t.same(below, [], 'figures below nothing');
  const { ram } = info;
  if (!isObject(ram)) return;
  const at = (name: string): bigint => integer(ram[name]);
  const page = at('page-size');
  t.check(page > 0n && (page & (page - 1n)) === 0n, 'a power of two', `${page}`, 'page-size');
  t.same(at('normal-bytes'), at('normal') * page, 'normal-bytes, for so many pages');
  t.same([at('total') % page, at('remaining') % page], [0n, 0n], 'total and remaining, modulo the page size');
  t.check(at('remaining') <= at('total'), `${at('total')} at most`, `${at('remaining')}`, 'remaining');
  t.same(integer(ram.skipped ?? 0), 0n, 'skipped');
  const sent = at('transferred') + underWay;
  t.check(sent >= at('multifd-bytes'), 'no more than all', `${at('multifd-bytes')}`, 'multifd-bytes');
  if (!('precopy-bytes' in ram)) return;
  const parts = at('precopy-bytes') + at('downtime-bytes') + at('postcopy-bytes');
  t.check(sent >= parts, `${sent} at most`, `${parts}`, 'bytes of precopy, downtime and postcopy together');
  // Later releases also count what goes beside RAM.
  const all = t.dialect.migration.transferredIsRam && fitsExactly(t.facts) && at('multifd-bytes') === 0n;
  if (!all) return;
  const whole = at('transferred');
  // While it sends, the one is read and counted a moment before the other.
  if (!ended.has(info.status)) t.check(parts + 2n * page >= whole, `${whole} nearly`, `${parts}`, 'bytes of all parts');
  else t.same(parts, whole, 'bytes of precopy, downtime and postcopy, which are all there are');
}

/** Between two looks at one migration nothing gets less, and what is constant stays (MIG-CMD-INV-03). */
export function figuresGrow(t: Trial, before: JsonObject, after: JsonObject): void {
  if (!isObject(before.ram) || !isObject(after.ram)) return;
  for (const name of growing) {
    if (!(name in before.ram) || !(name in after.ram)) continue;
    const [a, b] = [integer(before.ram[name]), integer(after.ram[name])];
    t.check(b >= a, `${a} or more`, `${b}`, `${name} later in the same migration`);
  }
  for (const name of ['total', 'page-size']) t.same(after.ram[name], before.ram[name], `${name}, which stays`);
  const total = (info: JsonObject): bigint => integer(info['total-time'] ?? 0);
  t.check(total(after) >= total(before), `${total(before)} or more`, `${total(after)}`, 'total-time');
}
