import type { ChannelBlock } from '../multifd/channel-reader.js';
import { MultifdReceiver } from '../multifd/multifd-receiver.js';
import { pageSize } from '../ram/guest-ram.js';
import { RamFlag } from '../stream/format.js';
import type { RamLoader } from '../stream/ram-loader.js';
import type { StreamBlock } from '../stream/stream-handler.js';
import type { Channel } from './channel.js';
import type { MigrationHost } from './host.js';
import type { MultifdSettings } from './outgoing-multifd.js';

const zero = Buffer.alloc(1);

/** The data channels of an incoming migration: the first connection is the main one, the others carry pages. */
export class IncomingMultifd {
  main: Channel | undefined;
  readonly receiver: MultifdReceiver;
  readonly #data: Channel[] = [];

  constructor(
    { ram, dialect, uuid }: Pick<MigrationHost, 'ram' | 'dialect' | 'uuid'>,
    loader: RamLoader,
    private readonly settings: MultifdSettings,
  ) {
    let known: typeof ram.blocks | undefined;
    let blocks = new Map<string, StreamBlock>();
    // RAM may take the shape of the stream before its first page comes.
    const find = (name: string): StreamBlock | undefined => {
      if (known !== ram.blocks) {
        known = ram.blocks;
        blocks = new Map(
          known.map((block) => [
            block.name,
            { name: block.name, length: block.bytes.length, index: block.index, pageSize },
          ]),
        );
      }
      return blocks.get(name);
    };
    const of = (block: ChannelBlock): StreamBlock => find(block.name)!;
    this.receiver = new MultifdReceiver({
      rules: dialect.stream,
      channels: settings.channels,
      block: find,
      compression: settings.compression,
      ...(uuid === undefined ? {} : { uuid }),
      ...(settings.pagesPerPacket === undefined ? {} : { pagesPerPacket: settings.pagesPerPacket }),
      sink: {
        pages: (block, offset, bytes, start, count) => loader.pages(of(block), offset, bytes, start, count),
        zeroPage: (block, offset) => loader.ramPage(of(block), offset, RamFlag.zero, zero, 0, 1),
      },
    });
  }

  /** Takes a connection; true when it is the last one that was missing. Surplus ones are closed. */
  add(channel: Channel): boolean {
    if (this.main === undefined) {
      this.main = channel;
      return this.settings.channels === 0;
    }
    if (!this.receiver.add(channel)) {
      channel.destroy();
      return false;
    }
    this.#data.push(channel);
    return this.#data.length === this.settings.channels;
  }

  destroy(): void {
    this.receiver.abort(new Error('the migration has ended'));
    this.main?.destroy();
    for (const channel of this.#data) channel.destroy();
  }
}
