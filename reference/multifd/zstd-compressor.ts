import * as zlib from 'node:zlib';
import type { ContinuousCompressor } from './continuous-codec.js';
import { pumpThrough } from './pump-through.js';
import { StoredZstdCompressor } from './stored-zstd.js';

/** Ends a block so that everything fed before can be unpacked: `ZSTD_e_flush`. */
const flushOperation = 1;
/** Parameter number of the compression level. */
const levelParameter = 100;

type CreateZstd = (options: { params: Record<number, number> }) => zlib.Deflate;

/**
 * One zstd frame that is never ended, flushed after each packet. Node compresses from 22.15 on; before, the pages go as
 * raw and repeated-byte blocks, which every zstd decoder takes and which only saves the room of one-byte pages.
 * @param level 0 (the default level) to 20
 */
export function createZstdCompressor(level: number): ContinuousCompressor {
  const create = (zlib as { createZstdCompress?: CreateZstd }).createZstdCompress;
  if (create === undefined) return new StoredZstdCompressor();
  const stream = create({ params: { [levelParameter]: level } });
  return {
    feed: (parts) => pumpThrough(stream, parts, flushOperation),
    close: () => {
      stream.destroy();
    },
  };
}
