import type { StreamRules } from '../dialects/stream.js';
import { pageSize } from '../ram/guest-ram.js';
import { isZeroPage } from '../ram/zero-page.js';
import type { MultifdCompression } from './packet-layout.js';
import { type PacketBlock, PacketWriter } from './packet-writer.js';

/** A data connection of the source. */
export interface ChannelSink {
  /** Resolves when the buffers may be reused and the channel takes more; rejects when the connection is broken. */
  write(buffers: readonly Buffer[]): Promise<void>;
}

export interface MultifdSenderOptions {
  readonly rules: StreamRules;
  readonly sinks: readonly ChannelSink[];
  readonly uuid?: Buffer;
  readonly pagesPerPacket?: number;
  readonly compression?: MultifdCompression;
  readonly level?: number;
  /** Told of each channel's writer before it writes anything. */
  readonly writer?: (writer: PacketWriter, channel: number) => void;
}

interface Channel {
  readonly sink: ChannelSink;
  readonly writer: PacketWriter;
  /** Work in progress; resolves when the channel is idle. */
  busy: Promise<void> | undefined;
}

/** The sending side of multifd: collects pages of one block into packets and spreads them over idle channels. */
export class MultifdSender {
  readonly #channels: Channel[];
  readonly #pagesPerPacket: number;
  #block: PacketBlock | undefined;
  #offsets: number[] = [];
  #packetNum = 0;
  #next = 0;
  #bytes = 0;
  #failed: { error: unknown } | undefined;

  constructor(private readonly options: MultifdSenderOptions) {
    const { rules, uuid, pagesPerPacket, compression, level } = options;
    this.#channels = options.sinks.map((sink, channel) => {
      const writer = new PacketWriter({
        rules,
        channel,
        ...(uuid === undefined ? {} : { uuid }),
        ...(pagesPerPacket === undefined ? {} : { pagesPerPacket }),
        ...(compression === undefined ? {} : { compression }),
        ...(level === undefined ? {} : { level }),
      });
      options.writer?.(writer, channel);
      return { sink, writer, busy: undefined };
    });
    this.#pagesPerPacket = this.#channels[0]?.writer.pagesPerPacket ?? 0;
  }

  /** `ram.multifd-bytes` as the dialect counts it (multifd.md §7). */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sends the initial packet on every channel. */
  async start(): Promise<void> {
    await Promise.all(
      this.#channels.map(({ sink, writer }) => {
        const packet = writer.initial();
        if (this.#countsAll()) this.#bytes += packet.length;
        return sink.write([packet]);
      }),
    );
  }

  /**
   * Adds a page. The result is only to be awaited when it is a promise: the packet became full and no channel was idle.
   * The page must stay as it is until the next {@link sync}, or be sent again.
   */
  page(block: PacketBlock, offset: number): Promise<void> | undefined {
    let handed: Promise<void> | undefined;
    if (this.#block !== block && this.#offsets.length > 0) handed = this.#handOut();
    if (handed !== undefined) return handed.then(() => this.page(block, offset));
    this.#block = block;
    this.#offsets.push(offset);
    return this.#offsets.length >= this.#pagesPerPacket ? this.#handOut() : undefined;
  }

  /** Hands out collected pages, sends SYNC on every channel and resolves when all of it has been written. */
  async sync(): Promise<void> {
    if (this.#offsets.length > 0) await this.#handOut();
    const done = this.#channels.map((channel) => {
      const num = this.#packetNum++;
      const packet = channel.writer.sync(num);
      if (this.options.rules.multifdBytes !== 'pages') this.#bytes += packet.length;
      return this.#after(channel, () => channel.sink.write([packet]));
    });
    await Promise.all(done);
    this.#check();
  }

  /** Frees the compressors. The connections are the caller's to close. */
  close(): void {
    for (const { writer } of this.#channels) writer.close();
  }

  /** Gives the collected pages to a channel; a promise only if one must become idle first. */
  #handOut(): Promise<void> | undefined {
    this.#check();
    const block = this.#block!;
    const offsets = this.#offsets;
    this.#offsets = [];
    const count = this.#channels.length;
    for (let i = 0; i < count; i++) {
      const channel = this.#channels[(this.#next + i) % count]!;
      if (channel.busy !== undefined) continue;
      this.#next = (this.#next + i + 1) % count;
      this.#send(channel, block, offsets);
      return undefined;
    }
    return Promise.race(this.#channels.map(({ busy }) => busy)).then(() => {
      const idle = this.#channels.find(({ busy }) => busy === undefined) ?? this.#channels[this.#next]!;
      this.#check();
      this.#send(idle, block, offsets);
    });
  }

  #send(channel: Channel, block: PacketBlock, offsets: readonly number[]): void {
    const num = this.#packetNum++;
    const work = this.#after(channel, async () => {
      const [normal, zero] = this.#split(channel, block, offsets);
      const buffers = await channel.writer.pages({ block, offsets: normal, zeroOffsets: zero }, num);
      this.#count(buffers, normal.length);
      await channel.sink.write(buffers);
    });
    // Reported at the next call: a page is not the place to wait for its packet.
    work.catch(() => undefined);
  }

  /** Where packets list zero pages, the channel looks for them. */
  #split(channel: Channel, block: PacketBlock, offsets: readonly number[]): [readonly number[], readonly number[]] {
    if (channel.writer.layout.zeroPages === undefined) return [offsets, []];
    const zero = offsets.filter((offset) => isZeroPage(block.bytes, offset - (block.start ?? 0)));
    return zero.length === 0 ? [offsets, zero] : [offsets.filter((offset) => !zero.includes(offset)), zero];
  }

  #after(channel: Channel, work: () => Promise<void>): Promise<void> {
    const run = (channel.busy ?? Promise.resolve()).then(work);
    const settled = run.then(
      () => undefined,
      (error: unknown) => {
        this.#failed ??= { error };
      },
    );
    const busy = settled.then(() => {
      if (channel.busy === busy) channel.busy = undefined;
    });
    channel.busy = busy;
    return run;
  }

  #count(buffers: readonly Buffer[], pages: number): void {
    const header = buffers[0]!.length;
    if (this.#countsAll()) this.#bytes += buffers.reduce((sum, { length }) => sum + length, 0);
    else this.#bytes += header + pages * pageSize;
  }

  #countsAll(): boolean {
    return this.options.rules.multifdBytes === 'all';
  }

  #check(): void {
    if (this.#failed !== undefined) throw this.#failed.error;
  }
}
