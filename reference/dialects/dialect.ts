/**
 * Dialects are data: what a release line of the protocol does differently from the baseline. Code asks a rule by name and
 * never compares versions; the version is looked at once, in {@link dialectFor}.
 */
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

/**
 * The dialect for a greeting's version: the newest one that is not newer than it, or the oldest for anything older.
 * `exact` is false where that is an approximation, which reports then say.
 */
export function dialectFor(version: { readonly major: number; readonly minor: number }): {
  readonly dialect: Dialect;
  readonly exact: boolean;
} {
  const rank = (v: { major: number; minor: number }) => v.major * 1000 + v.minor;
  const candidates = dialectNames.filter((name) => rank(dialects[name].version) <= rank(version));
  const dialect = dialects[candidates.at(-1) ?? dialectNames[0]];
  return { dialect, exact: rank(dialect.version) === rank(version) };
}
