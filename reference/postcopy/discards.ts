import type { DirtyBitmap } from '../ram/dirty-bitmap.js';
import { type GuestRam, pageSize } from '../ram/guest-ram.js';
import type { MigrationBitmap } from '../ram/migration-bitmap.js';
import type { ByteRange, StreamWriter } from '../stream/stream-writer.js';

/** The runs of pages in a set, as byte ranges. */
export function pageRanges(pages: DirtyBitmap): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (let from = pages.next(0); from !== -1; ) {
    const to = pages.nextClear(from);
    ranges.push({ start: from * pageSize, length: (to - from) * pageSize });
    from = pages.next(to);
  }
  return ranges;
}

/** Makes the destination forget what it has of the pages that are still to come (stream-format.md §9.1). */
export function writeDiscards(writer: StreamWriter, ram: GuestRam, unsent: MigrationBitmap): void {
  for (const block of ram.blocks) {
    const ranges = pageRanges(unsent.of(block));
    if (ranges.length > 0) writer.postcopyDiscard(block.name, ranges);
  }
}
