/** What was sent compressed (capability `compress`), as `query-migrate` tells of it. */
import { pageSize } from '../ram/guest-ram.js';

/** Bytes in front of each that say how long it is: they are counted, those that say which page it is are not. */
const lengthBytes = 4;

export class CompressedPages {
  pages = 0;
  bytes = 0;
  /** How many times smaller they became, in the last period in which there were some. */
  rate = 0;
  #before = { pages: 0, bytes: 0 };

  add(bytes: number): void {
    this.pages++;
    this.bytes += bytes + lengthBytes;
  }

  /** Ends a period. */
  updateRate(): void {
    const { pages, bytes } = this;
    const before = this.#before;
    if (bytes > before.bytes) this.rate = ((pages - before.pages) * pageSize) / (bytes - before.bytes);
    this.#before = { pages, bytes };
  }
}
