import { DirtyBitmap } from './dirty-bitmap.js';
import type { GuestRam, RamBlock } from './guest-ram.js';

/** The pages that an outgoing migration still has to send, over all blocks. */
export class MigrationBitmap {
  readonly #bitmaps: readonly DirtyBitmap[];

  constructor(private readonly ram: GuestRam) {
    this.#bitmaps = ram.blocks.map((block) => new DirtyBitmap(block.dirtyLog.pages));
  }

  /** Pages still to send. */
  get count(): number {
    let sum = 0;
    for (const bitmap of this.#bitmaps) sum += bitmap.count;
    return sum;
  }

  /** The set of one block, for searching and clearing. */
  of(block: RamBlock): DirtyBitmap {
    return this.#bitmaps[block.index]!;
  }

  /** Marks every page of every block: the start of the first pass. */
  setAll(): void {
    for (const bitmap of this.#bitmaps) bitmap.setAll();
  }

  /** Takes the dirty log of every block and leaves it empty; returns how many pages were newly marked. */
  sync(): number {
    let fresh = 0;
    for (const block of this.ram.blocks) fresh += this.of(block).take(block.dirtyLog);
    return fresh;
  }
}
