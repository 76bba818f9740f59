import type { ByteOutput } from './byte-output.js';
import { BitmapFlag } from './dirty-bitmap-section.js';
import type { BitmapChunk } from './stream-handler.js';

/** Writes one chunk of a `dirty-bitmap` section (stream-format.md §7.2); the flags say which fields it has. */
export function writeBitmapChunk(out: ByteOutput, chunk: BitmapChunk): void {
  const { flags } = chunk;
  if (chunk.flagBytes === 1) out.u8(flags);
  else if (chunk.flagBytes === 2) out.be16(flags);
  else out.be32(flags);
  if ((flags & BitmapFlag.deviceName) !== 0) out.str8(chunk.node);
  if ((flags & BitmapFlag.bitmapName) !== 0) out.str8(chunk.bitmap);
  if ((flags & BitmapFlag.start) !== 0) {
    out.be32(chunk.granularity ?? 0);
    out.u8(chunk.bitmapFlags ?? 0);
  }
  if ((flags & BitmapFlag.bits) === 0) return;
  out.be64(chunk.firstSector ?? 0);
  out.be32(chunk.sectors ?? 0);
  if (chunk.bits === undefined) return;
  out.be64(chunk.bits.length);
  out.bytes(chunk.bits);
}
