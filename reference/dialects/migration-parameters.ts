/** Migration parameters of each dialect, in the order in which their ranges are checked (commands.md §5 and §6). */
import { zeroCopyText } from './migration-capabilities.js';

/** A capability that goes with neither multifd compression nor TLS. */
export interface UnwrappedCapability {
  readonly capability: string;
  /** Whose parameters must not ask for them: those that would result, or those that held before. */
  readonly of: 'result' | 'before';
  readonly error: string;
}

export interface ParameterRule {
  readonly name: string;
  /** `text` also takes null, which means the empty text; `any` keeps the value as it came. */
  readonly kind: 'integer' | 'boolean' | 'text' | 'enum' | 'any';
  /** Stored width of an integer, in bits. */
  readonly bits?: 8 | 32 | 64;
  /** Value of a fresh process; integers as decimal text. Without one the parameter is not shown until it is set. */
  readonly initial?: string | boolean;
  /** Legal values, both ends included; checked after the wrap-around. */
  readonly range?: readonly [bigint, bigint];
  /** A check that a range cannot express. */
  readonly check?: 'cache-size' | 'power-of-two' | 'max-throttle' | 'bitmap-mapping';
  /** Whole error text of a failed check. */
  readonly error?: string;
  /** Checks of the whole that follow this parameter's own. */
  readonly wholeChecks?: readonly UnwrappedCapability[];
  /** Accepted without any check and without any effect. */
  readonly ignored?: true;
}

const u64max = 2n ** 64n - 1n;
const expects = (name: string, tail: string) => `Parameter '${name}' expects ${tail}`;
const underscored = (name: string) => name.replaceAll('-', '_');

/** How a dialect words a range: baseline `is invalid, it should be …`, later `a value between …`. */
type Wording = (low: bigint, high: bigint) => string;
const baselineWording: Wording = (low, high) => `is invalid, it should be in the range of ${low} to ${high}`;
const laterWording: Wording = (low, high) => `a value between ${low} and ${high}`;
const integerWording: Wording = (low, high) => `an integer in the range of ${low} to ${high}`;

function ranged(
  name: string,
  bits: 8 | 32 | 64,
  initial: string,
  low: bigint,
  high: bigint,
  wording: Wording,
  shown = underscored(name),
): ParameterRule {
  return {
    name,
    kind: 'integer',
    bits,
    initial,
    range: [low, high],
    error: expects(shown, wording(low, high)),
  };
}
const free = (name: string, bits: 8 | 32 | 64, initial: string): ParameterRule => ({
  name,
  kind: 'integer',
  bits,
  initial,
});
const flag = (name: string, initial: boolean): ParameterRule => ({ name, kind: 'boolean', initial });
const text = (name: string): ParameterRule => ({ name, kind: 'text', initial: '' });
const choice = (name: string, initial: string): ParameterRule => ({ name, kind: 'enum', initial });

const compression = (wording: Wording) => [
  ranged('compress-level', 8, '1', 0n, 9n, wording),
  ranged('compress-threads', 8, '8', 1n, 255n, wording),
  ranged('decompress-threads', 8, '2', 1n, 255n, wording),
];
const throttling = [
  ranged('cpu-throttle-initial', 8, '20', 1n, 99n, integerWording),
  ranged('cpu-throttle-increment', 8, '10', 1n, 99n, integerWording),
];
const maximumThrottle: ParameterRule = {
  name: 'max-cpu-throttle',
  kind: 'integer',
  bits: 8,
  initial: '99',
  check: 'max-throttle',
  error: expects('max_cpu_throttle', 'an integer in the range of cpu_throttle_initial to 99'),
};
const cacheSize = (tail: string): ParameterRule => ({
  name: 'xbzrle-cache-size',
  kind: 'integer',
  bits: 64,
  initial: '67108864',
  check: 'cache-size',
  error: expects('xbzrle_cache_size', tail),
});
const downtime = (tail: string): ParameterRule => ({
  ...ranged('downtime-limit', 64, '300', 0n, 2_000_000n, integerWording),
  error: expects('downtime_limit', tail),
});

export const baselineParameters: readonly ParameterRule[] = [
  ...compression(baselineWording),
  ...throttling,
  text('tls-creds'),
  text('tls-hostname'),
  free('max-bandwidth', 64, '33554432'),
  downtime('an integer in the range of 0 to 2000000 milliseconds'),
  free('x-checkpoint-delay', 32, '200'),
  flag('block-incremental', false),
  ranged('x-multifd-channels', 8, '2', 1n, 255n, baselineWording, 'multifd_channels'),
  ranged('x-multifd-page-count', 32, '16', 1n, 10_000n, baselineWording, 'multifd_page_count'),
  cacheSize('is invalid, it should be bigger than target page size and a power of two'),
  free('max-postcopy-bandwidth', 64, '0'),
  maximumThrottle,
];

/** How the times of the announcements, their number and the step between them are worded. */
const announcing = (times: Wording, rounds: Wording, step: Wording) => [
  ranged('announce-initial', 64, '50', 0n, 100_000n, times),
  ranged('announce-max', 64, '550', 0n, 100_000n, times),
  ranged('announce-rounds', 64, '5', 0n, 1_000n, rounds),
  ranged('announce-step', 64, '100', 1n, 10_000n, step),
];
const laterAnnouncing = announcing(laterWording, laterWording, (_low, high) => laterWording(0n, high));
const must = (low: bigint, high: bigint) => `is invalid, it must be in the range of ${low} to ${high}`;
const olderAnnouncing = announcing(
  (_low, high) => `is invalid, it must be less than ${high} ms`,
  must,
  (low, high) => `${must(low, high)} ms`,
);
const zeroCopy: UnwrappedCapability = { capability: 'zero-copy-send', of: 'result', error: zeroCopyText };
/** A real 10.0 looks at what holds and not at what would: compression is taken once, and then nothing more. */
const mappedRam: UnwrappedCapability = {
  capability: 'mapped-ram',
  of: 'before',
  error: 'Mapped-ram only available for non-compressed non-TLS multifd migration',
};

const laterCommon = (
  levels: readonly ParameterRule[],
  wholeChecks: readonly UnwrappedCapability[],
): ParameterRule[] => [
  ranged('throttle-trigger-threshold', 8, '50', 1n, 100n, integerWording),
  ...throttling,
  flag('cpu-throttle-tailslow', false),
  text('tls-creds'),
  text('tls-hostname'),
  text('tls-authz'),
  { ...free('max-bandwidth', 64, '134217728'), range: [0n, u64max] },
  downtime('an integer in the range of 0 to (2000 * 1000) ms'),
  free('x-checkpoint-delay', 32, '20000'),
  ranged('multifd-channels', 8, '2', 1n, 255n, laterWording),
  choice('multifd-compression', 'none'),
  ...levels,
  cacheSize('a power of two no less than the target page size'),
  free('max-postcopy-bandwidth', 64, '0'),
  maximumThrottle,
  ...laterAnnouncing,
  { name: 'block-bitmap-mapping', kind: 'any', check: 'bitmap-mapping', wholeChecks },
];

/** A real 7.2 takes any level, and neither stores nor shows it. */
const unusedLevel = (name: string): ParameterRule => ({ ...free(name, 8, '1'), ignored: true });

const older = (throttle: readonly ParameterRule[], bandwidth: string, limit: string): ParameterRule[] => [
  ...compression(baselineWording),
  flag('compress-wait-thread', true),
  flag('block-incremental', false),
  ...throttle,
  text('tls-creds'),
  text('tls-hostname'),
  text('tls-authz'),
  free('max-bandwidth', 64, bandwidth),
  downtime(limit),
  free('x-checkpoint-delay', 32, '20000'),
  ranged('multifd-channels', 8, '2', 1n, 255n, baselineWording),
];

/** Seen on a 4.2. */
export const parameters42: readonly ParameterRule[] = [
  ...older(throttling, '33554432', 'an integer in the range of 0 to 2000000 milliseconds'),
  cacheSize('is invalid, it should be bigger than target page size and a power of two'),
  free('max-postcopy-bandwidth', 64, '0'),
  maximumThrottle,
  ...olderAnnouncing,
];

/** Seen on a 5.2. */
export const parameters52: readonly ParameterRule[] = [
  ...older(
    [
      ranged('throttle-trigger-threshold', 8, '50', 1n, 100n, integerWording),
      ...throttling,
      flag('cpu-throttle-tailslow', false),
    ],
    '134217728',
    'an integer in the range of 0 to (2000 * 1000) ms',
  ),
  choice('multifd-compression', 'none'),
  unusedLevel('multifd-zlib-level'),
  unusedLevel('multifd-zstd-level'),
  cacheSize('is invalid, it should be bigger than target page size and a power of 2'),
  free('max-postcopy-bandwidth', 64, '0'),
  maximumThrottle,
  ...olderAnnouncing,
  { name: 'block-bitmap-mapping', kind: 'any', check: 'bitmap-mapping' },
];

export const parameters72: readonly ParameterRule[] = [
  ...compression(laterWording),
  flag('compress-wait-thread', true),
  flag('block-incremental', false),
  ...laterCommon([unusedLevel('multifd-zlib-level'), unusedLevel('multifd-zstd-level')], [zeroCopy]),
];

const limits = (error: string): ParameterRule[] => [
  free('avail-switchover-bandwidth', 64, '0'),
  ranged('x-vcpu-dirty-limit-period', 64, '1000', 1n, 1000n, laterWording, 'x-vcpu-dirty-limit-period'),
  { ...free('vcpu-dirty-limit', 64, '1'), range: [1n, u64max], error },
  choice('mode', 'normal'),
];

/** Seen on an 8.2. */
export const parameters82: readonly ParameterRule[] = [
  ...parameters72,
  ...limits("Parameter 'vcpu_dirty_limit' expects is invalid, it must greater then 1 MB/s"),
];

export const parameters100: readonly ParameterRule[] = [
  ...laterCommon(
    [
      ranged('multifd-zlib-level', 8, '1', 0n, 9n, laterWording),
      ranged('multifd-qatzip-level', 8, '1', 1n, 9n, laterWording),
      ranged('multifd-zstd-level', 8, '1', 0n, 20n, laterWording),
    ],
    [zeroCopy, mappedRam],
  ),
  ...limits("Parameter 'vcpu_dirty_limit' must be greater than 1 MB/s"),
  choice('zero-page-detection', 'multifd'),
  flag('direct-io', false),
];

/** Seen on a 10.2. */
export const parameters102: readonly ParameterRule[] = [...parameters100, { name: 'cpr-exec-command', kind: 'any' }];

/** The parameters are called by their own names in errors. */
const hyphened = (rule: ParameterRule): ParameterRule => {
  const { error, name } = rule;
  if (error === undefined) return rule;
  const [, tail] = /^Parameter '\S+' expects (.*)$/.exec(error) ?? [];
  if (tail === undefined) return { ...rule, error: error.replace(underscored(name), name) };
  return { ...rule, error: `Option ${name} expects ${tail.replace('cpu_throttle_initial', 'cpu-throttle-initial')}` };
};

/** Seen on an 11.0. */
export const parameters110: readonly ParameterRule[] = parameters102.map(hyphened);

/** Seen on an 11.1. */
export const parameters111: readonly ParameterRule[] = [
  ...parameters110,
  {
    ...free('x-rdma-chunk-size', 64, '1048576'),
    check: 'power-of-two',
    range: [2n ** 20n, 2n ** 30n],
    error: 'Option x_rdma_chunk_size expects a power of 2 in the range 1MiB to 1024MiB',
  },
];
