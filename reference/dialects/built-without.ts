/**
 * What a build of a release may lack. Without replication it lists the capability all the same, without block migration it
 * leaves it out (commands.md §2.2); its schema has both, and it refuses to switch them on (MIG-CMD-SCAP-05). A build for
 * another system has some capabilities neither here nor there. What the host does not give is refused in the same way.
 */
import type { Dialect } from './dialect.js';
import type { CapabilityConflict, MigrationRules } from './migration.js';

export interface BuildPart {
  /** Why, in our words. */
  readonly reason: string;
  /** What cannot be switched on without it. */
  readonly capability: string;
  /** Whether `query-migrate-capabilities` shows that capability all the same. */
  readonly listed: boolean;
  /** How that is refused. */
  readonly desc: string;
  /** How some releases word it. */
  readonly refusal: RegExp;
  /** It is the host that does not give it: then a refusal in any words is taken for that. */
  readonly ofHost?: true;
  /** Commands that later releases leave out with it, all together. */
  readonly commands: readonly string[];
}

export const buildParts: readonly BuildPart[] = [
  {
    reason: 'it was built without block migration',
    capability: 'block',
    listed: false,
    desc: 'QEMU compiled without old-style (blk/-b, inc/-i) block migration',
    refusal: /^QEMU compiled without old-style \(blk\/-b(, inc\/-i)?\) block migration$/,
    commands: [],
  },
  {
    reason: 'it was built without replication',
    capability: 'x-colo',
    listed: true,
    desc: "QEMU compiled without replication module can't enable COLO",
    refusal: /^QEMU compiled without replication module/,
    commands: [
      'x-colo-lost-heartbeat',
      'query-colo-status',
      'xen-set-replication',
      'query-xen-replication-status',
      'xen-colo-do-checkpoint',
    ],
  },
  {
    reason: 'its host does not let it write-protect memory by userfaultfd',
    capability: 'background-snapshot',
    listed: true,
    desc: 'Background-snapshot is not supported by host kernel',
    refusal: /^Background-snapshot is not supported/,
    ofHost: true,
    commands: [],
  },
];

/** The dialect as a build speaks it that lacks some parts: that is what it looks for first. */
export function builtWithout(dialect: Dialect, parts: readonly BuildPart[]): Dialect {
  const refusals = parts.map(({ capability, desc }): CapabilityConflict => ({ on: [capability], desc }));
  const { migration } = dialect;
  const { unlisted: before = [] } = migration;
  const unlisted = [...before, ...parts.filter(({ listed }) => !listed).map(({ capability }) => capability)];
  return { ...dialect, migration: { ...migration, conflicts: [...refusals, ...migration.conflicts], unlisted } };
}

/** Capabilities of one operating system alone. */
const ofOneSystem: ReadonlySet<string> = new Set(['zero-copy-send']);

/** Capabilities of a release that builds for another system do not have. */
export const ofAnotherSystem = ({ migration }: Dialect, named: ReadonlySet<string>): readonly string[] =>
  migration.capabilities.filter((name) => ofOneSystem.has(name) && !named.has(name));

/** The dialect as a build speaks it that does not know some capabilities. */
export function withoutCapabilities(dialect: Dialect, names: readonly string[]): Dialect {
  const { migration } = dialect;
  const isKnown = (name: string) => !names.includes(name);
  const capabilities = migration.capabilities.filter(isKnown);
  const conflicts = migration.conflicts.filter(({ on, off = [] }) => [...on, ...off].every(isKnown));
  return { ...dialect, migration: { ...migration, capabilities, conflicts } };
}

/** The dialect of a build of which there is no more to go by than the capabilities that it lists. */
export function asListed(dialect: Dialect, listed: ReadonlySet<string>): Dialect {
  const lacking = buildParts.filter(
    (part) => !part.listed && dialect.migration.capabilities.includes(part.capability) && !listed.has(part.capability),
  );
  const own = withoutCapabilities(dialect, ofAnotherSystem(dialect, listed));
  return lacking.length === 0 ? own : builtWithout(own, lacking);
}

/** The dialect where it is not known whether the host has userfaultfd. */
export const withoutKnowingTheHost = (dialect: Dialect): Dialect => ({
  ...dialect,
  migration: { ...dialect.migration, userfault: 'perhaps' },
});

/** How `migrate` refuses `blk` and `inc` where the build has no block migration. */
export const withoutBlock = ({ conflicts }: MigrationRules): string | undefined =>
  conflicts.find(({ on }) => on.length === 1 && on[0] === 'block')?.desc;

/** Commands that are not to be looked for: those of a part of which nothing is listed. */
export const goneWithTheirPart = (listed: readonly string[]): ReadonlySet<string> =>
  new Set(
    buildParts.map((part) => part.commands).flatMap((all) => (all.some((name) => listed.includes(name)) ? [] : all)),
  );
