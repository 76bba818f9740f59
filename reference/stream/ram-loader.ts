import { decompressPage } from '../ram/compress-page.js';
import { DirtyBitmap } from '../ram/dirty-bitmap.js';
import { type GuestRam, pageSize, type RamBlock } from '../ram/guest-ram.js';
import { decodeXbzrle, xbzrleMalformed } from '../ram/xbzrle-decode.js';
import { isZeroPage } from '../ram/zero-page.js';
import { type PageKind, RamFlag } from './format.js';
import { StreamError } from './stream-error.js';
import type { StreamBlock } from './stream-handler.js';
import type { ByteRange } from './stream-writer.js';

/** Counters of page records by kind. */
export interface PageCounts {
  zero: number;
  page: number;
  xbzrle: number;
  compressed: number;
  /** Pages forgotten by discard commands. */
  discarded: number;
}

/** Puts received pages into guest RAM and remembers which have come (stream-format.md §5.2, §8, §9.2). */
export class RamLoader {
  readonly counts: PageCounts = { zero: 0, page: 0, xbzrle: 0, compressed: 0, discarded: 0 };
  #received: readonly DirtyBitmap[];
  #blocks: readonly RamBlock[];
  /** After POSTCOPY_LISTEN: every page must be absent when it comes. */
  #placing = false;

  constructor(
    readonly ram: GuestRam,
    /** Property `decompress-error-check`: damaged compressed pages fail the load. */
    private readonly checkCompressed = true,
    /** RAM is all zeros at first: what has not come, or was discarded, need not be looked at. */
    private readonly blank = false,
  ) {
    this.#blocks = ram.blocks;
    this.#received = noPages(ram);
  }

  /** Pages of a block that have come and were not discarded since. */
  received(block: RamBlock): DirtyBitmap {
    return this.#received[block.index]!;
  }

  /** RAM has got other blocks: of those nothing has come yet. */
  ramChanged(): void {
    if (this.#blocks === this.ram.blocks) return;
    this.#blocks = this.ram.blocks;
    this.#received = noPages(this.ram);
  }

  /** From now on pages are placed as in postcopy: once each. */
  listen(): void {
    this.#placing = true;
  }

  /** The handler method of the same name: a page record. */
  ramPage(
    streamBlock: StreamBlock,
    offset: number,
    kind: PageKind,
    bytes: Buffer,
    start: number,
    length: number,
  ): void {
    const block = this.#block(streamBlock.name);
    const received = this.#received[block.index]!;
    const fresh = received.set(offset / pageSize);
    if (this.#placing && !fresh) throw alreadyPresent(offset);
    switch (kind) {
      case RamFlag.page:
        bytes.copy(block.bytes, offset, start, start + length);
        this.counts.page++;
        break;
      case RamFlag.zero:
        this.counts.zero++;
        if (this.blank && fresh && bytes[start] === 0) break;
        this.#fill(block, offset, bytes[start]!);
        break;
      case RamFlag.xbzrle:
        this.counts.xbzrle++;
        if (this.#decode(block, offset, bytes, start, length) === xbzrleMalformed) throw undecodable(offset);
        break;
      case RamFlag.compressed:
        this.counts.compressed++;
        if (decompressPage(bytes.subarray(start, start + length), block.bytes, offset) < 0 && this.checkCompressed) {
          throw new StreamError('PERM', {
            field: 'compressed page',
            expected: 'one zlib stream of at most a page',
            got: 'damaged data',
            lines: ['decompress data failed'],
          });
        }
    }
  }

  /** Pages of `bytes` that follow one another, as {@link ramPage} for each. */
  pages(streamBlock: StreamBlock, offset: number, bytes: Buffer, start: number, count: number): void {
    const end = count * pageSize;
    if (this.#placing) {
      for (let at = 0; at < end; at += pageSize) {
        this.ramPage(streamBlock, offset + at, RamFlag.page, bytes, start + at, pageSize);
      }
      return;
    }
    const block = this.#block(streamBlock.name);
    this.#received[block.index]!.setRange(offset / pageSize, (offset + end) / pageSize);
    bytes.copy(block.bytes, offset, start, start + end);
    this.counts.page += count;
  }

  /** The handler method of the same name: many records at once where RAM lies in one memory. */
  pageRecords(streamBlock: StreamBlock, kind: PageKind, bytes: Buffer, start: number, end: number): number {
    const { memory } = this.ram;
    if (memory === undefined || this.#placing) return 0;
    // Pages are not worth a second copy; deltas are, many of them being copied at once.
    if (kind !== RamFlag.xbzrle && !memory.holds(bytes)) return 0;
    const block = this.#block(streamBlock.name);
    const received = this.#received[block.index]!;
    const applied = memory.records(bytes, start, end, { base: block.base, length: block.bytes.length });
    const { runs, table } = applied;
    for (let i = 0; i < runs; i++) {
      const record = table[2 * i]!;
      const count = table[2 * i + 1]!;
      const page = record >>> 12;
      if (count === 1) received.set(page);
      else received.setRange(page, page + count);
      if ((record & RamFlag.page) !== 0) this.counts.page += count;
      else if ((record & RamFlag.zero) !== 0) this.counts.zero += count;
      else this.counts.xbzrle += count;
    }
    return applied.bytes;
  }

  /** Forgets ranges of a block: they read as zero until they come again. */
  discard(name: string, ranges: readonly ByteRange[]): void {
    const block = this.#block(name);
    for (const { start, length } of ranges) {
      const held = this.#received[block.index]!.clearRange(start / pageSize, (start + length) / pageSize);
      if (!this.blank || held > 0) block.bytes.fill(0, start, start + length);
      this.counts.discarded += length / pageSize;
    }
  }

  #decode(block: RamBlock, offset: number, bytes: Buffer, start: number, length: number): number {
    const { memory } = this.ram;
    if (memory === undefined) return decodeXbzrle(bytes, start, length, block.bytes, offset);
    return memory.apply(bytes, start, length, block.base + offset);
  }

  #fill(block: RamBlock, offset: number, value: number): void {
    // Leaves untouched memory untouched: a guest that is mostly zero then costs no memory here either.
    if (value === 0 && isZeroPage(block.bytes, offset)) return;
    block.bytes.fill(value, offset, offset + pageSize);
  }

  #block(name: string): RamBlock {
    const block = this.ram.block(name);
    if (block !== undefined) return block;
    throw new StreamError('INV', { field: 'block name', expected: 'a block of this guest', got: `'${name}'` });
  }
}

const noPages = (ram: GuestRam): DirtyBitmap[] =>
  ram.blocks.map(({ bytes }) => new DirtyBitmap(bytes.length / pageSize));

function alreadyPresent(offset: number): StreamError {
  return new StreamError('EXIST', {
    field: 'page',
    expected: 'a page that is absent after the discards',
    got: `a second copy of the page at 0x${offset.toString(16)}`,
    lines: [`postcopy_place_page: File exists copy host: 0x${offset.toString(16)}`],
  });
}

function undecodable(offset: number): StreamError {
  return new StreamError('INV', {
    field: 'XBZRLE delta',
    expected: 'a well-formed delta',
    got: 'a malformed one',
    lines: ['Failed to load XBZRLE page - decode error!', `Failed to decompress XBZRLE page at ${offset.toString(16)}`],
  });
}
