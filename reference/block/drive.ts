import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { NodeBitmap } from './node-bitmap.js';

/** A drive of the machine: a raw file, or nothing but a size (`null-co`). Nothing in the machine uses it by itself. */
export class Drive {
  readonly bitmaps = new Map<string, NodeBitmap>();
  /** Told of each write, in bytes. */
  onWrite: ((offset: number, length: number) => void) | undefined;
  readonly #fd: number | undefined;

  /** @throws the system's error for a file that cannot be opened for reading and writing */
  constructor(
    /** Of the drive (`-drive id=`) or the node (`-blockdev node-name=`). */
    readonly name: string,
    source: { readonly file: string } | { readonly size: number },
  ) {
    if ('file' in source) {
      this.#fd = openSync(source.file, 'r+');
      this.size = fstatSync(this.#fd).size;
    } else this.size = source.size;
  }

  /** Bytes. */
  readonly size: number;

  /** Bytes of the drive; what lies past its end is left out. */
  read(offset: number, length: number): Buffer {
    const data = Buffer.alloc(Math.max(0, Math.min(length, this.size - offset)));
    if (this.#fd !== undefined) readSync(this.#fd, data, 0, data.length, offset);
    return data;
  }

  /** What lies past the end is dropped. */
  write(offset: number, data: Buffer): void {
    const length = Math.max(0, Math.min(data.length, this.size - offset));
    if (this.#fd !== undefined) writeSync(this.#fd, data, 0, length, offset);
    for (const bitmap of this.bitmaps.values()) if (bitmap.recording) bitmap.mark(offset, length);
    this.onWrite?.(offset, length);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }
}
