import { createDeflate, createInflate, type Deflate, type Inflate, constants as zlib } from 'node:zlib';
import { Decompress } from 'fzstd';
import type { MultifdCompression } from './packet-layout.js';
import { pumpThrough } from './pump-through.js';
import { createZstdCompressor } from './zstd-compressor.js';

/** Packs the pages of packet after packet into one continuous stream, flushed after each (multifd.md §3). */
export interface ContinuousCompressor {
  /** Packs the parts; everything fed so far can be unpacked from the bytes returned so far. */
  feed(parts: readonly Buffer[]): Promise<Buffer>;
  close(): void;
}

/** The reverse: one continuous stream, fed packet by packet. */
export interface ContinuousDecompressor {
  /** Unpacks one packet's data, which must give exactly `expected` bytes; rejects otherwise. */
  feed(data: Buffer, expected: number): Promise<Buffer>;
  close(): void;
}

/** @param level of the method: zlib 0–9, zstd 0–20 */
export function createCompressor(method: Exclude<MultifdCompression, 'none'>, level: number): ContinuousCompressor {
  return method === 'zstd' ? createZstdCompressor(level) : new ZlibCompressor(level);
}

export function createDecompressor(method: Exclude<MultifdCompression, 'none'>): ContinuousDecompressor {
  return method === 'zstd' ? new ZstdDecompressor() : new ZlibDecompressor();
}

class ZlibCompressor implements ContinuousCompressor {
  readonly #stream: Deflate;

  constructor(level: number) {
    this.#stream = createDeflate({ level });
  }

  feed(parts: readonly Buffer[]): Promise<Buffer> {
    return pumpThrough(this.#stream, parts, zlib.Z_SYNC_FLUSH);
  }

  close(): void {
    this.#stream.destroy();
  }
}

class ZlibDecompressor implements ContinuousDecompressor {
  readonly #stream: Inflate = createInflate();

  async feed(data: Buffer, expected: number): Promise<Buffer> {
    const out = await pumpThrough(this.#stream, [data], zlib.Z_SYNC_FLUSH, expected);
    if (out.length !== expected) throw new RangeError(`${out.length} bytes came out, ${expected} were expected`);
    return out;
  }

  close(): void {
    this.#stream.destroy();
  }
}

class ZstdDecompressor implements ContinuousDecompressor {
  #out: Buffer[] = [];
  readonly #decoder = new Decompress((chunk) => this.#out.push(Buffer.from(chunk)));

  async feed(data: Buffer, expected: number): Promise<Buffer> {
    this.#out = [];
    // The decoder keeps what it is given, and the caller's buffer is reused.
    this.#decoder.push(new Uint8Array(data));
    const out = Buffer.concat(this.#out);
    if (out.length !== expected) throw new RangeError(`${out.length} bytes came out, ${expected} were expected`);
    return out;
  }

  close(): void {
    this.#out = [];
  }
}
