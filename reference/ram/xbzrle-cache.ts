import { pageSize } from './guest-ram.js';
import type { RamMemory } from './ram-memory.js';

/**
 * The source's copy of pages as they were last sent: direct-mapped, with an age that protects recently used slots
 * (xbzrle.md §3).
 */
export class XbzrleCache {
  /** Number of slots. */
  readonly slots: number;
  readonly #data: Buffer;
  /** Page number (address / page) in each slot, -1 for an empty one. */
  readonly #pages: Float64Array;
  readonly #ages: Float64Array;

  /** Offset of {@link data} in the memory that holds the guest's RAM too, or -1 when it is a buffer of its own. */
  readonly at: number;

  /**
   * @param bytes size of the cache: a power of two and at least one page, else RangeError
   * @param memory has room for it, where it holds the guest's RAM: no slot is used beyond the guest's last page
   */
  constructor(bytes: number, memory?: RamMemory) {
    this.slots = bytes / pageSize;
    if (!Number.isInteger(this.slots) || this.slots < 1 || Math.log2(this.slots) % 1 !== 0) {
      throw new RangeError(`XBZRLE cache size ${bytes} is not a power of two of at least one page`);
    }
    const fits = memory !== undefined && Math.min(bytes, memory.copies) <= memory.copyRoom;
    this.at = fits ? memory.copies : -1;
    // Untouched zero-filled memory costs nothing, so a cache larger than the guest is cheap.
    this.#data = fits ? memory.bytes.subarray(memory.copies, memory.delta) : Buffer.alloc(bytes);
    this.#pages = new Float64Array(this.slots).fill(-1);
    this.#ages = new Float64Array(this.slots);
  }

  /** Buffer that holds the pages of all slots; a hit's page is at the offset that {@link lookup} returns. */
  get data(): Buffer {
    return this.#data;
  }

  /**
   * Looks an address up; a hit renews its age.
   * @param address position in the flat RAM address space, see `RamBlock.base`
   * @param age number of dirty bitmap synchronisations so far
   * @returns offset in {@link data}, or -1
   */
  lookup(address: number, age: number): number {
    const page = address / pageSize;
    const slot = page % this.slots;
    if (this.#pages[slot] !== page) return -1;
    this.#ages[slot] = age;
    return slot * pageSize;
  }

  /**
   * Stores a page as it is being sent.
   * @returns offset in {@link data}, or -1 when the slot holds another page of this or the previous pass
   */
  insert(address: number, source: Buffer, offset: number, age: number): number {
    const page = address / pageSize;
    const slot = page % this.slots;
    const held = this.#pages[slot]!;
    if (held !== -1 && held !== page && this.#ages[slot]! + 2 > age) return -1;
    this.#pages[slot] = page;
    this.#ages[slot] = age;
    source.copy(this.#data, slot * pageSize, offset, offset + pageSize);
    return slot * pageSize;
  }
}
