import { pageSize } from '../ram/guest-ram.js';
import type { ContinuousCompressor } from './continuous-codec.js';

/** Magic, a frame header without content size and checksum, and a window of 512 KiB, as large as a packet. */
const frameHeader = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x48]);
const largestBlock = 128 * 1024;
const raw = 0;
const repeated = 1;

/**
 * A zstd frame of raw and repeated-byte blocks (RFC 8878 §3.1.1.2): valid for every decoder, no real compression. Each
 * run of pages filled with one byte becomes a block of four bytes.
 */
export class StoredZstdCompressor implements ContinuousCompressor {
  #started = false;

  async feed(parts: readonly Buffer[]): Promise<Buffer> {
    const out: Buffer[] = this.#started ? [] : [frameHeader];
    this.#started = true;
    const data = Buffer.concat(parts);
    for (let at = 0; at < data.length; ) {
      const value = filledWith(data, at);
      let end = at + pageSize;
      while (end < data.length && end - at < largestBlock && filledWith(data, end) === value) end += pageSize;
      end = Math.min(end, data.length);
      if (value === undefined) out.push(blockHeader(raw, end - at), data.subarray(at, end));
      else out.push(blockHeader(repeated, end - at), Buffer.from([value]));
      at = end;
    }
    return Buffer.concat(out);
  }

  close(): void {
    this.#started = false;
  }
}

/** Three bytes: size, type, and never the last-block bit. */
function blockHeader(type: number, size: number): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type << 1), 0, 3);
  return header;
}

/** The byte that fills the whole page at `offset`, if there is one. */
function filledWith(data: Buffer, offset: number): number | undefined {
  const end = Math.min(offset + pageSize, data.length);
  // A buffer equals itself shifted by one byte exactly when all its bytes are the same.
  return data.compare(data, offset + 1, end, offset, end - 1) === 0 ? data[offset] : undefined;
}
