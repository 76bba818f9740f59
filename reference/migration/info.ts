import { type ModelState, migrationInfoShape } from '../model/index.js';
import { pageSize } from '../ram/guest-ram.js';
import type { XbzrleCounters } from '../ram/xbzrle-counters.js';
import type { MigrationHost } from './host.js';
import type { Statistics } from './statistics.js';

/** What `query-migrate` shows beside the model's own members. */
export interface InfoSources {
  readonly host: MigrationHost;
  readonly statistics: Statistics;
  readonly xbzrle: XbzrleCounters;
  /** Pages that were sent compressed, and the bytes of what they became. */
  readonly compressed: { readonly pages: number; readonly bytes: number; readonly rate: number };
  /** Pages still to send. */
  readonly remainingPages: number;
  /** Bytes of the disks, while they are migrated. */
  readonly disk: { readonly total: number; readonly transferred: number; readonly remaining: number } | undefined;
  /** Members of the incoming layer that the model calls optional, where there is a value. */
  readonly incoming: Readonly<Record<string, unknown>>;
  /** Text of an error that is not the model's `error`, for dialects that show it. */
  readonly errorDesc: string | undefined;
}

/** The reply of `query-migrate` (commands.md §8): the model says which members, the sources what they hold. */
export function migrationInfo(state: ModelState, sources: InfoSources): Record<string, unknown> {
  const shape = migrationInfoShape(state, sources.host.dialect.migration);
  const info: Record<string, unknown> = { ...shape.equals };
  for (const name of shape.required) info[name] = member(name, state, sources);
  for (const name of shape.optional) {
    const value = member(name, state, sources);
    if (value !== undefined) info[name] = value;
  }
  return info;
}

function member(name: string, state: ModelState, sources: InfoSources): unknown {
  const { statistics, disk } = sources;
  switch (name) {
    case 'total-time':
      return statistics.totalTime;
    case 'expected-downtime':
      return Math.floor(statistics.expectedDowntime);
    case 'setup-time':
      return Math.floor(statistics.setupTime);
    case 'downtime':
      return Math.floor(statistics.downtime);
    case 'ram':
      return ramMembers(state, sources);
    case 'xbzrle-cache':
      return xbzrleMembers(state, sources);
    case 'compression': {
      const { pages, bytes, rate } = sources.compressed;
      return { pages, busy: 0, 'busy-rate': 0, 'compressed-size': bytes, 'compression-rate': rate };
    }
    case 'disk':
      return disk === undefined ? undefined : { ...zeroes(ramMembers(state, sources)), ...disk };
    case 'cpu-throttle-percentage':
      return statistics.throttle > 0 ? statistics.throttle : undefined;
    case 'error-desc':
      return sources.errorDesc;
    default:
      return sources.incoming[name];
  }
}

function ramMembers(state: ModelState, { host, statistics, remainingPages }: InfoSources): Record<string, unknown> {
  const { ramMembers: dialect, transferredIsRam } = host.dialect.migration;
  const done = state.out.status === 'completed';
  const members: Record<string, unknown> = {
    total: host.ram.total,
    remaining: done ? 0 : remainingPages * pageSize,
    transferred: transferredIsRam ? statistics.transferred : statistics.streamBytes,
    duplicate: statistics.duplicate,
    skipped: 0,
    normal: statistics.normal,
    'normal-bytes': statistics.normal * pageSize,
    'dirty-pages-rate': done ? 0 : statistics.dirtyPagesRate,
    mbps: statistics.mbps,
    'dirty-sync-count': statistics.dirtySyncCount,
    'postcopy-requests': statistics.postcopyRequests,
    'page-size': pageSize,
    'multifd-bytes': statistics.multifdBytes,
  };
  if (dialect === 'baseline') return members;
  if (dialect === '4.2') return { ...members, 'pages-per-second': statistics.pagesPerSecond };
  if (dialect === '10.0') delete members.skipped;
  return {
    ...members,
    'pages-per-second': statistics.pagesPerSecond,
    'precopy-bytes': statistics.precopyBytes,
    'downtime-bytes': statistics.downtimeBytes,
    'postcopy-bytes': statistics.postcopyBytes,
    'dirty-sync-missed-zero-copy': 0,
  };
}

function xbzrleMembers(state: ModelState, { host, xbzrle }: InfoSources): Record<string, unknown> {
  const size = BigInt.asIntN(64, BigInt((state.parameters['xbzrle-cache-size'] as string | undefined) ?? '0'));
  const exact = size >= 0n && size <= BigInt(Number.MAX_SAFE_INTEGER);
  const members = {
    'cache-size': exact ? Number(size) : size,
    bytes: xbzrle.bytes,
    pages: xbzrle.pages,
    'cache-miss': xbzrle.cacheMiss,
    'cache-miss-rate': xbzrle.cacheMissRate,
    overflow: xbzrle.overflow,
  };
  return host.dialect.migration.encodingRate ? { ...members, 'encoding-rate': xbzrle.encodingRate } : members;
}

/** A disk's figures have the members of RAM's, but only three of them say something (commands.md §8.5). */
function zeroes(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.keys(members).map((name) => [name, 0]));
}
