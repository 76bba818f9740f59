import type { MultifdSender } from '../../../reference/multifd/multifd-sender.js';
import type { PacketBlock } from '../../../reference/multifd/packet-writer.js';
import { compressPage } from '../../../reference/ram/compress-page.js';
import { pageSize } from '../../../reference/ram/guest-ram.js';
import { encodeXbzrle, xbzrleOverflow } from '../../../reference/ram/xbzrle-encode.js';
import { isZeroPage } from '../../../reference/ram/zero-page.js';
import type { StreamWriter } from '../../../reference/stream/stream-writer.js';
import type { Plan } from './plan.js';

/** A piece of RAM in memory. */
export interface Piece {
  /** The piece as data channels take it; `start` is where it lies in its block, in bytes. */
  readonly block: PacketBlock & { readonly start: number };
  /** What the destination has there, for deltas. */
  readonly old?: Buffer;
}

/** Writes pages in the way that the plan and the stage of the migration ask for. */
export class PageWriter {
  /** After the switch to postcopy: nothing but ZERO and PAGE records, and all of them on the main channel. */
  postcopy = false;
  readonly #block: { readonly name: string };
  readonly #delta = Buffer.alloc(pageSize * 2);
  #named = false;

  constructor(
    private readonly plan: Plan,
    private readonly writer: StreamWriter,
    private readonly sender: MultifdSender | undefined,
  ) {
    this.#block = { name: plan.block };
  }

  /** The page at `offset` of a piece. A promise only where it must be awaited first. */
  page(piece: Piece, offset: number): Promise<void> | undefined {
    const { sender, plan } = this;
    const { ram } = this.writer;
    const { bytes, start } = piece.block;
    const at = start + offset;
    const zero = isZeroPage(bytes, offset);
    if (sender !== undefined && !this.postcopy && (!zero || plan.dialect.stream.flushRecords)) {
      return sender.page(piece.block, at);
    }
    if (zero) ram.zero(this.#block, at);
    else if (piece.old !== undefined) this.#change(piece, piece.old, offset);
    // The record that names the block is never compressed (stream-format.md §5.3).
    else if (plan.compress !== undefined && !this.postcopy && this.#named) {
      ram.compressed(this.#block, at, compressPage(bytes, offset, plan.compress));
    } else ram.page(this.#block, at, bytes, offset);
    this.#named = true;
    return undefined;
  }

  #change({ block: { bytes, start } }: Piece, old: Buffer, offset: number): void {
    const length = encodeXbzrle(old, offset, bytes, offset, this.#delta);
    if (length === xbzrleOverflow) this.writer.ram.page(this.#block, start + offset, bytes, offset);
    else this.writer.ram.xbzrle(this.#block, start + offset, this.#delta, length);
  }
}
