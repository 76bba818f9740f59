/** Capabilities of each dialect and which of them exclude one another (commands.md §2.2 and §4, state-machine.md §10.4). */

/** Refuses a set in which all of `on` are on and, if given, at least one of `off` is off. */
export interface CapabilityConflict {
  readonly on: readonly string[];
  readonly off?: readonly string[];
  /** Only while the run state is `inmigrate`, and only when the first of `on` is newly switched on. */
  readonly onlyIncoming?: 'host-without-userfault' | 'incoming-started';
  /** Of a release it is not known whether it refuses the set. */
  readonly perhaps?: true;
  /** Only while the parameters ask for multifd compression or TLS. */
  readonly onlyWith?: 'compression-or-tls';
  readonly desc: string;
}

export const baselineCapabilities: readonly string[] = [
  'xbzrle',
  'rdma-pin-all',
  'auto-converge',
  'zero-blocks',
  'compress',
  'events',
  'postcopy-ram',
  'x-colo',
  'release-ram',
  'block',
  'return-path',
  'pause-before-switchover',
  'x-multifd',
  'dirty-bitmaps',
  'postcopy-blocktime',
  'late-block-activate',
];

/** Seen on a 4.2 and a 5.2. */
export const capabilities42: readonly string[] = [
  ...baselineCapabilities.map((name) => (name === 'x-multifd' ? 'multifd' : name)),
  'x-ignore-shared',
  'validate-uuid',
];
/** Seen on a 6.2. */
export const capabilities62: readonly string[] = [...capabilities42, 'background-snapshot'];
export const capabilities72: readonly string[] = [...capabilities62, 'zero-copy-send', 'postcopy-preempt'];

export const capabilities100: readonly string[] = [
  ...capabilities72.filter((name) => name !== 'compress' && name !== 'block'),
  'switchover-ack',
  'dirty-limit',
  'mapped-ram',
];

const pair = (a: string, b: string, desc: string): CapabilityConflict => ({ on: [a, b], desc });
const needsUserfault: CapabilityConflict = {
  on: ['postcopy-ram'],
  onlyIncoming: 'host-without-userfault',
  desc: 'Postcopy is not supported',
};

export const baselineConflicts: readonly CapabilityConflict[] = [
  pair('postcopy-ram', 'compress', 'Postcopy is not currently compatible with compression'),
  needsUserfault,
];

const withSnapshot = [
  'postcopy-ram',
  'dirty-bitmaps',
  'postcopy-blocktime',
  'late-block-activate',
  'return-path',
  'multifd',
  'pause-before-switchover',
  'auto-converge',
  'release-ram',
  'rdma-pin-all',
  'compress',
  'xbzrle',
  'x-colo',
  'validate-uuid',
  'zero-copy-send',
].map((other) => pair('background-snapshot', other, `Background-snapshot is not compatible with ${other}`));
export const zeroCopyText = 'Zero copy only available for non-compressed non-TLS multifd migration';
const zeroCopy: readonly CapabilityConflict[] = [
  { on: ['zero-copy-send'], off: ['multifd'], desc: zeroCopyText },
  pair('zero-copy-send', 'compress', zeroCopyText),
  pair('zero-copy-send', 'xbzrle', zeroCopyText),
  { on: ['zero-copy-send'], onlyWith: 'compression-or-tls', desc: zeroCopyText },
];
const preemptNeedsPostcopy: CapabilityConflict = {
  on: ['postcopy-preempt'],
  off: ['postcopy-ram'],
  desc: 'Postcopy preempt requires postcopy-ram',
};
const ignoreShared = pair('postcopy-ram', 'x-ignore-shared', 'Postcopy is not compatible with ignore-shared');

/** Seen on a 4.2. */
export const conflicts42: readonly CapabilityConflict[] = [...baselineConflicts, ignoreShared];
/** Seen on a 5.2. */
export const conflicts52: readonly CapabilityConflict[] = [needsUserfault, ignoreShared];
/** Seen on a 6.2. */
export const conflicts62: readonly CapabilityConflict[] = [
  ...conflicts52,
  ...withSnapshot.filter(({ on }) => !on.includes('zero-copy-send')),
];
export const conflicts72: readonly CapabilityConflict[] = [
  ...conflicts52,
  ...withSnapshot,
  ...zeroCopy,
  preemptNeedsPostcopy,
  pair('postcopy-preempt', 'compress', 'Postcopy preempt not compatible with compress'),
  pair('multifd', 'compress', 'Multifd is not compatible with compress'),
];

export const conflicts100: readonly CapabilityConflict[] = [
  needsUserfault,
  ignoreShared,
  pair('postcopy-ram', 'multifd', 'Postcopy is not yet compatible with multifd'),
  ...withSnapshot,
  ...zeroCopy,
  preemptNeedsPostcopy,
  {
    on: ['postcopy-preempt'],
    onlyIncoming: 'incoming-started',
    desc: 'Postcopy preempt must be set before incoming starts',
  },
  { on: ['multifd'], onlyIncoming: 'incoming-started', desc: 'Multifd must be set before incoming starts' },
  {
    on: ['switchover-ack'],
    off: ['return-path'],
    desc: "Capability 'switchover-ack' requires capability 'return-path'",
  },
  pair('dirty-limit', 'auto-converge', 'dirty-limit conflicts with auto-converge either of then available currently'),
  { on: ['dirty-limit'], desc: "dirty-limit requires KVM with accelerator property 'dirty-ring-size' set" },
  pair('multifd', 'xbzrle', 'Multifd is not compatible with xbzrle'),
  pair('mapped-ram', 'xbzrle', 'Mapped-ram migration is incompatible with xbzrle'),
  pair('mapped-ram', 'postcopy-ram', 'Mapped-ram migration is incompatible with postcopy'),
];

const ofMappedRam = (one: CapabilityConflict): boolean => one.on.includes('mapped-ram');

/** Between both, while there was compression of pages still (seen on an 8.2). */
export const capabilities82: readonly string[] = [...capabilities72, 'switchover-ack', 'dirty-limit'];
export const conflicts82: readonly CapabilityConflict[] = [
  ...conflicts100.filter((one) => !ofMappedRam(one)),
  pair('postcopy-preempt', 'compress', 'Postcopy preempt not compatible with compress'),
  pair('multifd', 'compress', 'Multifd is not compatible with compress'),
  pair('compress', 'xbzrle', 'Compression is not compatible with xbzrle'),
];

/** Pages go over data channels until the switch to postcopy (seen on a 10.1). */
export const conflicts101: readonly CapabilityConflict[] = conflicts100.filter(
  ({ on }) => !(on.includes('postcopy-ram') && on.includes('multifd')),
);

/** Seen on an 11.0. */
export const capabilities110: readonly string[] = capabilities100.filter((name) => name !== 'zero-blocks');
export const conflicts110: readonly CapabilityConflict[] = [
  { on: ['x-colo'], off: ['return-path'], desc: "Capability 'x-colo' requires capability 'return-path'" },
  ...conflicts101,
];

const same = (a: CapabilityConflict) => (b: CapabilityConflict) => a.desc === b.desc;
const inDoubt = (one: CapabilityConflict): CapabilityConflict => ({ ...one, perhaps: true });

/** Conflicts of releases between two others: they came one by one, so that those of one of the two alone are in doubt. */
export const conflictsBetween = (
  older: readonly CapabilityConflict[],
  newer: readonly CapabilityConflict[],
): readonly CapabilityConflict[] => [
  ...older.map((one) => (newer.some(same(one)) ? one : inDoubt(one))),
  ...newer.filter((one) => !older.some(same(one))).map(inDoubt),
];
