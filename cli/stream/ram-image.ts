import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { decompressPage } from '../../reference/ram/compress-page.js';
import { DirtyBitmap } from '../../reference/ram/dirty-bitmap.js';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { decodeXbzrle, xbzrleMalformed } from '../../reference/ram/xbzrle-decode.js';
import { type PageKind, RamFlag } from '../../reference/stream/format.js';
import { StreamError } from '../../reference/stream/stream-error.js';
import type { StreamBlock } from '../../reference/stream/stream-handler.js';
import type { ByteRange } from '../../reference/stream/stream-writer.js';
import { cannotWrite } from './byte-input.js';

/** Pages that follow one another are written in pieces of this size. */
const pieceBytes = 1024 * 1024;

interface ImageBlock {
  readonly name: string;
  readonly length: number;
  /** Offset of the block in the file. */
  readonly base: number;
  /** Pages that the file holds; all others are holes, which read as zero. */
  readonly written: DirtyBitmap;
}

/**
 * RAM as a file: the blocks one behind the other in the order of the setup records. Pages go straight to their place, so
 * memory does not grow with the guest (one bit for a page aside), and pages of zeros stay holes.
 */
export class RamImage {
  readonly blocks = new Map<string, ImageBlock>();
  readonly #fd: number;
  readonly #page = Buffer.alloc(pageSize);
  /** Bytes for the file at {@link #pieceAt} that have not been written yet. */
  readonly #piece = Buffer.allocUnsafeSlow(pieceBytes);
  #pieceAt = 0;
  #pieceLength = 0;
  #length = 0;
  #broken = false;

  /**
   * @param only the one block to keep, or undefined for all
   * @throws StorageError when the file cannot be written, here and from every method
   */
  constructor(
    private readonly path: string,
    private readonly only: string | undefined,
  ) {
    this.#fd = this.#try(() => openSync(path, 'w+'));
  }

  /** Bytes of all blocks. */
  get length(): number {
    return this.#length;
  }

  add(name: string, length: number): void {
    if (this.blocks.has(name) || (this.only !== undefined && this.only !== name)) return;
    this.blocks.set(name, { name, length, base: this.#length, written: new DirtyBitmap(Math.ceil(length / pageSize)) });
    this.#length += length;
  }

  record(block: StreamBlock, offset: number, kind: PageKind, bytes: Buffer, start: number, length: number): void {
    const own = this.blocks.get(block.name);
    if (own === undefined) return;
    switch (kind) {
      case RamFlag.page:
        this.#write(own, offset, bytes, start);
        return;
      case RamFlag.zero:
        this.#fill(own, offset, bytes[start]!);
        return;
      case RamFlag.xbzrle:
        this.#read(own, offset);
        if (decodeXbzrle(bytes, start, length, this.#page) === xbzrleMalformed) throw damaged('XBZRLE delta');
        this.#write(own, offset, this.#page, 0);
        return;
      case RamFlag.compressed:
        this.#read(own, offset);
        if (decompressPage(bytes.subarray(start, start + length), this.#page, 0) < 0) throw damaged('compressed page');
        this.#write(own, offset, this.#page, 0);
    }
  }

  /** A page of a multifd channel. */
  page(name: string, offset: number, bytes: Buffer, start: number): void {
    const own = this.blocks.get(name);
    if (own !== undefined) this.#write(own, offset, bytes, start);
  }

  /** A page of a multifd channel that is zero. */
  zeroPage(name: string, offset: number): void {
    const own = this.blocks.get(name);
    if (own !== undefined) this.#fill(own, offset, 0);
  }

  discard(name: string, ranges: readonly ByteRange[]): void {
    const own = this.blocks.get(name);
    if (own === undefined) return;
    for (const { start, length } of ranges) {
      for (let at = start; at < start + length; at += pageSize) this.#fill(own, at, 0);
    }
  }

  /** Writes what is left and closes the file, even when it throws. */
  close(): void {
    try {
      // After an error there is nothing to complete: that error is to be told, not what follows from it.
      if (this.#broken) return;
      this.#flush();
      this.#try(() => ftruncateSync(this.#fd, this.#length));
    } finally {
      closeSync(this.#fd);
    }
  }

  #fill(block: ImageBlock, offset: number, value: number): void {
    if (value === 0 && !block.written.has(offset / pageSize)) return;
    this.#page.fill(value);
    this.#write(block, offset, this.#page, 0);
  }

  #write(block: ImageBlock, offset: number, bytes: Buffer, start: number): void {
    block.written.set(Math.floor(offset / pageSize));
    const length = Math.min(pageSize, block.length - offset);
    const at = block.base + offset;
    if (at !== this.#pieceAt + this.#pieceLength || this.#pieceLength + length > pieceBytes) {
      this.#flush();
      this.#pieceAt = at;
    }
    this.#pieceLength += bytes.copy(this.#piece, this.#pieceLength, start, start + length);
  }

  #flush(): void {
    const length = this.#pieceLength;
    // A write that fails must not be tried again by the one that closes the file.
    this.#pieceLength = 0;
    for (let done = 0; done < length; ) {
      done += this.#try(() => writeSync(this.#fd, this.#piece, done, length - done, this.#pieceAt + done));
    }
  }

  #try<T>(access: () => T): T {
    try {
      return access();
    } catch (error) {
      this.#broken = true;
      throw cannotWrite(this.path, error);
    }
  }

  #read(block: ImageBlock, offset: number): void {
    this.#flush();
    this.#page.fill(0);
    if (block.written.has(offset / pageSize)) readSync(this.#fd, this.#page, 0, pageSize, block.base + offset);
  }
}

function damaged(what: string): StreamError {
  return new StreamError('INV', { field: what, expected: 'data that can be unpacked', got: 'damaged data' });
}
