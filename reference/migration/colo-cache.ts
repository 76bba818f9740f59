import { DirtyBitmap } from '../ram/dirty-bitmap.js';
import { createGuestRam, type GuestRam, pageSize } from '../ram/guest-ram.js';
import type { PageKind } from '../stream/format.js';
import { RamLoader } from '../stream/ram-loader.js';
import type { StreamBlock } from '../stream/stream-handler.js';

/**
 * The primary's RAM as of the last checkpoint, for a secondary whose own guest runs: what that guest has written since is
 * undone with the next checkpoint. The guest's RAM is logged for dirty pages until {@link close}.
 */
export class ColoCache {
  readonly #copy: GuestRam;
  readonly #loader: RamLoader;
  readonly #fresh: readonly DirtyBitmap[];

  /** Takes the guest's present RAM for the primary's. */
  constructor(private readonly ram: GuestRam) {
    this.#copy = createGuestRam(
      ram.blocks.map(({ name, bytes }) => ({ name, size: bytes.length })),
      // Nothing is done to many of its pages at once.
      () => undefined,
    );
    ram.blocks.forEach(({ bytes, dirtyLog }, index) => {
      bytes.copy(this.#copy.blocks[index]!.bytes);
      dirtyLog.clearAll();
    });
    this.#loader = new RamLoader(this.#copy);
    this.#fresh = ram.blocks.map(({ dirtyLog }) => new DirtyBitmap(dirtyLog.pages));
    ram.logging = true;
  }

  /** A page record of the next checkpoint; the guest does not see it before {@link apply}. */
  ramPage(block: StreamBlock, offset: number, kind: PageKind, bytes: Buffer, start: number, length: number): void {
    this.#loader.ramPage(block, offset, kind, bytes, start, length);
    const own = this.#copy.block(block.name);
    if (own !== undefined) this.#fresh[own.index]!.set(offset / pageSize);
  }

  /** Gives the guest the RAM of the checkpoint. */
  apply(): void {
    for (const { bytes, dirtyLog, index } of this.ram.blocks) {
      const changed = this.#fresh[index]!;
      changed.take(dirtyLog);
      const from = this.#copy.blocks[index]!.bytes;
      for (let page = changed.next(0); page !== -1; page = changed.next(page + 1)) {
        from.copy(bytes, page * pageSize, page * pageSize, (page + 1) * pageSize);
      }
      changed.clearAll();
    }
  }

  close(): void {
    this.ram.logging = false;
  }
}
