/** Properties of the migration (`-global migration.NAME=VALUE`) of each dialect. */

/** What the capabilities and parameters are called there, where it is not their own name, and what there is besides. */
export interface PropertyRules {
  /** Capabilities that can be switched on, by the property's name. */
  readonly capabilities: Readonly<Record<string, string>>;
  /** Parameters that can be set, by the property's name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Properties that are neither. */
  readonly others: readonly string[];
}

const prefixed = (names: readonly string[]) => Object.fromEntries(names.map((name) => [`x-${name}`, name]));
const plain = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, name]));

const capabilities = [
  ...['xbzrle', 'rdma-pin-all', 'auto-converge', 'events', 'postcopy-ram', 'release-ram', 'return-path'],
];
const untilSeven = ['zero-blocks', 'compress', 'block'];
const compression = ['compress-level', 'compress-threads', 'decompress-threads'];
const throttling = ['cpu-throttle-initial', 'cpu-throttle-increment', 'max-bandwidth', 'downtime-limit'];
const common = ['xbzrle-cache-size', 'max-postcopy-bandwidth', 'max-cpu-throttle', 'x-checkpoint-delay'];
const sinceSeven = {
  prefixed: [...throttling, 'throttle-trigger-threshold', 'cpu-throttle-tailslow'],
  plain: [
    ...[...common, 'tls-creds', 'tls-hostname', 'tls-authz', 'multifd-channels', 'multifd-compression'],
    ...['multifd-zlib-level', 'multifd-zstd-level'],
    ...['announce-initial', 'announce-max', 'announce-rounds', 'announce-step'],
  ],
};
const others = ['store-global-state', 'send-configuration', 'send-section-footer'];

export const baselineProperties: PropertyRules = {
  capabilities: { ...prefixed([...capabilities, ...untilSeven]), ...plain(['x-colo', 'x-multifd']) },
  parameters: {
    ...prefixed([...compression, ...throttling]),
    ...plain([...common, 'x-multifd-channels', 'x-multifd-page-count']),
  },
  others: [...others, 'decompress-error-check'],
};

export const properties72: PropertyRules = {
  capabilities: {
    ...prefixed([...capabilities, ...untilSeven, 'multifd', 'background-snapshot']),
    ...prefixed(['zero-copy-send', 'postcopy-preempt']),
    ...plain(['x-colo']),
  },
  parameters: {
    ...prefixed([...compression, 'compress-wait-thread', ...sinceSeven.prefixed]),
    ...plain(sinceSeven.plain),
  },
  others: [...others, 'decompress-error-check', 'x-clear-bitmap-shift'],
};

export const properties100: PropertyRules = {
  capabilities: {
    ...prefixed([...capabilities, 'zero-blocks', 'multifd', 'background-snapshot', 'zero-copy-send']),
    ...prefixed(['postcopy-preempt', 'switchover-ack', 'dirty-limit']),
    ...plain(['x-colo', 'mapped-ram']),
  },
  parameters: {
    ...prefixed(sinceSeven.prefixed),
    ...plain([...sinceSeven.plain, 'multifd-qatzip-level', 'avail-switchover-bandwidth', 'vcpu-dirty-limit']),
    ...plain(['x-vcpu-dirty-limit-period', 'mode', 'zero-page-detection']),
  },
  others: [
    ...[...others, 'x-clear-bitmap-shift', 'x-preempt-pre-7-2', 'multifd-flush-after-each-section'],
    ...['multifd-clean-tls-termination', 'send-switchover-start'],
  ],
};
