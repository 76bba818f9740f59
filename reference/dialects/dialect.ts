/**
 * Dialects are data: what a release line of the protocol does differently from the baseline. Code asks a rule by name and
 * never compares versions; the version is looked at once, in {@link dialectFor}.
 */
import { beyond100, type Since, towards72, towards100 } from './between.js';
import { type MigrationRules, migrationRules } from './migration.js';
import { conflicts72, conflictsBetween } from './migration-capabilities.js';
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
  /** The release has a dialect of its own; else reports say that this is an approximation. */
  readonly exact: boolean;
  /**
   * Further readings of a release without a dialect of its own, for the rules of which it is not known when they changed:
   * what conforms to one of them is no fault.
   */
  readonly readings: readonly Dialect[];
}

/**
 * The dialect for a greeting's version: its own; between two, the older one with each rule of the newer one that the
 * release already has; for anything newer, the newest with what was found beyond it; the oldest for anything older. `name`
 * is then that of the older one; a second reading, in which all that is unknown is as in the newer one, has that one's name.
 */
export function dialectFor(release: Release): DialectChoice {
  const known = dialectNames.map((name) => dialects[name]);
  const older = known.findLast(({ version }) => rank(version) <= rank(release)) ?? dialects[dialectNames[0]];
  const newer = known.find(({ version }) => rank(version) > rank(release));
  if (rank(older.version) >= rank(release)) {
    return { dialect: older, exact: rank(older.version) === rank(release), readings: [] };
  }
  if (newer === undefined) return { dialect: later(older, release), exact: false, readings: [older] };
  const since = newer.name === '7.2' ? towards72 : towards100;
  const mixed = (unknownAs: 'older' | 'newer'): Dialect => {
    const migration = mix(older.migration, newer.migration, since.migration, release, unknownAs);
    const doubtful = newer.name === '10.0' && migration.conflicts === conflicts72;
    return {
      name: unknownAs === 'older' ? older.name : newer.name,
      version: { ...release, micro: 0 },
      protocol: mix(older.protocol, newer.protocol, since.protocol, release, unknownAs),
      migration: doubtful ? { ...migration, conflicts: conflictsBetween } : migration,
      stream: mix(older.stream, newer.stream, since.stream, release, unknownAs),
    };
  };
  return { dialect: mixed('older'), exact: false, readings: [mixed('newer')] };
}

const later = (newest: Dialect, release: Release): Dialect => ({
  ...newest,
  version: { ...release, micro: 0 },
  protocol: { ...newest.protocol, ...beyond100.protocol },
  migration: { ...newest.migration, ...beyond100.migration },
  stream: { ...newest.stream, ...beyond100.stream },
});

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
