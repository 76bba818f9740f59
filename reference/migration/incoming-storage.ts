import type { Drives } from '../block/drives.js';
import { NodeBitmap } from '../block/node-bitmap.js';
import { blockChunkBytes } from '../stream/block-section.js';
import { BitmapFlag } from '../stream/dirty-bitmap-section.js';
import { StreamError } from '../stream/stream-error.js';
import type { BitmapChunk, BlockChunk } from '../stream/stream-handler.js';

const sectorBytes = 512;

/** Puts received disk contents and dirty bitmaps where they belong (stream-format.md §7). */
export class IncomingStorage {
  /** Bitmaps that have begun and are not complete. */
  readonly #loading = new Map<string, NodeBitmap>();

  constructor(
    private readonly drives: Drives,
    /** An unknown node or a bitmap that is there already loses only the bitmap. */
    private readonly lenient: boolean,
    private readonly log: (line: string) => void,
  ) {}

  blockChunk(chunk: BlockChunk): void {
    if (chunk.kind !== 'data' && chunk.kind !== 'zero') return;
    const data = chunk.kind === 'data' ? chunk.data : Buffer.alloc(blockChunkBytes);
    this.drives.find(chunk.drive)?.write(chunk.sector * sectorBytes, data);
  }

  bitmapChunk(chunk: BitmapChunk): void {
    const drive = this.drives.find(chunk.node);
    // The reader has told of an unknown node.
    if (drive === undefined) return;
    const key = `${chunk.node}\0${chunk.bitmap}`;
    if ((chunk.flags & BitmapFlag.start) !== 0) {
      if (drive.bitmaps.has(chunk.bitmap)) {
        this.#refuse(`Bitmap with the same name ('${chunk.bitmap}') already exists on destination`);
        return;
      }
      const flags = chunk.bitmapFlags ?? 0;
      const bitmap = new NodeBitmap(chunk.bitmap, chunk.granularity ?? 0, drive.size, (flags & 2) !== 0);
      bitmap.recording = (flags & 1) !== 0;
      this.#loading.set(key, bitmap);
      return;
    }
    const bitmap = this.#loading.get(key);
    if (bitmap === undefined) return;
    if (chunk.bits !== undefined) bitmap.load((chunk.firstSector ?? 0) * sectorBytes, chunk.bits);
    if ((chunk.flags & BitmapFlag.complete) === 0) return;
    this.#loading.delete(key);
    drive.bitmaps.set(chunk.bitmap, bitmap);
  }

  #refuse(line: string): void {
    if (!this.lenient)
      throw new StreamError('INV', { field: 'bitmap', expected: 'a new one', got: 'one that is there', lines: [line] });
    this.log(line);
  }
}
