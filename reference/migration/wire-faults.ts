import type { PacketWriter } from '../multifd/packet-writer.js';
import type { XbzrleCounters } from '../ram/xbzrle-counters.js';
import type { XbzrleEncoder } from '../ram/xbzrle-encoder.js';
import type { RamLoader } from '../stream/ram-loader.js';
import type { ReturnPathWriter } from '../stream/return-path-writer.js';
import type { StreamHandler } from '../stream/stream-handler.js';
import type { StreamReaderOptions } from '../stream/stream-reader.js';
import type { StreamWriter } from '../stream/stream-writer.js';
import type { RamSource } from './ram-source.js';
import type { Statistics } from './statistics.js';

/**
 * Where planted faults reach into the data path: each is told of a part when an engine has made it, and changes that one
 * object. An honest machine has none of this, so nothing is asked on the hot paths.
 */
export interface WireFaults {
  /** What writes the stream, and what writes the items of a postcopy package. */
  writer?(writer: StreamWriter): void;
  /** What searches dirty pages, and what it writes their records with. */
  source?(source: RamSource, statistics: Statistics, writer: StreamWriter): void;
  /** The XBZRLE step of a source, and its counters. */
  xbzrle?(encoder: XbzrleEncoder, counters: XbzrleCounters): void;
  /** What writes the packets of one multifd channel. */
  packets?(writer: PacketWriter, channel: number): void;
  /** What a destination's reader is told of its own machine. */
  reader?(options: StreamReaderOptions): StreamReaderOptions;
  /** What a destination does with what was read. */
  handler?(handler: StreamHandler, loader: RamLoader): StreamHandler;
  /** What a destination answers. */
  returnPath?(writer: ReturnPathWriter): void;
}
