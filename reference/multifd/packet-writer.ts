import type { StreamRules } from '../dialects/stream.js';
import { pageSize, type RamBlock } from '../ram/guest-ram.js';
import { type ContinuousCompressor, createCompressor } from './continuous-codec.js';
import { encodeInitialPacket, noUuid } from './initial-packet.js';
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

export interface PacketWriterOptions {
  readonly rules: StreamRules;
  readonly channel: number;
  readonly uuid?: Buffer;
  readonly pagesPerPacket?: number;
  readonly compression?: MultifdCompression;
  /** Level of the compression method; default 1. */
  readonly level?: number;
}

/** A block, or a part of one that is in memory. */
export interface PacketBlock extends Pick<RamBlock, 'name' | 'bytes'> {
  /** Offset in the block of the first of `bytes`; default 0. */
  readonly start?: number;
}

/** Pages of one block for one packet; offsets in bytes. */
export interface PacketPages {
  readonly block: PacketBlock;
  readonly offsets: readonly number[];
  /** Only where the dialect lists zero pages in packets. */
  readonly zeroOffsets?: readonly number[];
}

/** The pages at `offsets`, in order; those that follow one another as one view. */
function viewsOf({ bytes, start: from = 0 }: PacketBlock, offsets: readonly number[]): Buffer[] {
  const views: Buffer[] = [];
  for (let i = 0; i < offsets.length; ) {
    const start = offsets[i]!;
    let end = start + pageSize;
    for (i++; offsets[i] === end; i++) end += pageSize;
    views.push(bytes.subarray(start - from, end - from));
  }
  return views;
}

/** A view of each page: a compressor is fed as a real source feeds its own. */
const singleViewsOf = ({ bytes, start = 0 }: PacketBlock, offsets: readonly number[]): Buffer[] =>
  offsets.map((offset) => bytes.subarray(offset - start, offset - start + pageSize));

/** Builds the packets of one data channel (multifd.md §1–§3). Page data are referenced, not copied, when uncompressed. */
export class PacketWriter {
  readonly layout: PacketLayout;
  readonly pagesPerPacket: number;
  #compressor: ContinuousCompressor | undefined;

  constructor(private readonly options: PacketWriterOptions) {
    this.layout = packetLayout(options.rules);
    this.pagesPerPacket = options.pagesPerPacket ?? this.layout.defaultPages;
  }

  initial(): Buffer {
    const { rules, channel, uuid } = this.options;
    return encodeInitialPacket(rules, { id: channel, uuid: uuid ?? noUuid });
  }

  /** A packet without pages, with SYNC unless told otherwise. */
  sync(packetNum: number, flags: number = PacketFlag.sync): Buffer {
    return this.#header(flags, this.layout.emptyHasNoRoom ? 0 : this.pagesPerPacket, 0, packetNum);
  }

  /**
   * A packet with pages; the buffers in order.
   * @param flags further flags: SYNC may ride on a page packet in 3.0 and 7.2
   * @throws RangeError for more pages than a packet has room for
   */
  async pages(pages: PacketPages, packetNum: number, flags = 0): Promise<Buffer[]> {
    const { block, offsets, zeroOffsets = [] } = pages;
    if (offsets.length + zeroOffsets.length > this.pagesPerPacket) {
      throw new RangeError(`${offsets.length + zeroOffsets.length} pages in a packet of ${this.pagesPerPacket}`);
    }
    if (zeroOffsets.length > 0 && this.layout.zeroPages === undefined) {
      throw new RangeError('this dialect sends zero pages over the main channel');
    }
    const method = this.layout.methodMask === 0 ? 'none' : (this.options.compression ?? 'none');
    const data =
      method === 'none' || offsets.length === 0
        ? viewsOf(block, offsets)
        : [await this.#compress(method, singleViewsOf(block, offsets))];
    const header = this.#header(flags | methodFlags[method], this.pagesPerPacket, offsets.length, packetNum);
    const { layout } = this;
    if (layout.nextPacketSize !== undefined) {
      const bytes = data.reduce((sum, part) => sum + part.length, 0);
      header.writeUInt32BE(bytes, layout.nextPacketSize);
    }
    if (layout.zeroPages !== undefined) header.writeUInt32BE(zeroOffsets.length, layout.zeroPages);
    header.write(block.name, layout.blockName, 255, 'latin1');
    let at = layout.offsets;
    for (const list of [offsets, zeroOffsets]) {
      for (const offset of list) {
        at = header.writeUInt32BE(Math.floor(offset / 0x100000000), at);
        at = header.writeUInt32BE(offset % 0x100000000, at);
      }
    }
    return [header, ...data];
  }

  /** Frees the compressor. */
  close(): void {
    this.#compressor?.close();
    this.#compressor = undefined;
  }

  #compress(method: Exclude<MultifdCompression, 'none'>, views: Buffer[]): Promise<Buffer> {
    this.#compressor ??= createCompressor(method, this.options.level ?? 1);
    return this.#compressor.feed(views);
  }

  #header(flags: number, room: number, pages: number, packetNum: number): Buffer {
    const { layout } = this;
    const header = Buffer.alloc(packetBytes(layout, this.pagesPerPacket));
    header.writeUInt32BE(multifdMagic, 0);
    header.writeUInt32BE(multifdVersion, 4);
    header.writeUInt32BE(flags, 8);
    header.writeUInt32BE(room, 12);
    header.writeUInt32BE(pages, 16);
    header.writeBigUInt64BE(BigInt(packetNum), layout.packetNum);
    return header;
  }
}
