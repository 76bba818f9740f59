import { type GuestRam, pageSize, type RamBlock } from './guest-ram.js';
import type { RamMemory } from './ram-memory.js';
import { XbzrleCache } from './xbzrle-cache.js';
import { XbzrleCounters } from './xbzrle-counters.js';
import { decodeXbzrle } from './xbzrle-decode.js';
import { encodeXbzrle, xbzrleOverflow, xbzrleUnchanged } from './xbzrle-encode.js';

/** What to do with a page after {@link XbzrleEncoder.page}. */
export type XbzrleDecision = 'delta' | 'page' | 'unchanged';

/**
 * The source's XBZRLE step for one page (xbzrle.md §3): cache, encoder and counters together. Not for the first pass,
 * which never touches the cache.
 */
export class XbzrleEncoder {
  readonly cache: XbzrleCache;
  /** Holds the delta of the last call that returned `delta`, at its beginning. */
  readonly delta: Buffer;
  deltaLength = 0;
  /** Buffer and offset of the bytes to send after `page`: the cached copy where one was made, so that cache and wire agree. */
  pageBuffer: Buffer;
  pageOffset = 0;
  readonly #zeroes = Buffer.alloc(pageSize);
  readonly #memory: RamMemory | undefined;

  /**
   * @param cacheBytes size of the cache, see {@link XbzrleCache}
   * @param counters survive the migration: no XBZRLE counter is reset by a new one
   */
  constructor(
    ram: GuestRam,
    cacheBytes: number,
    readonly counters: XbzrleCounters = new XbzrleCounters('record'),
  ) {
    this.cache = new XbzrleCache(cacheBytes, ram.memory);
    this.#memory = this.cache.at === -1 ? undefined : ram.memory;
    this.delta = this.#memory?.bytes.subarray(this.#memory.delta) ?? Buffer.alloc(pageSize * 2);
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
    const length = this.#encode(hit, block, offset);
    if (length === xbzrleUnchanged) {
      this.counters.unchanged();
      return 'unchanged';
    }
    if (length === xbzrleOverflow) {
      this.counters.overflowed();
      if (lastStage) return 'page';
      block.bytes.copy(this.cache.data, hit, offset, offset + pageSize);
      this.#store(hit);
      return 'page';
    }
    this.deltaLength = length;
    if (!lastStage) this.#renew(hit, length);
    return 'delta';
  }

  #encode(hit: number, block: RamBlock, offset: number): number {
    const memory = this.#memory;
    if (memory === undefined) return encodeXbzrle(this.cache.data, hit, block.bytes, offset, this.delta);
    return memory.encode(this.cache.at + hit, block.base + offset, pageSize);
  }

  /** Brings the cached page up to date by the delta: mostly far less than a page to copy. */
  #renew(hit: number, length: number): void {
    if (this.#memory === undefined) decodeXbzrle(this.delta, 0, length, this.cache.data, hit);
    else this.#memory.decode(this.#memory.delta, length, this.cache.at + hit);
  }

  #store(slotOffset: number): void {
    if (slotOffset === -1) return;
    this.pageBuffer = this.cache.data;
    this.pageOffset = slotOffset;
  }
}
