import type { Dialect } from '../dialects/dialect.js';
import type { MigrationUri } from '../model/index.js';
import { MultifdSender } from '../multifd/multifd-sender.js';
import type { MultifdCompression } from '../multifd/packet-layout.js';
import type { Channel } from './channel.js';
import type { MigrationHost } from './host.js';
import { hostNetwork } from './network.js';
import type { Settings } from './settings.js';

/** How both ends agree on the data channels. */
export interface MultifdSettings {
  readonly channels: number;
  readonly compression: MultifdCompression;
  readonly level: number;
  /** Offsets in a packet, where that is a parameter. */
  readonly pagesPerPacket: number | undefined;
}

/** Present parameters of multifd, or undefined while its capability is off. */
export function multifdSettings(settings: Settings, dialect: Dialect): MultifdSettings | undefined {
  const { capability, channels } = dialect.migration.multifd;
  if (!settings.on(capability)) return undefined;
  const method = settings.text('multifd-compression');
  const compression = method === 'zlib' || method === 'zstd' ? method : 'none';
  const count = Number(settings.integer('x-multifd-page-count'));
  return {
    channels: Number(settings.integer(channels)),
    compression,
    level: compression === 'none' ? 1 : Number(settings.integer(`multifd-${compression}-level`)),
    pagesPerPacket: count === 0 ? undefined : count,
  };
}

/** Channels are synchronised at FLUSH records, not at every EOS (multifd.md §4). */
export const syncsAtFlush = (host: MigrationHost): boolean =>
  host.dialect.stream.flushRecords && !(host.property?.('multifd-flush-after-each-section', false) ?? false);

/** The data channels of an outgoing migration (multifd.md). */
export class OutgoingMultifd {
  private constructor(
    readonly sender: MultifdSender,
    private readonly channels: readonly Channel[],
  ) {}

  /** Connects every channel and sends its initial packet. @throws ConnectError or ChannelError */
  static async connect(
    uri: Extract<MigrationUri, { kind: 'tcp' | 'unix' }>,
    { dialect, clock, network = hostNetwork, uuid, wire }: MigrationHost,
    settings: MultifdSettings,
  ): Promise<OutgoingMultifd> {
    const channels: Channel[] = [];
    try {
      for (let i = 0; i < settings.channels; i++) {
        channels.push(await network.connect(uri, dialect.migration, clock).channel);
      }
      const sender = new MultifdSender({
        rules: dialect.stream,
        sinks: channels.map((channel) => ({ write: (buffers) => channel.send(buffers) })),
        compression: settings.compression,
        level: settings.level,
        writer: (writer, channel) => wire?.packets?.(writer, channel),
        ...(uuid === undefined ? {} : { uuid }),
        ...(settings.pagesPerPacket === undefined ? {} : { pagesPerPacket: settings.pagesPerPacket }),
      });
      await sender.start();
      return new OutgoingMultifd(sender, channels);
    } catch (error) {
      for (const channel of channels) channel.destroy();
      throw error;
    }
  }

  /** Lets what has been written go out, then ends the channels. */
  finish(): void {
    this.sender.close();
    for (const channel of this.channels) channel.finish();
  }

  destroy(): void {
    this.sender.close();
    for (const channel of this.channels) channel.destroy();
  }
}
