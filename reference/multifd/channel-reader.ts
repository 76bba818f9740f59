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
  packet?(packet: PacketInfo): void;
  /** A page's bytes are `bytes[start, start + 4096)`, valid during the call only. */
  page(block: ChannelBlock, offset: number, bytes: Buffer, start: number): void;
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
  const reader = new ChannelReader(input, options, handler);
  try {
    await reader.run();
  } finally {
    reader.close();
  }
}

class ChannelReader {
  readonly #source = new ByteSource();
  readonly #chunks: AsyncIterator<Buffer> | Iterator<Buffer>;
  readonly #layout: PacketLayout;
  readonly #pagesPerPacket: number;
  #decompressor: ContinuousDecompressor | undefined;
  #channel: number;
  #initial = true;

  constructor(
    input: ByteChunks,
    private readonly options: ChannelOptions,
    private readonly handler: ChannelHandler,
  ) {
    this.#chunks = Symbol.asyncIterator in input ? input[Symbol.asyncIterator]() : input[Symbol.iterator]();
    this.#layout = packetLayout(options.rules);
    this.#pagesPerPacket = options.pagesPerPacket ?? this.#layout.defaultPages;
    this.#channel = options.order;
  }

  async run(): Promise<void> {
    const { options, handler } = this;
    if (!(await this.#need(this.#layout.initialBytes))) throw this.#fail(cut);
    const bytes = this.#take(this.#layout.initialBytes);
    const uuid = options.anyUuid === true ? bytes.subarray(8, 24) : (options.uuid ?? noUuid);
    const initial = decodeInitialPacket(bytes, uuid, options.channels, options.order);
    if (typeof initial === 'string') throw this.#fail(initial);
    this.#channel = initial.id;
    handler.initial?.(initial);
    this.#initial = false;
    const size = packetBytes(this.#layout, this.#pagesPerPacket);
    while (await this.#need(1)) {
      if (!(await this.#need(size))) throw this.#fail(cut);
      await this.#packet(size);
    }
  }

  close(): void {
    this.#decompressor?.close();
    const ended = this.#chunks.return?.();
    if (ended instanceof Promise) ended.catch(() => undefined);
  }

  async #packet(size: number): Promise<void> {
    const offset = this.#source.offset;
    // Copied because reading the data behind it moves the source's buffer.
    const header = this.#take(size);
    const info = this.#decode(header, offset);
    const block = info.pages + info.zeroPages > 0 ? this.#block(info, header) : undefined;
    this.handler.packet?.(info);
    if (block !== undefined) {
      if (info.pages > 0) await this.#pages(block, info, header);
      for (let i = info.pages; i < info.pages + info.zeroPages; i++) {
        this.handler.zeroPage(block, this.#offset(header, i));
      }
    }
    if ((info.flags & PacketFlag.sync) !== 0) await this.handler.sync(info.packetNum);
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

  #block(info: PacketInfo, header: Buffer): ChannelBlock {
    const block = this.options.block(info.block);
    if (block === undefined) throw this.#fail(`multifd: unknown ram block ${info.block}`);
    for (let i = 0; i < info.pages + info.zeroPages; i++) {
      const offset = this.#offset(header, i);
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

  async #pages(block: ChannelBlock, info: PacketInfo, header: Buffer): Promise<void> {
    const method = this.#method();
    if (method !== 'none') {
      const bytes = await this.#decompress(method, info);
      for (let i = 0; i < info.pages; i++) this.handler.page(block, this.#offset(header, i), bytes, i * pageSize);
      return;
    }
    const source = this.#source;
    for (let i = 0; i < info.pages; i++) {
      if (!source.available(pageSize) && !(await this.#need(pageSize))) throw this.#fail(cut);
      this.handler.page(block, this.#offset(header, i), source.buffer, source.pos);
      source.pos += pageSize;
    }
  }

  async #decompress(method: Exclude<MultifdCompression, 'none'>, info: PacketInfo): Promise<Buffer> {
    if (info.dataBytes > compressedLimit) {
      throw this.#fail(`multifd ${this.#channel}: ${info.dataBytes} bytes of compressed data in one packet`);
    }
    if (!(await this.#need(info.dataBytes))) throw this.#fail(cut);
    this.#decompressor ??= createDecompressor(method);
    try {
      return await this.#decompressor.feed(this.#take(info.dataBytes), info.pages * pageSize);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw this.#fail(`multifd ${this.#channel}: page data cannot be unpacked with ${method}: ${why}`);
    }
  }

  #method(): MultifdCompression {
    return this.#layout.methodMask === 0 ? 'none' : (this.options.compression ?? 'none');
  }

  #offset(header: Buffer, index: number): number {
    const at = this.#layout.offsets + 8 * index;
    return header.readUInt32BE(at) * 0x100000000 + header.readUInt32BE(at + 4);
  }

  #take(length: number): Buffer {
    const source = this.#source;
    source.available(length);
    const bytes = Buffer.from(source.buffer.subarray(source.pos, source.pos + length));
    source.pos += length;
    return bytes;
  }

  /** Waits for `n` contiguous bytes; false if the channel ends before them. */
  async #need(n: number): Promise<boolean> {
    const source = this.#source;
    while (!source.available(n)) {
      // Whoever yields chunks may reuse their memory for the next one.
      source.detach();
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      source.push(next.value);
    }
    return true;
  }

  #fail(text: string): MultifdError {
    const prefix = this.#initial ? `failed to receive packet via multifd channel ${this.options.order}: ` : '';
    return new MultifdError(`${prefix}${text}`, this.#channel, this.#source.offset, this.#initial);
  }
}

const cut = 'Unexpected end-of-file before all data were read';
