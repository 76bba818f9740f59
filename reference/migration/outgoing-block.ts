import type { Drive } from '../block/drive.js';
import type { Drives } from '../block/drives.js';
import { blockChunkBytes } from '../stream/block-section.js';
import { writeBlockChunk } from '../stream/block-writer.js';
import type { StreamWriter } from '../stream/stream-writer.js';

/** Sends the drives' contents in the `block` section (stream-format.md §7.1): all of them, then what was written since. */
export class BlockSource {
  /** Bytes of all drives, and of them those that have been sent. */
  readonly total: number;
  transferred = 0;
  readonly #left = new Map<Drive, Set<number>>();
  #percent = -1;

  constructor(
    drives: Drives,
    private readonly writer: StreamWriter,
    private readonly section: number,
    /** Chunks of zeros go without their bytes. */
    private readonly shortZeroes: boolean,
  ) {
    this.total = drives.all.reduce((sum, { size }) => sum + size, 0);
    for (const drive of drives.all) {
      const chunks = Math.ceil(drive.size / blockChunkBytes);
      this.#left.set(drive, new Set(Array.from({ length: chunks }, (_, chunk) => chunk)));
      drive.onWrite = (offset, length) => this.#written(drive, offset, length);
    }
  }

  /** Chunks still to send. */
  get pending(): number {
    let sum = 0;
    for (const chunks of this.#left.values()) sum += chunks.size;
    return sum;
  }

  get remaining(): number {
    return Math.max(0, this.total - this.transferred);
  }

  start(): void {
    this.writer.start(this.section, 'block', 0, 1);
    this.#endBody();
  }

  /** One PART section of about `room` bytes, at least one chunk. */
  part(room: number): void {
    this.writer.part(this.section);
    const before = this.writer.out.total;
    do this.#progress();
    while (this.#next() && this.writer.out.total - before < room);
    this.#progress();
    this.#endBody();
  }

  /** The END section: what is left, the guest being stopped. */
  end(): void {
    this.writer.end(this.section);
    while (this.#next());
    writeBlockChunk(this.writer.out, { kind: 'progress', percent: 100 });
    this.#endBody();
  }

  /** Nobody watches the drives any more. */
  close(): void {
    for (const drive of this.#left.keys()) drive.onWrite = undefined;
  }

  #endBody(): void {
    writeBlockChunk(this.writer.out, { kind: 'eos' });
    this.writer.footer();
  }

  #progress(): void {
    const percent = this.total === 0 ? 100 : Math.floor((this.transferred * 100) / this.total);
    if (percent === this.#percent || percent >= 100) return;
    this.#percent = percent;
    writeBlockChunk(this.writer.out, { kind: 'progress', percent });
  }

  #next(): boolean {
    for (const [drive, chunks] of this.#left) {
      const [chunk] = chunks;
      if (chunk === undefined) continue;
      chunks.delete(chunk);
      const data = drive.read(chunk * blockChunkBytes, blockChunkBytes);
      const place = { drive: drive.name, sector: (chunk * blockChunkBytes) / 512 };
      const zero = this.shortZeroes && data.every((byte) => byte === 0);
      writeBlockChunk(this.writer.out, zero ? { kind: 'zero', ...place } : { kind: 'data', ...place, data });
      this.transferred = Math.min(this.total, this.transferred + data.length);
      return true;
    }
    return false;
  }

  #written(drive: Drive, offset: number, length: number): void {
    const last = Math.floor((offset + length - 1) / blockChunkBytes);
    for (let chunk = Math.floor(offset / blockChunkBytes); chunk <= last; chunk++) this.#left.get(drive)?.add(chunk);
  }
}
