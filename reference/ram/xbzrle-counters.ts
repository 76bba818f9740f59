import { pageSize } from './guest-ram.js';

/**
 * How a dialect counts (xbzrle.md §4): `record` sums complete records and counts records sent; `payload` sums records
 * less their 8-byte header, adds a page for each overflow, and counts every hit.
 */
export type XbzrleCounting = 'record' | 'payload';

/** The counters of `query-migrate` member `xbzrle-cache`. They live as long as the process, not as the migration. */
export class XbzrleCounters {
  bytes = 0;
  pages = 0;
  cacheMiss = 0;
  overflow = 0;
  cacheMissRate = 0;
  encodingRate = 0;
  #missesThen = 0;
  #stepsThen = 0;
  #pagesThen = 0;
  #bytesThen = 0;

  constructor(readonly counting: XbzrleCounting) {}

  /** A lookup missed. */
  miss(): void {
    this.cacheMiss++;
  }

  /** A hit whose page is unchanged: nothing is sent. */
  unchanged(): void {
    if (this.counting === 'payload') this.pages++;
  }

  /** A hit whose delta does not fit. */
  overflowed(): void {
    this.overflow++;
    if (this.counting !== 'payload') return;
    this.pages++;
    this.bytes += pageSize;
  }

  /** A delta record of `recordBytes` bytes in all (header, name, lengths, delta) was sent. */
  sent(recordBytes: number): void {
    this.pages++;
    this.bytes += this.counting === 'payload' ? recordBytes - 8 : recordBytes;
  }

  /**
   * Renews both rates; to be called at a dirty bitmap synchronisation more than 1000 ms after the previous call.
   * @param steps page-search steps (baseline) or target pages sent (later) since the migration began
   */
  updateRates(steps: number): void {
    // Another migration counts its steps from 0.
    if (steps < this.#stepsThen) this.#stepsThen = 0;
    const newSteps = steps - this.#stepsThen;
    if (newSteps !== 0) this.cacheMissRate = (this.cacheMiss - this.#missesThen) / newSteps;
    const newPages = this.pages - this.#pagesThen;
    const newBytes = this.bytes - this.#bytesThen;
    this.encodingRate = newPages === 0 || newBytes === 0 ? 0 : (pageSize * newPages) / newBytes;
    this.#missesThen = this.cacheMiss;
    this.#stepsThen = steps;
    this.#pagesThen = this.pages;
    this.#bytesThen = this.bytes;
  }
}
