/**
 * What a build of a release may lack. One without replication, or without block migration, lists the capability all the same,
 * and refuses to switch it on (MIG-CMD-SCAP-05).
 */
import type { Dialect } from './dialect.js';
import type { CapabilityConflict, MigrationRules } from './migration.js';

export interface BuildPart {
  /** In our words. */
  readonly name: string;
  /** What cannot be switched on without it. */
  readonly capability: string;
  /** How that is refused. */
  readonly desc: string;
  /** Commands that later releases leave out with it, all together. */
  readonly commands: readonly string[];
}

export const buildParts: readonly BuildPart[] = [
  {
    name: 'block migration',
    capability: 'block',
    desc: 'QEMU compiled without old-style (blk/-b, inc/-i) block migration',
    commands: [],
  },
  {
    name: 'replication',
    capability: 'x-colo',
    desc: "QEMU compiled without replication module can't enable COLO",
    commands: [
      'x-colo-lost-heartbeat',
      'query-colo-status',
      'xen-set-replication',
      'query-xen-replication-status',
      'xen-colo-do-checkpoint',
    ],
  },
];

/** The dialect as a build speaks it that lacks some parts: that is what it looks for first. */
export function builtWithout(dialect: Dialect, parts: readonly BuildPart[]): Dialect {
  const refusals = parts.map(({ capability, desc }): CapabilityConflict => ({ on: [capability], desc }));
  const { migration } = dialect;
  return { ...dialect, migration: { ...migration, conflicts: [...refusals, ...migration.conflicts] } };
}

/** How `migrate` refuses `blk` and `inc` where the build has no block migration. */
export const withoutBlock = ({ conflicts }: MigrationRules): string | undefined =>
  conflicts.find(({ on }) => on.length === 1 && on[0] === 'block')?.desc;

/** Commands that are not to be looked for: those of a part of which nothing is listed. */
export const goneWithTheirPart = (listed: readonly string[]): ReadonlySet<string> =>
  new Set(
    buildParts.map((part) => part.commands).flatMap((all) => (all.some((name) => listed.includes(name)) ? [] : all)),
  );
