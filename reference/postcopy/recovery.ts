import { DirtyBitmap } from '../ram/dirty-bitmap.js';
import { type GuestRam, pageSize } from '../ram/guest-ram.js';
import type { MigrationBitmap } from '../ram/migration-bitmap.js';
import type { ReturnPathMessage } from '../stream/return-path-reader.js';
import type { StreamWriter } from '../stream/stream-writer.js';

/** The source's half of the talk on a recovery connection (stream-format.md §9.3). */
export class RecoveryHandshake {
  readonly #awaited = new Set<string>();
  #acknowledged = false;

  /** Every block's received bitmap has come. */
  get bitmapsComplete(): boolean {
    return this.#awaited.size === 0;
  }

  /** RESUME_ACK has come. */
  get acknowledged(): boolean {
    return this.#acknowledged;
  }

  /** Asks for the received bitmap of every block. */
  begin(writer: StreamWriter, ram: GuestRam): void {
    this.#awaited.clear();
    this.#acknowledged = false;
    for (const { name } of ram.blocks) {
      this.#awaited.add(name);
      writer.recvBitmap(name);
    }
  }

  /** What the destination has not received is what is still to be sent. */
  receivedBitmap(
    message: Extract<ReturnPathMessage, { type: 'RECV_BITMAP' }>,
    ram: GuestRam,
    unsent: MigrationBitmap,
  ): void {
    const block = ram.block(message.block);
    if (block === undefined) return;
    const pages = block.bytes.length / pageSize;
    unsent.of(block).setComplement(DirtyBitmap.fromWire(message.bitmap, pages));
    this.#awaited.delete(block.name);
  }

  acknowledge(): void {
    this.#acknowledged = true;
  }
}
