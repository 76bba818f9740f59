import type { StreamRules } from '../dialects/stream.js';
import { pageSize } from '../ram/guest-ram.js';
import { ByteSource } from '../stream/byte-source.js';
import { untilZero } from '../stream/reader-context.js';
import { type ContinuousDecompressor, createDecompressor } from './continuous-codec.js';
import { decodeInitialPacket, type InitialPacket, noUuid } from './initial-packet.js';
import { MultifdError } from './multifd-error.js';
import {
  type MultifdCompression,
  methodFlags,
  multifdMagic,
  multifdVersion,
  PacketFlag,
  type PacketLayout,
  packetBytes,
  packetLayout,
} from './packet-layout.js';

/** Bytes of a connection, as a socket or file stream yields them. */
export type ByteChunks = AsyncIterable<Buffer> | Iterable<Buffer>;

/** Largest compressed data of one packet that is read: pages and a generous overhead. */
const compressedLimit = 4 * 1024 * 1024;

/** A data packet's header. */
export interface PacketInfo {
  readonly flags: number;
  /** Offsets there was room for. */
  readonly room: number;
  readonly pages: number;
  readonly zeroPages: number;
  readonly packetNum: number;
  /** Block name; only meaningful with pages. */
  readonly block: string;
  /** Bytes of page data behind the packet. */
  readonly dataBytes: number;
  /** Offset of the packet in the channel. */
  readonly offset: number;
}

/** A RAM block that pages go to. */
export interface ChannelBlock {
  readonly name: string;
  /** Used length in bytes. */
  readonly length: number;
}

/** What a channel tells, in order. A method that throws ends the channel with that error. */
export interface ChannelHandler {
  initial?(packet: InitialPacket): void;
  /** @param header its bytes, valid during the call only */
  packet?(packet: PacketInfo, header: Buffer): void;
  /**
   * Pages that follow one another in the block: `bytes[start, start + 4096 * count)`, valid during the call only. Those of
   * one packet may come in several calls.
   */
  pages(block: ChannelBlock, offset: number, bytes: Buffer, start: number, count: number): void;
  /** A page that the packet lists as zero (10.0). */
  zeroPage(block: ChannelBlock, offset: number): void;
  /** The packet just handled carries SYNC: nothing more is read before the promise resolves. */
  sync(packetNum: number): Promise<void> | void;
}

export interface ChannelOptions {
  readonly rules: StreamRules;
  /** Channels that the receiver was configured for. */
  readonly channels: number;
  /** Place in the order of connection, for messages. */
  readonly order: number;
  readonly block: (name: string) => ChannelBlock | undefined;
  /** UUID of this machine, 16 bytes; zero when absent. */
  readonly uuid?: Buffer;
  /** Any UUID will do: for reading recordings. */
  readonly anyUuid?: boolean;
  /** Offsets in a packet (`x-multifd-page-count`); default: the dialect's. */
  readonly pagesPerPacket?: number;
  readonly compression?: MultifdCompression;
}

/** Reads one data channel to its end. Rejects with a MultifdError, or what the handler threw. */
export async function readChannel(input: ByteChunks, options: ChannelOptions, handler: ChannelHandler): Promise<void> {
  const reader = new ChannelReader(options, handler);
  const chunks = Symbol.asyncIterator in input ? input[Symbol.asyncIterator]() : input[Symbol.iterator]();
  try {
    for (;;) {
      const next = await chunks.next();
      if (next.done === true) break;
      await reader.push(next.value);
    }
    reader.end();
  } finally {
    reader.close();
    const ended = chunks.return?.();
    if (ended instanceof Promise) ended.catch(() => undefined);
  }
}

/** A packet whose data are being read. */
interface OpenPacket {
  readonly info: PacketInfo;
  readonly block: ChannelBlock;
  /** Pages that have come. */
  done: number;
}

/** Reads one data channel that arrives in chunks of any size. */
export class ChannelReader {
  readonly #source = new ByteSource();
  readonly #layout: PacketLayout;
  readonly #pagesPerPacket: number;
  /** The packet that was read last. */
  readonly #header: Buffer;
  #packet: OpenPacket | undefined;
  #decompressor: ContinuousDecompressor | undefined;
  #channel: number;
  #initial = true;

  constructor(
    private readonly options: ChannelOptions,
    private readonly handler: ChannelHandler,
  ) {
    this.#layout = packetLayout(options.rules);
    this.#pagesPerPacket = options.pagesPerPacket ?? this.#layout.defaultPages;
    this.#header = Buffer.alloc(packetBytes(this.#layout, this.#pagesPerPacket));
    this.#channel = options.order;
  }

  /**
   * Reads a chunk, whose memory may be used for something else afterwards.
   * @returns a promise while the packet waits (a SYNC, data to be unpacked): no further chunk before it has resolved
   * @throws MultifdError, or what the handler threw, here or in the promise
   */
  push(chunk: Buffer): Promise<void> | undefined {
    this.#source.push(chunk);
    const busy = this.#advance();
    this.#source.detach();
    return busy;
  }

  /** The channel has no more bytes. @throws MultifdError inside a packet */
  end(): void {
    if (this.#initial || this.#packet !== undefined || this.#source.waiting > 0) throw this.#fail(cut);
  }

  /** Frees the decompressor. */
  close(): void {
    this.#decompressor?.close();
  }

  #advance(): Promise<void> | undefined {
    for (;;) {
      const step = this.#step();
      if (step === 'wanting') return undefined;
      if (step !== 'done') return step.then(() => this.#advance());
    }
  }

  /** Reads the next thing, if it has come. */
  #step(): 'done' | 'wanting' | Promise<void> {
    if (this.#packet !== undefined) return this.#data(this.#packet);
    const source = this.#source;
    if (this.#initial) {
      if (!source.available(this.#layout.initialBytes)) return 'wanting';
      this.#introduce(this.#take(this.#layout.initialBytes));
      return 'done';
    }
    const header = this.#header;
    if (!source.available(header.length)) return 'wanting';
    const { offset } = source;
    source.buffer.copy(header, 0, source.pos, source.pos + header.length);
    source.pos += header.length;
    const info = this.#decode(header, offset);
    const block = info.pages + info.zeroPages > 0 ? this.#block(info) : undefined;
    this.handler.packet?.(info, header);
    if (block === undefined) return this.#packetEnd(info);
    this.#packet = { info, block, done: 0 };
    return 'done';
  }

  #introduce(bytes: Buffer): void {
    const { options } = this;
    const uuid = options.anyUuid === true ? bytes.subarray(8, 24) : (options.uuid ?? noUuid);
    const initial = decodeInitialPacket(bytes, uuid, options.channels, options.order);
    if (typeof initial === 'string') throw this.#fail(initial);
    this.#channel = initial.id;
    this.handler.initial?.(initial);
    this.#initial = false;
  }

  #data(packet: OpenPacket): 'done' | 'wanting' | Promise<void> {
    const { info, block } = packet;
    const method = this.#method();
    if (packet.done < info.pages) {
      if (method === 'none') {
        if (!this.#pages(packet)) return 'wanting';
      } else {
        const unpacked = this.#decompress(method, packet);
        if (unpacked === undefined) return 'wanting';
        return unpacked;
      }
    }
    for (let i = info.pages; i < info.pages + info.zeroPages; i++) this.handler.zeroPage(block, this.#offset(i));
    this.#packet = undefined;
    return this.#packetEnd(info);
  }

  #packetEnd(info: PacketInfo): 'done' | Promise<void> {
    if ((info.flags & PacketFlag.sync) === 0) return 'done';
    return this.handler.sync(info.packetNum) ?? 'done';
  }

  #decode(header: Buffer, offset: number): PacketInfo {
    const layout = this.#layout;
    const magic = header.readUInt32BE(0);
    if (magic !== multifdMagic) {
      throw this.#fail(`multifd: received packet magic ${magic.toString(16)} expected ${multifdMagic.toString(16)}`);
    }
    const version = header.readUInt32BE(4);
    if (version !== multifdVersion) {
      throw this.#fail(`multifd: received packet version ${version} expected ${multifdVersion}`);
    }
    const flags = header.readUInt32BE(8);
    if (layout.zeroPages !== undefined && (flags & PacketFlag.deviceState) !== 0) {
      throw this.#fail('multifd: received a device state packet, which no device here reads');
    }
    const room = header.readUInt32BE(12);
    if (room > this.#pagesPerPacket) throw this.#fail(this.#roomText(room));
    const pages = header.readUInt32BE(16);
    if (pages > room) throw this.#fail(`multifd: received packet with ${pages} pages and room for ${room}`);
    const zeroPages = layout.zeroPages === undefined ? 0 : header.readUInt32BE(layout.zeroPages);
    if (zeroPages > room - pages) {
      throw this.#fail(`multifd: received packet with ${zeroPages} zero pages and room for ${room - pages}`);
    }
    const compressed = this.#method() !== 'none';
    const next = layout.nextPacketSize === undefined ? 0 : header.readUInt32BE(layout.nextPacketSize);
    return {
      flags,
      room,
      pages,
      zeroPages,
      packetNum: Number(header.readBigUInt64BE(layout.packetNum)),
      block: untilZero(header.toString('latin1', layout.blockName, layout.blockName + 256)),
      dataBytes: pages === 0 ? 0 : compressed ? next : pages * pageSize,
      offset,
    };
  }

  #roomText(room: number): string {
    const most = this.#pagesPerPacket;
    switch (this.options.rules.multifd) {
      case '3.0':
        return `multifd: received packet with size ${room} and expected maximum size ${most}`;
      case '7.2':
        return `multifd: received packet with size ${room} and expected a size of ${most}`;
      case '10.0':
        return `multifd: received packet with ${room} pages, expected ${most}`;
    }
  }

  #block(info: PacketInfo): ChannelBlock {
    const block = this.options.block(info.block);
    if (block === undefined) throw this.#fail(`multifd: unknown ram block ${info.block}`);
    for (let i = 0; i < info.pages + info.zeroPages; i++) {
      const offset = this.#offset(i);
      if (offset > block.length - pageSize) {
        throw this.#fail(`multifd: offset too long ${offset} (max ${block.length - pageSize})`);
      }
    }
    const mask = this.#layout.methodMask;
    const expected = methodFlags[this.#method()];
    if (mask !== 0 && (info.flags & mask) !== expected) {
      throw this.#fail(`multifd ${this.#channel}: flags received ${info.flags & mask} flags expected ${expected}`);
    }
    return block;
  }

  /** Hands on the pages that have come, those together that follow one another; true if these are all. */
  #pages(packet: OpenPacket): boolean {
    const source = this.#source;
    const { info, block } = packet;
    while (packet.done < info.pages) {
      if (!source.available(pageSize)) return false;
      const first = this.#offset(packet.done);
      const most = Math.min(info.pages - packet.done, Math.floor((source.end - source.pos) / pageSize));
      let count = 1;
      while (count < most && this.#offset(packet.done + count) === first + count * pageSize) count++;
      this.handler.pages(block, first, source.buffer, source.pos, count);
      source.pos += count * pageSize;
      packet.done += count;
    }
    return true;
  }

  /** Undefined while the data have not come. */
  #decompress(method: Exclude<MultifdCompression, 'none'>, packet: OpenPacket): Promise<void> | undefined {
    const { info, block } = packet;
    if (info.dataBytes > compressedLimit) {
      throw this.#fail(`multifd ${this.#channel}: ${info.dataBytes} bytes of compressed data in one packet`);
    }
    if (!this.#source.available(info.dataBytes)) return undefined;
    this.#decompressor ??= createDecompressor(method);
    return this.#decompressor.feed(this.#take(info.dataBytes), info.pages * pageSize).then(
      (bytes) => {
        for (let i = 0; i < info.pages; i++) this.handler.pages(block, this.#offset(i), bytes, i * pageSize, 1);
        packet.done = info.pages;
      },
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        throw this.#fail(`multifd ${this.#channel}: page data cannot be unpacked with ${method}: ${why}`);
      },
    );
  }

  #method(): MultifdCompression {
    return this.#layout.methodMask === 0 ? 'none' : (this.options.compression ?? 'none');
  }

  /** Offset in the block of the packet's page number `index`. */
  #offset(index: number): number {
    const at = this.#layout.offsets + 8 * index;
    return this.#header.readUInt32BE(at) * 0x100000000 + this.#header.readUInt32BE(at + 4);
  }

  #take(length: number): Buffer {
    const source = this.#source;
    const bytes = Buffer.from(source.buffer.subarray(source.pos, source.pos + length));
    source.pos += length;
    return bytes;
  }

  #fail(text: string): MultifdError {
    const prefix = this.#initial ? `failed to receive packet via multifd channel ${this.options.order}: ` : '';
    return new MultifdError(`${prefix}${text}`, this.#channel, this.#source.offset, this.#initial);
  }
}

const cut = 'Unexpected end-of-file before all data were read';
