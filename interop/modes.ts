/** The modes of migration that the matrix has a row for: what is switched on, and what happens meanwhile. */
import type { JsonObject } from '../protocol/json.js';
import type { DialectName } from '../reference/dialects/dialect.js';
import type { Machine } from './machine.js';
import type { Attempt } from './migrate.js';

export interface Mode {
  readonly name: string;
  /** Capabilities of the source, by the names of its release. */
  readonly source: (version: DialectName) => readonly string[];
  /** … and of the destination. */
  readonly destination: (version: DialectName) => readonly string[];
  /** Parameters of both ends. */
  readonly parameters?: (version: DialectName) => Readonly<Record<string, unknown>>;
  /** Parameters of the source alone. */
  readonly slow?: Readonly<Record<string, unknown>>;
  /** Needs several connections to one address. */
  readonly channels?: true;
  /** Needs drives. */
  readonly drives?: 'block' | 'bitmaps';
  /** Cuts the connection with `migrate-pause`. */
  readonly pauses?: true;
  /** The guest's pages change while it runs. */
  readonly dirtying?: true;
  /** The source's RAM is given back while it is sent: what was there is known from its image. */
  readonly releases?: true;
  /** Machine type with devices, on the side of a QEMU. */
  readonly machine?: 'pc' | 'microvm';
  /** Releases that have it; all if absent. */
  readonly versions?: readonly DialectName[];
  /** From the accepted `migrate` to the completed one; without it nothing has to be done. */
  readonly act?: (attempt: Attempt) => Promise<void>;
  /** Tells by the settled source whether it really took this way: what is missing, or undefined. */
  readonly missing?: (source: Machine) => Promise<string | undefined>;
}

const none = () => [];
const both = (...names: string[]) => ({ source: () => names, destination: () => names });
const multifd = (version: DialectName) => [version === '3.0' ? 'x-multifd' : 'multifd'];

/** Milliseconds from one write of the guest to the next, far below what a pass takes. */
const betweenWrites = 10;

/** Bytes a second that keep a migration of a few MiB under way until it is told to go on. */
const slowly = { 'max-bandwidth': 2_000_000 };
const quickly = { 'max-bandwidth': 1_000_000_000 };

const ram = async (source: Machine): Promise<JsonObject> => {
  const info = (await source.execute('query-migrate')) as JsonObject;
  return (info.ram ?? {}) as JsonObject;
};
const multifdUsed = async (source: Machine) =>
  Number((await ram(source))['multifd-bytes']) > 0 ? undefined : 'no bytes on the data channels';
const statusSeen = (status: string) => async (source: Machine) =>
  source.statuses.includes(status) ? undefined : `the source was never ${status}`;

function compressed(method: string): Mode {
  return {
    name: `multifd+${method}`,
    source: multifd,
    destination: multifd,
    channels: true,
    versions: ['7.2', '10.0'],
    parameters: () => ({ 'multifd-channels': 3, 'multifd-compression': method }),
    missing: multifdUsed,
  };
}

async function postcopy({ source }: Attempt): Promise<void> {
  await source.until(['active']);
  await source.execute('migrate-start-postcopy');
  await source.until(['postcopy-active']);
  await source.parameters(quickly);
}

/** Cuts the connection twice and goes on each time. */
async function pauseAndRecover(attempt: Attempt): Promise<void> {
  const { source, destination } = attempt;
  await source.until(['active']);
  await source.execute('migrate-start-postcopy');
  // Cut before the guest runs at the destination, the connection would take the migration with it (stream-format.md §9.3).
  await Promise.all([source.until(['postcopy-active']), destination.event('RESUME', 0)]);
  for (let time = 0; time < 2; time++) {
    const marks = [source.session.mark(), destination.session.mark()] as const;
    await source.execute('migrate-pause');
    await Promise.all([source.until(['postcopy-paused'], marks[0]), destination.until(['postcopy-paused'], marks[1])]);
    const again = [source.session.mark(), destination.session.mark()] as const;
    const addresses = await attempt.connect();
    await destination.execute('migrate-recover', { uri: addresses.destination });
    await source.execute('migrate', { uri: addresses.source, resume: true });
    await source.until(['postcopy-active'], again[0]);
    await destination.until(['postcopy-active'], again[1]);
  }
  await source.parameters({ ...quickly, ...(source.version === '3.0' ? {} : { 'max-postcopy-bandwidth': 0 }) });
}

async function cancelAndAgain(attempt: Attempt): Promise<void> {
  const { source, destination } = attempt;
  await source.until(['active']);
  await source.execute('migrate_cancel');
  await source.until(['cancelled']);
  const { code } = await destination.instance.exited(10_000);
  if (code !== 1) throw new Error(`the destination ended with status ${code} after the cancel`);
  await source.parameters(quickly);
  await attempt.again();
}

const deltas = async (source: Machine): Promise<number> => {
  const info = (await source.execute('query-migrate')) as JsonObject;
  return Number(((info['xbzrle-cache'] ?? {}) as JsonObject).pages ?? 0);
};

/**
 * Changes pages until some were sent as deltas: those that change again after they were sent whole in a later pass. The
 * switch-over waits, so that the last write is never too late.
 */
async function changeWhileSending({ source, dirty }: Attempt): Promise<void> {
  await source.until(['active']);
  while ((await deltas(source)) === 0 && !source.statuses.includes('pre-switchover')) {
    await dirty();
    await new Promise((resolve) => setTimeout(resolve, betweenWrites));
  }
  await source.parameters({ ...quickly, 'downtime-limit': 300 });
  await source.until(['pre-switchover']);
  await source.execute('migrate-continue', { state: 'pre-switchover' });
}

export const modes: readonly Mode[] = [
  { name: 'plain', source: none, destination: none },
  {
    name: 'xbzrle',
    source: () => ['xbzrle', 'pause-before-switchover'],
    destination: () => ['xbzrle'],
    dirtying: true,
    slow: { 'max-bandwidth': 3_000_000, 'downtime-limit': 1 },
    act: changeWhileSending,
    missing: async (source) => ((await deltas(source)) > 0 ? undefined : 'no page was sent as a delta'),
  },
  {
    name: 'compress',
    ...both('compress'),
    versions: ['3.0', '7.2'],
    missing: async (source) => {
      const { transferred } = await ram(source);
      // Half of the pages with something in them are text.
      return Number(transferred) < 2_500_000 ? undefined : `${transferred} bytes are too many for compressed pages`;
    },
  },
  {
    name: 'multifd',
    source: multifd,
    destination: multifd,
    channels: true,
    parameters: (version) => ({ [version === '3.0' ? 'x-multifd-channels' : 'multifd-channels']: 3 }),
    missing: multifdUsed,
  },
  {
    name: 'multifd+return-path',
    source: (version) => [...multifd(version), 'return-path'],
    destination: multifd,
    channels: true,
    missing: multifdUsed,
  },
  compressed('zlib'),
  compressed('zstd'),
  { name: 'postcopy', ...both('postcopy-ram'), slow: slowly, act: postcopy, missing: statusSeen('postcopy-active') },
  {
    name: 'postcopy pause and recover',
    ...both('postcopy-ram'),
    slow: { ...slowly, 'max-postcopy-bandwidth': 100_000 },
    pauses: true,
    act: pauseAndRecover,
    missing: statusSeen('postcopy-paused'),
  },
  {
    name: 'cancel and again',
    source: none,
    destination: none,
    slow: slowly,
    act: cancelAndAgain,
    missing: statusSeen('cancelled'),
  },
  { name: 'return-path', ...both('return-path') },
  {
    name: 'release-ram',
    ...both('postcopy-ram', 'release-ram'),
    releases: true,
    slow: slowly,
    act: postcopy,
    missing: statusSeen('postcopy-active'),
  },
  {
    name: 'pause-before-switchover',
    source: () => ['pause-before-switchover'],
    destination: none,
    act: async ({ source }) => {
      await source.until(['pre-switchover']);
      await source.execute('migrate-continue', { state: 'pre-switchover' });
    },
    missing: statusSeen('pre-switchover'),
  },
  { name: 'block', ...both('block'), drives: 'block', versions: ['3.0', '7.2'] },
  { name: 'dirty-bitmaps', ...both('dirty-bitmaps'), drives: 'bitmaps' },
  { name: 'machine pc', source: none, destination: none, machine: 'pc' },
  { name: 'machine microvm', source: none, destination: none, machine: 'microvm' },
];
