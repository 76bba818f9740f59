import { type FileHandle, open } from 'node:fs/promises';
import { DirtyBitmap } from '../../../reference/ram/dirty-bitmap.js';
import { pageSize } from '../../../reference/ram/guest-ram.js';
import { cannotRead } from '../byte-input.js';

/** Bytes of an image that are in memory at a time. */
export const pieceBytes = 1024 * 1024;

/** A RAM image, read piece by piece; behind its end are zeroes. */
export class Image {
  private constructor(
    private readonly file: FileHandle,
    readonly name: string,
    /** Bytes of the file. */
    readonly bytes: number,
  ) {}

  /** @throws UsageError if the file cannot be read */
  static async open(name: string): Promise<Image> {
    const file = await open(name, 'r').catch((error: unknown) => {
      throw cannotRead(name, error);
    });
    return new Image(file, name, (await file.stat()).size);
  }

  /** Fills `buffer` with what is at `at`. @throws UsageError if the file cannot be read */
  async read(buffer: Buffer, at: number): Promise<void> {
    let filled = 0;
    while (filled < buffer.length && at + filled < this.bytes) {
      const { bytesRead } = await this.file
        .read(buffer, filled, buffer.length - filled, at + filled)
        .catch((error: unknown) => {
          throw cannotRead(this.name, error);
        });
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    buffer.fill(0, filled);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** Calls `each` for every piece of RAM: its place, its length, whole pages both. */
export async function eachPiece(size: number, each: (at: number, length: number) => Promise<void>): Promise<void> {
  for (let at = 0; at < size; at += pieceBytes) await each(at, Math.min(pieceBytes, size - at));
}

/** The pages in which two images differ, of `size` bytes of RAM. */
export async function differingPages(before: Image, after: Image, size: number): Promise<DirtyBitmap> {
  const differing = new DirtyBitmap(size / pageSize);
  const [old, fresh] = [Buffer.alloc(pieceBytes), Buffer.alloc(pieceBytes)];
  await eachPiece(size, async (at, length) => {
    await before.read(old.subarray(0, length), at);
    await after.read(fresh.subarray(0, length), at);
    for (let offset = 0; offset < length; offset += pageSize) {
      if (old.compare(fresh, offset, offset + pageSize, offset, offset + pageSize) === 0) continue;
      differing.set((at + offset) / pageSize);
    }
  });
  return differing;
}
