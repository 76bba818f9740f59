/** Transitions that no client can bring about on a machine without devices, or cannot tell from others, and why. */

import type { MigrationRules } from '../reference/dialects/migration.js';

/** What is asked for a reason: the monitor's dialect and the known defects of its release. */
interface Release {
  readonly rules: MigrationRules;
  readonly defects: ReadonlySet<string>;
}

interface Rule {
  readonly side?: 'outgoing' | 'incoming' | 'command';
  /** The label begins like this. */
  readonly label?: RegExp;
  readonly rows?: RegExp;
  /** Releases that it is about; all when absent. */
  readonly of?: (release: Release) => boolean;
  readonly reason: string;
}

/** The step is there, but only a switch between two threads at one certain instruction lets it happen. */
const instant = 'has to hit a moment of some microseconds between two threads, which no client can aim at';
const unseen = 'shows nothing and changes nothing that a client can see';

const table: readonly Rule[] = [
  {
    side: 'incoming',
    label: /^(listening|listen-failed)$/,
    rows: /MIG-SM-I0[12]/,
    reason: 'happens while the process starts, before a client can connect to its monitor',
  },
  {
    side: 'incoming',
    label:
      /^loaded:(shutdown|suspended|watchdog|io-error|internal-error|guest-panicked|finish-migrate|colo|inmigrate)$/,
    reason: 'no guest of a machine without devices comes into this run state before it is migrated',
  },
  {
    side: 'outgoing',
    label: /^(message-ignored|page-request|dirty-sync)$/,
    rows: /O63|O56/,
    reason: unseen,
  },
  { side: 'incoming', label: /^command-ignored$/, reason: unseen },
  { side: 'incoming', label: /^discarded$/, reason: unseen },
  { side: 'outgoing', label: /^peer-closed$/, rows: /O34/, reason: unseen },
  {
    side: 'incoming',
    label: /^bitmap-sent$/,
    reason: 'shows on the way back of the migration only, and not to a client of the monitor',
  },
  {
    side: 'outgoing',
    label: /^set-up-failed/,
    reason: 'looks like a channel that breaks a moment later (MIG-SM-O21), which always explains it, too',
  },
  {
    side: 'incoming',
    label: /^run-paused$/,
    reason: 'looks like a guest that starts and a channel that breaks right after it (MIG-SM-I36, MIG-SM-I46)',
  },
  { side: 'incoming', label: /^(run-doomed|run-in-vain)$/, reason: instant },
  { side: 'incoming', label: /^(failover-early|failover-early-as-error|exit-announced)$/, reason: instant },
  { side: 'outgoing', label: /^(exit-announced|postcopy-start-failed)$/, reason: instant },
  { side: 'outgoing', label: /^(dirty-sync|converged|final-sync)$/, rows: /MIG-SM-C0/, reason: instant },
  { side: 'command', label: /^migrate: refused-late$/, rows: /MIG-CMD-MIG-22 MIG-SM-I24/, reason: instant },
  {
    side: 'incoming',
    label: /^load-failed$/,
    rows: /^MIG-SM-I20$/,
    of: ({ rules }) => !rules.recoverSetup,
    reason: 'needs exit-on-error, an argument that came with a later release',
  },
  {
    side: 'command',
    label: /^migrate_cancel: refused$/,
    rows: /MIG-SM-C11/,
    of: ({ defects }) => defects.has('MIG-DEF-02'),
    reason: 'a known defect of this release is in its place (MIG-DEF-02)',
  },
  {
    side: 'incoming',
    label: /^channel-error$/,
    rows: /MIG-SM-I55/,
    of: ({ defects }) => defects.has('MIG-DEF-07'),
    reason: 'a known defect of this release is in its place (MIG-DEF-07)',
  },
  { label: /: shutdown-failed$/, reason: 'needs an operating system that cannot shut a connected socket down' },
  {
    side: 'command',
    label: /^(xen-|query-xen|client_migrate_info)/,
    reason: 'needs a build with Xen or SPICE, or writes to a path of the host',
  },
  {
    rows: /^MIG-CMD-GEN-01$/,
    reason: "the command is not in the target's schema, which refuses it before the model is asked",
  },
  { rows: /MIG-SM-E02|MIG-SM-R0[2-8]\b.*MIG-SM-R14/, reason: 'an order of two threads that no client can bring about' },
  { label: /: reply-later$/, reason: 'an order of two threads that no client can bring about' },
  { side: 'outgoing', label: /^failover-as-error$/, reason: 'a race inside the source that no client can tell apart' },
  {
    side: 'incoming',
    label: /^failover-as-error$/,
    reason: 'a race inside the destination that no client can tell apart',
  },
];

/** `undefined` for a transition that can be reached. */
export function outOfReach(
  transition: { readonly side: string; readonly label: string; readonly rows: readonly string[] },
  release: Release,
): string | undefined {
  const rows = transition.rows.join(' ');
  return table.find(
    (rule) =>
      (rule.of === undefined || rule.of(release)) &&
      (rule.side === undefined || rule.side === transition.side) &&
      (rule.label === undefined || rule.label.test(transition.label)) &&
      (rule.rows === undefined || rule.rows.test(rows)),
  )?.reason;
}
