import { pageSize, type RamBlock } from '../ram/guest-ram.js';
import type { MigrationBitmap } from '../ram/migration-bitmap.js';

/** The source's queue of pages that the destination has asked for: they are sent before all others. */
export class RequestQueue {
  readonly #requests: { readonly block: RamBlock; page: number; readonly end: number }[] = [];

  get empty(): boolean {
    return this.#requests.length === 0;
  }

  /** Bytes, page-aligned. */
  add(block: RamBlock, start: number, length: number): void {
    this.#requests.push({ block, page: start / pageSize, end: (start + length) / pageSize });
  }

  /** Takes the next requested page that has not been sent out of `unsent`; undefined when there is none. */
  take(unsent: MigrationBitmap): { readonly block: RamBlock; readonly page: number } | undefined {
    for (;;) {
      const request = this.#requests[0];
      if (request === undefined) return undefined;
      if (request.page >= request.end) {
        this.#requests.shift();
        continue;
      }
      const page = request.page++;
      if (unsent.of(request.block).clear(page)) return { block: request.block, page };
    }
  }
}
