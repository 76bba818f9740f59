/** What `qmpspec stream make` was asked for, checked. */
import { type Dialect, type DialectName, dialects } from '../../../reference/dialects/dialect.js';
import { type MultifdCompression, packetLayout } from '../../../reference/multifd/packet-layout.js';
import { runStateNames } from '../../../reference/stream/device-layout.js';
import { UsageError } from '../../failures.js';

export interface MakeOptions {
  readonly out: string;
  readonly dialect: DialectName;
  readonly machine: string;
  readonly block: string;
  /** RAM of the machine in bytes; the rest behind the image is zero. */
  readonly size?: number;
  readonly capability?: readonly string[];
  /** Level of compressed pages; capability `compress` by itself. */
  readonly compress?: number;
  /** Image of what RAM holds in the first pass. */
  readonly before?: string;
  /** Percentage of the first pass that is sent before the switch to postcopy. */
  readonly switchAt?: number;
  /** Data channels; capability `multifd` by itself. */
  readonly channels?: number;
  readonly compression?: MultifdCompression;
  readonly level?: number;
  readonly pagesPerPacket?: number;
  readonly state: string;
  readonly devices: boolean;
  readonly vmdescription: boolean;
  readonly footers: boolean;
}

export interface MultifdPlan {
  readonly channels: number;
  readonly compression: MultifdCompression;
  readonly level: number;
  readonly pagesPerPacket: number | undefined;
}

export interface Plan {
  readonly dialect: Dialect;
  readonly machine: string;
  readonly block: string;
  readonly state: string;
  readonly devices: boolean;
  readonly vmdescription: boolean;
  readonly footers: boolean;
  /** Level of compressed pages; undefined for none. */
  readonly compress: number | undefined;
  /** Pages that change after the first pass go as deltas. */
  readonly xbzrle: boolean;
  readonly returnPath: boolean;
  /** Share of the first pass, 0 to 1, that is sent before the switch; undefined without postcopy. */
  readonly switchAt: number | undefined;
  readonly multifd: MultifdPlan | undefined;
}

const multifdNames = ['multifd', 'x-multifd'];
/** Capabilities that change what is written here. */
const writable = ['xbzrle', 'compress', 'postcopy-ram', 'return-path', ...multifdNames];
const usualChannels = 2;
const usualSwitch = 50;

/** @throws UsageError for what the dialect does not have, or what does not go together */
export function planOf(options: MakeOptions): Plan {
  const dialect = dialects[options.dialect];
  const on = capabilities(options, dialect);
  const compress = on.has('compress') ? (options.compress ?? 1) : undefined;
  if (compress !== undefined && !dialect.stream.compressedPages) {
    throw new UsageError(`dialect ${options.dialect} has no compressed pages`);
  }
  if (!runStateNames.includes(options.state)) {
    throw new UsageError(`'${options.state}' is no run state; one of ${runStateNames.join(', ')}`);
  }
  const xbzrle = on.has('xbzrle');
  if (xbzrle && options.before === undefined) {
    throw new UsageError('xbzrle needs --before FILE: what RAM held when it was sent whole, for the deltas to change');
  }
  const postcopy = on.has('postcopy-ram');
  if (options.switchAt !== undefined && !postcopy) {
    throw new UsageError('--switch-at says when to go over to postcopy: add --capability postcopy-ram');
  }
  const multifd = on.has(dialect.migration.multifd.capability) ? multifdPlan(options, dialect) : undefined;
  if (multifd === undefined) needsChannels(options);
  else if (xbzrle || compress !== undefined) {
    throw new UsageError('pages of multifd go over the data channels, so that none is left for xbzrle or compress');
  } else if (postcopy && dialect.stream.flushRecords) {
    throw new UsageError(`postcopy and multifd do not go together in dialect ${options.dialect}`);
  }
  const { machine, block, state, devices, vmdescription, footers } = options;
  return {
    ...{ dialect, machine, block, state, devices, vmdescription, footers, compress, xbzrle, multifd },
    returnPath: postcopy || on.has('return-path'),
    switchAt: postcopy ? (options.switchAt ?? usualSwitch) / 100 : undefined,
  };
}

function capabilities(options: MakeOptions, dialect: Dialect): ReadonlySet<string> {
  const on = new Set(options.capability);
  const known = writable.filter((name) => dialect.migration.capabilities.includes(name));
  for (const name of on) {
    if (known.includes(name)) continue;
    const what = dialect.migration.capabilities.includes(name)
      ? `changes nothing in a made stream`
      : `is no capability of dialect ${options.dialect}`;
    throw new UsageError(`'${name}' ${what}; one of ${known.join(', ')}`);
  }
  if (options.compress !== undefined) on.add('compress');
  if (options.channels !== undefined) on.add(dialect.migration.multifd.capability);
  return on;
}

function needsChannels({ compression, level, pagesPerPacket }: MakeOptions): void {
  const wrong = Object.entries({ compression, level, 'pages-per-packet': pagesPerPacket }).find(
    ([, value]) => value !== undefined,
  );
  if (wrong !== undefined) throw new UsageError(`--${wrong[0]} is about data channels: add --channels N`);
}

function multifdPlan(options: MakeOptions, dialect: Dialect): MultifdPlan {
  const { compression = 'none', channels = usualChannels, level = 1, pagesPerPacket } = options;
  const layout = packetLayout(dialect.stream);
  if (options.out === '-')
    throw new UsageError('data channels are files beside the stream: give -o a file or an address');
  if (compression !== 'none' && layout.methodMask === 0) {
    throw new UsageError(`dialect ${options.dialect} has no multifd compression`);
  }
  if (compression === 'none' && options.level !== undefined) {
    throw new UsageError('--level is that of the channels: add --compression zlib or zstd');
  }
  const most = compression === 'zlib' ? 9 : 20;
  if (level > most) throw new UsageError(`--level of ${compression} is 0 to ${most}`);
  if (pagesPerPacket !== undefined && !layout.adjustable) {
    throw new UsageError(`packets of dialect ${options.dialect} always have room for ${layout.defaultPages} pages`);
  }
  return { channels, compression, level, pagesPerPacket };
}
