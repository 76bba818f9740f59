import type { MultifdCompression } from '../../reference/multifd/packet-layout.js';
import type { InputOptions } from './input.js';

/** Options that the reading `stream` commands share. */
export interface StreamOptions extends InputOptions {
  readonly channel?: readonly string[];
  readonly compression?: MultifdCompression;
  readonly pagesPerPacket?: number;
}
