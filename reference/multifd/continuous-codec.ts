import { createDeflate, createInflate, type Deflate, type Inflate, constants as zlib } from 'node:zlib';
import { Decompress } from 'fzstd';
import type { MultifdCompression } from './packet-layout.js';
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
export function createCompressor(
  method: Exclude<MultifdCompression, 'none'>,
  level: number,
): Promise<ContinuousCompressor> {
  return method === 'zstd' ? createZstdCompressor(level) : Promise.resolve(new ZlibCompressor(level));
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
    return pump(this.#stream, parts, Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.#stream.destroy();
  }
}

class ZlibDecompressor implements ContinuousDecompressor {
  readonly #stream: Inflate = createInflate();

  async feed(data: Buffer, expected: number): Promise<Buffer> {
    const out = await pump(this.#stream, [data], expected);
    if (out.length !== expected) throw new RangeError(`${out.length} bytes came out, ${expected} were expected`);
    return out;
  }

  close(): void {
    this.#stream.destroy();
  }
}

/** Runs parts through a zlib stream up to a flush point and collects what comes out, at most `limit` bytes. */
function pump(stream: Deflate | Inflate, parts: readonly Buffer[], limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    let bytes = 0;
    const stop = (): void => {
      stream.off('data', collect);
      stream.off('error', fail);
      stream.off('end', ended);
    };
    const fail = (error: Error): void => {
      stop();
      reject(error);
    };
    // A stream that was finished on purpose unpacks no more; without this its flush would never be answered.
    const ended = (): void => fail(new RangeError('the compressed stream has ended'));
    const collect = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limit) fail(new RangeError(`more than ${limit} bytes came out`));
      else out.push(chunk);
    };
    const settle = (): void => {
      // Output that was pushed while the stream was busy reaches the listener a tick later.
      if (stream.readableLength > 0 && !stream.destroyed) setImmediate(settle);
      else {
        stop();
        resolve(Buffer.concat(out));
      }
    };
    stream.on('error', fail);
    stream.on('end', ended);
    stream.on('data', collect);
    for (const part of parts) stream.write(part);
    stream.flush(zlib.Z_SYNC_FLUSH, settle);
  });
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
