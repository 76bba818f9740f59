import { type GuestRam, pageSize, type RamBlock } from '../ram/guest-ram.js';
import type { MigrationBitmap } from '../ram/migration-bitmap.js';
import { isZeroPage } from '../ram/zero-page.js';

/**
 * Capability `release-ram` (commands.md §3): after the switch to postcopy the source gives up each page that has been sent,
 * so that it reads as zero from then on. No byte of the stream changes, and the migration cannot be resumed.
 */
export class ReleasedRam {
  constructor(private readonly ram: GuestRam) {}

  /** Gives up what had been sent before the switch: every page that is not to be sent any more. */
  begin(unsent: MigrationBitmap): void {
    for (const block of this.ram.blocks) {
      const left = unsent.of(block);
      for (let from = left.nextClear(0); from < left.pages; ) {
        const next = left.next(from);
        const to = next === -1 ? left.pages : next;
        this.pages(block, from, to);
        from = left.nextClear(to);
      }
    }
  }

  /** Gives up the pages `from` … `to - 1`, of which the stream holds a copy. */
  pages(block: RamBlock, from: number, to: number): void {
    for (let at = from * pageSize; at < to * pageSize; at += pageSize) {
      // A page that nobody ever touched costs the host nothing, and must not begin to now.
      if (!isZeroPage(block.bytes, at)) block.bytes.fill(0, at, at + pageSize);
    }
  }
}
