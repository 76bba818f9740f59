import type { MultifdSender } from '../multifd/multifd-sender.js';
import type { ReleasedRam } from '../postcopy/released-ram.js';
import { RequestQueue } from '../postcopy/request-queue.js';
import { compressPage } from '../ram/compress-page.js';
import { type GuestRam, pageSize, type RamBlock } from '../ram/guest-ram.js';
import { MigrationBitmap } from '../ram/migration-bitmap.js';
import type { XbzrleEncoder } from '../ram/xbzrle-encoder.js';
import { isZeroPage } from '../ram/zero-page.js';
import { pageRecordBytes } from '../stream/ram-record-writer.js';
import type { StreamWriter } from '../stream/stream-writer.js';
import { CompressedPages } from './compressed-pages.js';
import type { Statistics } from './statistics.js';

/** Bytes of a ZERO record with CONTINUE. */
const zeroRecordBytes = 9;
/** Most pages that one call writes: what a buffer of output holds. */
const longestRun = 128;

export interface RamSourceOptions {
  readonly xbzrle: XbzrleEncoder | undefined;
  /** Multifd packets list zero pages (10.0). */
  readonly zeroesBeside: boolean;
  /** Level of the zlib compression of the first pass; undefined for none. */
  readonly compressLevel: number | undefined;
  /** Pages that follow one another may be written by one call, past the methods of the writer for single ones. */
  readonly runs: boolean;
}

/** Searches dirty pages and writes their records (stream-format.md §5.2). */
export class RamSource {
  readonly bitmap: MigrationBitmap;
  /** Guest stopped: the XBZRLE cache is read, not updated. */
  lastStage = false;
  /** Carries pages beside the stream, while set. */
  multifd: MultifdSender | undefined;
  /** No channel is idle: to be awaited before the next {@link fill}. */
  blocked: Promise<void> | undefined;
  /** In postcopy only ZERO and PAGE records may be sent. */
  plainOnly = false;
  /** Takes back each page that has been written, while set: `release-ram`, after the switch. */
  released: ReleasedRam | undefined;
  #block = 0;
  #page = 0;
  #bulk = true;
  /** Bytes handed to multifd channels in this call of {@link fill}; they are accounted when they have been sent. */
  #beside = 0;
  #named: RamBlock | undefined;
  readonly #requests = new RequestQueue();

  constructor(
    private readonly ram: GuestRam,
    private readonly writer: StreamWriter,
    private readonly statistics: Statistics,
    private readonly options: RamSourceOptions,
  ) {
    this.bitmap = new MigrationBitmap(ram);
  }

  /** What was sent compressed. */
  readonly compressed = new CompressedPages();

  /** Bytes still to send. */
  get pending(): number {
    return this.bitmap.count * pageSize;
  }

  /** A page request of the destination: its pages jump the queue. Bytes, page-aligned. */
  request(block: RamBlock, start: number, length: number): void {
    this.#bulk = false;
    this.#requests.add(block, start, length);
  }

  get hasRequests(): boolean {
    return !this.#requests.empty;
  }

  /** A new connection, or the switch to postcopy: the next record carries its block's name. */
  forgetBlock(): void {
    this.writer.ram.forgetBlock();
    this.#named = undefined;
    this.#block = 0;
    this.#page = 0;
    this.#bulk = false;
  }

  /** Writes page records until about `bytes` bytes are written or nothing is dirty; returns the bytes written. */
  fill(bytes: number): number {
    let written = 0;
    while (written < bytes && this.blocked === undefined) {
      const length = this.#requested() ?? this.#next(bytes - written);
      if (length === undefined) break;
      written += length;
    }
    this.statistics.transferred += written - this.#beside;
    this.#beside = 0;
    return written;
  }

  /** The next requested page that is still dirty. */
  #requested(): number | undefined {
    const request = this.#requests.take(this.bitmap);
    if (request === undefined) return undefined;
    const { block, page } = request;
    // Neighbours follow: the search goes on behind the requested page.
    this.#block = block.index;
    this.#page = page + 1;
    return this.#send(block, page * pageSize);
  }

  /** The next dirty pages behind the last one, wrapping once: one, or a run of about `bytes` bytes. */
  #next(bytes: number): number | undefined {
    const { blocks } = this.ram;
    for (let tries = 0; tries <= blocks.length; tries++) {
      const block = blocks[this.#block];
      if (block !== undefined) {
        const page = this.bitmap.of(block).next(this.#page);
        if (page !== -1) {
          const run = this.#sendRun(block, page, bytes);
          if (run > 0) return run;
          this.#page = page + 1;
          this.bitmap.of(block).clear(page);
          return this.#send(block, page * pageSize);
        }
      }
      this.#block++;
      this.#page = 0;
      if (this.#block >= blocks.length) {
        this.#block = 0;
        this.#bulk = false;
      }
    }
    return undefined;
  }

  /** Sends the dirty pages from `page` on by one call; returns the bytes written, 0 where they must be sent singly. */
  #sendRun(block: RamBlock, page: number, bytes: number): number {
    const { memory } = this.ram;
    const { xbzrle, compressLevel, runs } = this.options;
    if (!runs || memory === undefined || this.#named !== block) return 0;
    if (this.multifd !== undefined && !this.plainOnly) return 0;
    if (!this.plainOnly && ((xbzrle !== undefined && !this.#bulk) || compressLevel !== undefined)) return 0;
    const most = Math.min(longestRun, Math.ceil(bytes / pageRecordBytes));
    const dirty = this.bitmap.of(block);
    const end = dirty.nextClear(page, page + most);
    const count = end - page;
    const length = this.writer.ram.pages(block, page * pageSize, count, memory, block.base + page * pageSize);
    if (length === 0) return 0;
    dirty.clearRange(page, end);
    this.#page = end;
    this.released?.pages(block, page, end);
    const zeroes = (count * pageRecordBytes - length) / (pageRecordBytes - zeroRecordBytes);
    this.statistics.duplicate += zeroes;
    this.statistics.normal += count - zeroes;
    return length;
  }

  #send(block: RamBlock, offset: number): number {
    const { writer, statistics } = this;
    const { xbzrle, compressLevel } = this.options;
    const age = statistics.dirtySyncCount;
    const deltas = xbzrle !== undefined && !this.#bulk && !this.plainOnly ? xbzrle : undefined;
    const isZero = isZeroPage(block.bytes, offset);
    if (this.multifd !== undefined && !this.plainOnly && (!isZero || this.options.zeroesBeside))
      return this.#sendBeside(block, offset, isZero);
    if (isZero) {
      deltas?.zeroPage(block, offset, age);
      statistics.duplicate++;
      this.#named = block;
      return writer.ram.zero(block, offset);
    }
    if (deltas !== undefined) return this.#sendThrough(deltas, block, offset, age);
    statistics.normal++;
    // The record that carries the block's name is never compressed (stream-format.md §5.3).
    const compressible = compressLevel !== undefined && !this.plainOnly && (this.#bulk || xbzrle === undefined);
    if (compressible && this.#named === block) {
      const data = compressPage(block.bytes, offset, compressLevel);
      this.compressed.add(data.length);
      return writer.ram.compressed(block, offset, data);
    }
    this.#named = block;
    const length = writer.ram.page(block, offset, block.bytes, offset);
    this.released?.pages(block, offset / pageSize, offset / pageSize + 1);
    return length;
  }

  #sendBeside(block: RamBlock, offset: number, isZero: boolean): number {
    if (isZero) this.statistics.duplicate++;
    else this.statistics.normal++;
    this.blocked = this.multifd?.page(block, offset);
    const bytes = isZero ? 8 : pageSize;
    this.#beside += bytes;
    return bytes;
  }

  #sendThrough(xbzrle: XbzrleEncoder, block: RamBlock, offset: number, age: number): number {
    const decision = xbzrle.page(block, offset, age, this.lastStage);
    if (decision === 'unchanged') return 0;
    this.#named = block;
    if (decision === 'delta') {
      const length = this.writer.ram.xbzrle(block, offset, xbzrle.delta, xbzrle.deltaLength);
      xbzrle.counters.sent(length);
      this.statistics.deltas++;
      return length;
    }
    this.statistics.normal++;
    return this.writer.ram.page(block, offset, xbzrle.pageBuffer, xbzrle.pageOffset);
  }
}
