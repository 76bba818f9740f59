/** Transitions that no client can bring about on a machine without devices, or cannot tell from others, and why. */

interface Rule {
  readonly side?: 'outgoing' | 'incoming' | 'command';
  /** The label begins like this. */
  readonly label?: RegExp;
  readonly rows?: RegExp;
  readonly reason: string;
}

const rules: readonly Rule[] = [
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
    reason: 'shows nothing and changes nothing that a client can see',
  },
  { side: 'incoming', label: /^command-ignored$/, reason: 'shows nothing and changes nothing that a client can see' },
  { label: /^internal-error$/, reason: 'needs a fault inside the source itself' },
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
export function outOfReach(transition: {
  readonly side: string;
  readonly label: string;
  readonly rows: readonly string[];
}): string | undefined {
  const rows = transition.rows.join(' ');
  return rules.find(
    (rule) =>
      (rule.side === undefined || rule.side === transition.side) &&
      (rule.label === undefined || rule.label.test(transition.label)) &&
      (rule.rows === undefined || rule.rows.test(rows)),
  )?.reason;
}
