/**
 * A fixed-size set of page numbers that knows its size. Words are 32 bits: small integers are the fastest thing that
 * JavaScript has for this, and nothing here allocates after construction.
 */
export class DirtyBitmap {
  readonly words: Uint32Array;
  #count = 0;

  /** @param pages number of pages, at least 0 */
  constructor(readonly pages: number) {
    this.words = new Uint32Array(Math.ceil(pages / 32));
  }

  /** Number of pages in the set. */
  get count(): number {
    return this.#count;
  }

  has(page: number): boolean {
    return ((this.words[page >>> 5]! >>> (page & 31)) & 1) === 1;
  }

  /** Adds a page; true if it was not in the set. */
  set(page: number): boolean {
    this.#check(page);
    const word = page >>> 5;
    const bit = 1 << (page & 31);
    const old = this.words[word]!;
    if ((old & bit) !== 0) return false;
    this.words[word] = old | bit;
    this.#count++;
    return true;
  }

  /** Removes a page; true if it was in the set. */
  clear(page: number): boolean {
    this.#check(page);
    const word = page >>> 5;
    const bit = 1 << (page & 31);
    const old = this.words[word]!;
    if ((old & bit) === 0) return false;
    this.words[word] = old & ~bit;
    this.#count--;
    return true;
  }

  /** Adds the pages `from` … `to - 1`. */
  setRange(from: number, to: number): void {
    this.#eachWord(from, to, (word, mask) => {
      const old = this.words[word]!;
      this.#count += popcount(mask & ~old);
      this.words[word] = old | mask;
    });
  }

  /** Removes the pages `from` … `to - 1`; returns how many of them were in the set. */
  clearRange(from: number, to: number): number {
    const before = this.#count;
    this.#eachWord(from, to, (word, mask) => {
      const old = this.words[word]!;
      this.#count -= popcount(mask & old);
      this.words[word] = old & ~mask;
    });
    return before - this.#count;
  }

  setAll(): void {
    this.setRange(0, this.pages);
  }

  clearAll(): void {
    this.words.fill(0);
    this.#count = 0;
  }

  /** First page of the set at or after `from`, or -1. */
  next(from: number): number {
    if (from >= this.pages || this.#count === 0) return -1;
    let word = from >>> 5;
    let bits = this.words[word]! & (-1 << (from & 31));
    const end = this.words.length;
    while (bits === 0) {
      if (++word === end) return -1;
      bits = this.words[word]!;
    }
    return (word << 5) + 31 - Math.clz32(bits & -bits);
  }

  /** First page from `from` to `to - 1` that is not in the set; `to` if there is none. */
  nextClear(from: number, to = this.pages): number {
    const last = Math.min(to, this.pages);
    if (from >= last) return last;
    let word = from >>> 5;
    let bits = ~this.words[word]! & (-1 << (from & 31));
    const end = (last + 31) >>> 5;
    while (bits === 0) {
      if (++word === end) return last;
      bits = ~this.words[word]!;
    }
    return Math.min((word << 5) + 31 - Math.clz32(bits & -bits), last);
  }

  /** Moves every page of `other` into this set and empties `other`; returns how many were new here. */
  take(other: DirtyBitmap): number {
    if (other.pages !== this.pages) throw new RangeError(`bitmaps of ${this.pages} and ${other.pages} pages`);
    if (other.#count === 0) return 0;
    const before = this.#count;
    const from = other.words;
    for (let i = 0; i < from.length; i++) {
      const bits = from[i]!;
      if (bits === 0) continue;
      const old = this.words[i]!;
      this.#count += popcount(bits & ~old);
      this.words[i] = old | bits;
    }
    other.clearAll();
    return this.#count - before;
  }

  /** Makes this set the complement of `other`. */
  setComplement(other: DirtyBitmap): void {
    if (other.pages !== this.pages) throw new RangeError(`bitmaps of ${this.pages} and ${other.pages} pages`);
    for (let i = 0; i < this.words.length; i++) this.words[i] = ~other.words[i]!;
    const tail = this.pages & 31;
    if (tail !== 0) this.words[this.words.length - 1]! &= (1 << tail) - 1;
    this.#count = this.pages - other.#count;
  }

  /** The set as it goes over the return path: page 0 is bit 0 of byte 0, padded to 8 bytes (stream-format.md §8). */
  toWire(): Buffer {
    const wire = Buffer.alloc(Math.ceil(this.pages / 64) * 8);
    for (let i = 0; i < this.words.length; i++) wire.writeUInt32LE(this.words[i]!, i * 4);
    return wire;
  }

  /** Reads {@link toWire}'s layout; padding bits are ignored. @throws RangeError if the length does not fit. */
  static fromWire(wire: Uint8Array, pages: number): DirtyBitmap {
    if (wire.length !== Math.ceil(pages / 64) * 8) {
      throw new RangeError(`a bitmap of ${pages} pages takes ${Math.ceil(pages / 64) * 8} bytes, not ${wire.length}`);
    }
    const bitmap = new DirtyBitmap(pages);
    for (let page = 0; page < pages; page++) {
      if (((wire[page >>> 3]! >>> (page & 7)) & 1) === 1) bitmap.set(page);
    }
    return bitmap;
  }

  #check(page: number): void {
    if (page < 0 || page >= this.pages) throw new RangeError(`page ${page} of ${this.pages}`);
  }

  #eachWord(from: number, to: number, visit: (word: number, mask: number) => void): void {
    if (from >= to) return;
    this.#check(from);
    this.#check(to - 1);
    const first = from >>> 5;
    const last = (to - 1) >>> 5;
    for (let word = first; word <= last; word++) {
      let mask = -1;
      if (word === first) mask &= -1 << (from & 31);
      if (word === last) mask &= -1 >>> (31 - ((to - 1) & 31));
      visit(word, mask);
    }
  }
}

function popcount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
