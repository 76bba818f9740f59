import { pageSize } from '../ram/guest-ram.js';
import type { RamMemory } from '../ram/ram-memory.js';
import type { ByteOutput } from './byte-output.js';
import { RamFlag } from './format.js';

/** One block in the setup records. */
export interface SetupBlock {
  readonly name: string;
  /** Used length in bytes. */
  readonly length: number;
  /** Written only when given: for postcopy with pages that are not of the normal size (stream-format.md §5.1). */
  readonly pageSize?: number;
  /** Written only when given: with `x-ignore-shared`. */
  readonly guestAddress?: number;
}

/** What a page record needs to know of its block. */
export interface NamedBlock {
  readonly name: string;
}

/** Bytes of a PAGE record with CONTINUE. */
export const pageRecordBytes = 8 + pageSize;

/**
 * Writes the records of the `ram` section (stream-format.md §5). It remembers the block of the last page record, so one
 * writer serves one connection. Page methods return the record's length in bytes.
 */
export class RamRecordWriter {
  #last: NamedBlock | undefined;

  constructor(private readonly out: ByteOutput) {}

  /** Makes the next page record carry its block's name: at the switch to postcopy and at recovery. */
  forgetBlock(): void {
    this.#last = undefined;
  }

  /** The setup list, without the EOS after it. `total` other than the sum makes a defective stream. */
  setup(blocks: readonly SetupBlock[], total = blocks.reduce((sum, block) => sum + block.length, 0)): void {
    this.setupTotal(total);
    for (const block of blocks) this.setupBlock(block);
  }

  /** The record that begins a setup list. */
  setupTotal(total: number): void {
    this.out.be64(total + RamFlag.memSize);
  }

  /** One entry of a setup list. */
  setupBlock(block: SetupBlock): void {
    this.out.str8(block.name);
    this.out.be64(block.length);
    if (block.pageSize !== undefined) this.out.be64(block.pageSize);
    if (block.guestAddress !== undefined) this.out.be64(block.guestAddress);
  }

  /** A page filled with one byte. */
  zero(block: NamedBlock, offset: number, value = 0): number {
    const length = this.#header(block, offset, RamFlag.zero);
    this.out.u8(value);
    return length + 1;
  }

  /** A whole page, copied out of `source` now. */
  page(block: NamedBlock, offset: number, source: Buffer, sourceOffset: number): number {
    const length = this.#header(block, offset, RamFlag.page);
    this.out.bytes(source, sourceOffset, sourceOffset + pageSize);
    return length + pageSize;
  }

  /** A whole page by reference: `view` must stay as it is until it has been written. */
  pageReference(block: NamedBlock, offset: number, view: Buffer): number {
    const length = this.#header(block, offset, RamFlag.page);
    this.out.reference(view);
    return length + view.length;
  }

  /**
   * {@link zero} or {@link page} for each of `count` pages that follow one another, in one call of the kernel.
   * @param address where the first of them lies in `memory`
   * @returns 0, with nothing written, where that cannot be: in another block than the last record's, or when the output
   * does not lie in `memory`
   */
  pages(block: NamedBlock, offset: number, count: number, memory: RamMemory, address: number): number {
    if (this.#last !== block) return 0;
    const before = this.out.pending;
    this.out.place(count * pageRecordBytes, (chunk, at) => {
      if (chunk.buffer !== memory.bytes.buffer) return at;
      return memory.pages(address, count, offset, chunk.byteOffset + at) - chunk.byteOffset;
    });
    return this.out.pending - before;
  }

  /** A delta, see `encodeXbzrle`. */
  xbzrle(block: NamedBlock, offset: number, delta: Buffer, deltaLength = delta.length): number {
    const length = this.#header(block, offset, RamFlag.xbzrle);
    this.out.u8(1);
    this.out.be16(deltaLength);
    this.out.bytes(delta, 0, deltaLength);
    return length + 3 + deltaLength;
  }

  /** A compressed page, see `compressPage`. */
  compressed(block: NamedBlock, offset: number, data: Buffer): number {
    const length = this.#header(block, offset, RamFlag.compressed);
    this.out.be32(data.length);
    this.out.bytes(data);
    return length + 4 + data.length;
  }

  /** Synchronise with the multifd channels (10.0). */
  flush(): number {
    this.out.be64(RamFlag.flush);
    return 8;
  }

  /** Ends the section body. */
  eos(): number {
    this.out.be64(RamFlag.eos);
    return 8;
  }

  #header(block: NamedBlock, offset: number, flag: number): number {
    if (this.#last === block) {
      this.out.be64(offset + flag + RamFlag.continue);
      return 8;
    }
    this.out.be64(offset + flag);
    this.out.str8(block.name);
    this.#last = block;
    return 9 + Buffer.byteLength(block.name, 'latin1');
  }
}
