import { pageSize, type RamBlock } from './guest-ram.js';
import { XbzrleCache } from './xbzrle-cache.js';
import { XbzrleCounters } from './xbzrle-counters.js';
import { encodeXbzrle, xbzrleOverflow, xbzrleUnchanged } from './xbzrle-encode.js';

/** What to do with a page after {@link XbzrleEncoder.page}. */
export type XbzrleDecision = 'delta' | 'page' | 'unchanged';

/**
 * The source's XBZRLE step for one page (xbzrle.md §3): cache, encoder and counters together. Not for the first pass,
 * which never touches the cache.
 */
export class XbzrleEncoder {
  readonly cache: XbzrleCache;
  /** Delta of the last call that returned `delta`. */
  readonly delta = Buffer.alloc(pageSize * 2);
  deltaLength = 0;
  /** Buffer and offset of the bytes to send after `page`: the cached copy where one was made, so that cache and wire agree. */
  pageBuffer: Buffer;
  pageOffset = 0;
  readonly #zeroes = Buffer.alloc(pageSize);

  /**
   * @param counters survive the migration: no XBZRLE counter is reset by a new one
   */
  constructor(
    cacheBytes: number,
    readonly counters: XbzrleCounters = new XbzrleCounters('record'),
  ) {
    this.cache = new XbzrleCache(cacheBytes);
    this.pageBuffer = this.#zeroes;
  }

  /** A zero page is about to be sent as ZERO record: remembered if its slot is free, and never counted. */
  zeroPage(block: RamBlock, offset: number, age: number): void {
    this.cache.insert(block.base + offset, this.#zeroes, 0, age);
  }

  /**
   * Decides how a non-zero page goes.
   * @param age number of dirty bitmap synchronisations so far
   * @param lastStage guest is stopped: the cache is read, not updated
   */
  page(block: RamBlock, offset: number, age: number, lastStage: boolean): XbzrleDecision {
    const address = block.base + offset;
    const hit = this.cache.lookup(address, age);
    this.pageBuffer = block.bytes;
    this.pageOffset = offset;
    if (hit === -1) {
      this.counters.miss();
      if (!lastStage) this.#store(this.cache.insert(address, block.bytes, offset, age));
      return 'page';
    }
    const length = encodeXbzrle(this.cache.data, hit, block.bytes, offset, this.delta);
    if (length === xbzrleUnchanged) {
      this.counters.unchanged();
      return 'unchanged';
    }
    if (!lastStage) block.bytes.copy(this.cache.data, hit, offset, offset + pageSize);
    if (length === xbzrleOverflow) {
      this.counters.overflowed();
      if (!lastStage) this.#store(hit);
      return 'page';
    }
    this.deltaLength = length;
    return 'delta';
  }

  #store(slotOffset: number): void {
    if (slotOffset === -1) return;
    this.pageBuffer = this.cache.data;
    this.pageOffset = slotOffset;
  }
}
