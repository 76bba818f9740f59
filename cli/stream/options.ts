import type { StreamRules } from '../../reference/dialects/stream.js';
import type { ChannelOptions } from '../../reference/multifd/channel-reader.js';
import type { MultifdCompression } from '../../reference/multifd/packet-layout.js';
import type { InputOptions } from './input.js';

/** Options that the reading `stream` commands share. */
export interface StreamOptions extends InputOptions {
  readonly channel?: readonly string[];
  readonly compression?: MultifdCompression;
  readonly pagesPerPacket?: number;
}

/** What the command line says of recorded data channels; what it leaves open lies in the channels themselves. */
export function channelOptions(
  { compression, pagesPerPacket }: StreamOptions,
  rules: StreamRules,
): Pick<ChannelOptions, 'rules' | 'anyUuid' | 'compression' | 'pagesPerPacket'> {
  return {
    rules,
    anyUuid: true,
    ...(compression === undefined ? {} : { compression }),
    ...(pagesPerPacket === undefined ? {} : { pagesPerPacket }),
  };
}
