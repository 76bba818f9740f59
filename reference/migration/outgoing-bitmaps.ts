import type { Drives } from '../block/drives.js';
import type { NodeBitmap } from '../block/node-bitmap.js';
import { BitmapFlag } from '../stream/dirty-bitmap-section.js';
import { writeBitmapChunk } from '../stream/dirty-bitmap-writer.js';
import type { StreamWriter } from '../stream/stream-writer.js';

/** Bytes of bits in one chunk. */
const chunkBits = 1024;
/** Buffers of bits come in units of this many bytes. */
const bufferUnit = 32;
const sectorBytes = 512;

/** Writes the bodies of the `dirty-bitmap` section (stream-format.md §7.2): the list at the start, the bits at the end. */
export class BitmapSource {
  #node = '';
  #bitmap = '';

  constructor(
    private readonly drives: Drives,
    private readonly writer: StreamWriter,
    private readonly section: number,
  ) {}

  start(): void {
    this.writer.start(this.section, 'dirty-bitmap', 0, 1);
    for (const { node, bitmap } of this.#all()) {
      const bitmapFlags = (bitmap.recording ? 1 : 0) | (bitmap.persistent ? 2 : 0);
      this.#chunk(node, bitmap.name, BitmapFlag.start, { granularity: bitmap.granularity, bitmapFlags });
    }
    this.#endBody();
  }

  end(): void {
    this.writer.end(this.section);
    for (const { node, bitmap } of this.#all()) {
      for (let at = 0; at < bitmap.bits.length; at += chunkBits) this.#bits(node, bitmap, at);
      this.#chunk(node, bitmap.name, BitmapFlag.complete, {});
    }
    this.#endBody();
  }

  #endBody(): void {
    writeBitmapChunk(this.writer.out, { flags: BitmapFlag.eos, flagBytes: 1, node: '', bitmap: '' });
    this.writer.footer();
  }

  *#all(): Generator<{ readonly node: string; readonly bitmap: NodeBitmap }> {
    for (const drive of this.drives.all) {
      for (const bitmap of drive.bitmaps.values()) yield { node: drive.name, bitmap };
    }
  }

  #bits(node: string, bitmap: NodeBitmap, at: number): void {
    const some = bitmap.bits.subarray(at, at + chunkBits);
    const first = at * 8 * bitmap.granularity;
    const length = Math.min(some.length * 8 * bitmap.granularity, bitmap.size - first);
    const place = { firstSector: first / sectorBytes, sectors: Math.ceil(length / sectorBytes) };
    if (some.every((byte) => byte === 0)) {
      this.#chunk(node, bitmap.name, BitmapFlag.bits | BitmapFlag.zeroes, place);
      return;
    }
    const bits = Buffer.alloc(Math.ceil(some.length / bufferUnit) * bufferUnit);
    bits.set(some);
    this.#chunk(node, bitmap.name, BitmapFlag.bits, { ...place, bits });
  }

  /** Names go only where they differ from the chunk before. */
  #chunk(node: string, name: string, kind: number, fields: object): void {
    const sameNode = node === this.#node;
    const named =
      (sameNode ? 0 : BitmapFlag.deviceName) | (sameNode && name === this.#bitmap ? 0 : BitmapFlag.bitmapName);
    this.#node = node;
    this.#bitmap = name;
    writeBitmapChunk(this.writer.out, { flags: kind | named, flagBytes: 1, node, bitmap: name, ...fields });
  }
}
