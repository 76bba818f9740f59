import type { DialectName } from './dialect.js';

/** How a dialect's migration commands and state machine differ (state-machine.md §10, commands.md). */
export interface MigrationRules {
  /** Capability names in the order that `query-migrate-capabilities` lists them. */
  readonly capabilities: readonly string[];
}

const baseline = [
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
const since7 = [
  ...baseline.map((name) => (name === 'x-multifd' ? 'multifd' : name)),
  'x-ignore-shared',
  'validate-uuid',
  'background-snapshot',
  'zero-copy-send',
  'postcopy-preempt',
];

export const migrationRules: Readonly<Record<DialectName, MigrationRules>> = {
  '3.0': { capabilities: baseline },
  '7.2': { capabilities: since7 },
  '10.0': {
    capabilities: [
      ...since7.filter((name) => name !== 'compress' && name !== 'block'),
      'switchover-ack',
      'dirty-limit',
      'mapped-ram',
    ],
  },
};
