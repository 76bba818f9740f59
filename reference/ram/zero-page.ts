import { pageSize } from './guest-ram.js';

const zeroes = Buffer.alloc(pageSize);

/**
 * True if the page at `offset` holds only zeros. Most pages with data differ from zero in one of a few probed bytes, so
 * they never reach the native comparison; all-zero pages cost one memcmp.
 */
export function isZeroPage(buffer: Buffer, offset: number): boolean {
  if (buffer[offset] !== 0 || buffer[offset + 2048] !== 0 || buffer[offset + pageSize - 1] !== 0) return false;
  return zeroes.compare(buffer, offset, offset + pageSize, 0, pageSize) === 0;
}
