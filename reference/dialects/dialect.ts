/**
 * Dialects are data: what a release line of the protocol does differently from the baseline. Code asks a rule by name and
 * never compares versions; the version is looked at once, in {@link dialectFor}.
 */
import { described, type Since, type Span, spans, towards72, towards100 } from './between.js';
import { type MigrationRules, migrationRules } from './migration.js';
import { type ProtocolRules, protocolRules } from './protocol.js';
import { type StreamRules, streamRules } from './stream.js';

/** Oldest first. `3.0` is the baseline (QEMU 3.0.50). */
export const dialectNames = ['3.0', '7.2', '10.0'] as const;
export type DialectName = (typeof dialectNames)[number];

export interface Dialect {
  readonly name: DialectName;
  /** Version that the reference monitor shows in its greeting when it speaks this dialect. */
  readonly version: { readonly major: number; readonly minor: number; readonly micro: number };
  /** Bytes, envelope, argument errors, events, out-of-band execution, generic commands (qmp-protocol.md). */
  readonly protocol: ProtocolRules;
  /** Migration commands, capabilities, parameters, state machine (commands.md, state-machine.md). */
  readonly migration: MigrationRules;
  /** Bytes of the migration channel (stream-format.md, xbzrle.md, multifd.md). */
  readonly stream: StreamRules;
}

/** What the bundled implementation calls itself in its greeting, whatever it speaks. */
export const referencePackage = 'qmpspec reference';

const versions: Record<DialectName, Dialect['version']> = {
  '3.0': { major: 3, minor: 0, micro: 50 },
  '7.2': { major: 7, minor: 2, micro: 0 },
  '10.0': { major: 10, minor: 0, micro: 0 },
};

export const dialects: Readonly<Record<DialectName, Dialect>> = Object.fromEntries(
  dialectNames.map((name) => [
    name,
    {
      name,
      version: versions[name],
      protocol: protocolRules[name],
      migration: migrationRules[name],
      stream: streamRules[name],
    },
  ]),
) as Record<DialectName, Dialect>;

type Release = { readonly major: number; readonly minor: number };
const rank = ({ major, minor }: Release): number => major * 1000 + minor;

/** How a release is judged. */
export interface DialectChoice {
  readonly dialect: Dialect;
  /** Every rule is known of the release; else reports say that this is an approximation. */
  readonly exact: boolean;
  /**
   * Further readings of a release of which not every rule is known: what conforms to one of them is no fault.
   */
  readonly readings: readonly Dialect[];
}

/**
 * The dialect for a greeting's version: its own; between two, the older one with each rule of the newer one that the
 * release already has; for anything newer, the newest with what was found beyond it; the oldest for anything older. `name`
 * is then that of the older one. A release that nobody has looked at has second readings: all that is unknown as in the
 * newer one, whose name it has, and its neighbours among those that are known.
 */
export function dialectFor(release: Release): DialectChoice {
  const known = dialectNames.map((name) => dialects[name]);
  const own = known.find(({ version }) => rank(version) === rank(release));
  if (own !== undefined) return { dialect: own, exact: true, readings: [] };
  if (rank(release) < rank(versions[dialectNames[0]]))
    return { dialect: dialects[dialectNames[0]], exact: false, readings: [] };
  const dialect = composed(release, 'older');
  if (described.some((one) => rankOf(one) === rank(release))) return { dialect, exact: true, readings: [] };
  const newest = known.at(-1) as Dialect;
  if (rank(release) > rank(newest.version)) return { dialect, exact: false, readings: [newest] };
  return { dialect, exact: false, readings: [composed(release, 'newer')] };
}

const rankOf = ([major, minor]: Since): number => rank({ major, minor });

/** The rules of a release that is none of the dialects, put together. @param unknownAs whose rule holds where that is not known */
function composed(release: Release, unknownAs: 'older' | 'newer'): Dialect {
  const known = dialectNames.map((name) => dialects[name]);
  const older = known.findLast(({ version }) => rank(version) <= rank(release)) as Dialect;
  const newer = known.find(({ version }) => rank(version) > rank(release)) ?? older;
  const since = newer.name === '7.2' ? towards72 : towards100;
  const holds = ({ from, until }: Span): boolean =>
    rankOf(from) <= rank(release) && (until === undefined || rank(release) < rankOf(until));
  const own = spans.filter(holds);
  return {
    name: unknownAs === 'older' ? older.name : newer.name,
    version: { ...release, micro: 0 },
    protocol: Object.assign(
      mix(older.protocol, newer.protocol, since.protocol, release, unknownAs),
      ...own.map(({ protocol }) => protocol),
    ),
    migration: Object.assign(
      mix(older.migration, newer.migration, since.migration, release, unknownAs),
      ...own.map(({ migration }) => migration),
    ),
    stream: Object.assign(
      mix(older.stream, newer.stream, since.stream, release, unknownAs),
      ...own.map(({ stream }) => stream),
    ),
  };
}

function mix<Rules extends object>(
  older: Rules,
  newer: Rules,
  since: { readonly [Rule in keyof Rules]?: Since },
  release: Release,
  unknownAs: 'older' | 'newer',
): Rules {
  const names = new Set([...Object.keys(older), ...Object.keys(newer)]) as Set<keyof Rules>;
  const isNewer = (name: keyof Rules): boolean => {
    const from = since[name];
    return from === undefined ? unknownAs === 'newer' : rank({ major: from[0], minor: from[1] }) <= rank(release);
  };
  return Object.fromEntries([...names].map((name) => [name, (isNewer(name) ? newer : older)[name]])) as Rules;
}
