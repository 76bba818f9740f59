import { deflateSync, inflateSync } from 'node:zlib';
import { pageSize } from './guest-ram.js';

/** Longest compressed page that a receiver takes: zlib's bound for one page (stream-format.md §5.3). */
export const compressedPageBound = 4110;

/**
 * One complete zlib stream of a page, as COMPRESS_PAGE carries it.
 * @param level 0 (stored) to 9
 */
export function compressPage(buffer: Buffer, offset: number, level: number): Buffer {
  return deflateSync(buffer.subarray(offset, offset + pageSize), { level });
}

/**
 * Unpacks a COMPRESS_PAGE payload into a page. Shorter output leaves the rest of the page alone and bytes after the end
 * of the zlib stream are ignored, both as a real receiver does.
 * @returns bytes written, or -1 for data that is damaged, cut or longer than a page
 */
export function decompressPage(data: Buffer, page: Buffer, pageOffset: number): number {
  try {
    const out = inflateSync(data, { maxOutputLength: pageSize });
    out.copy(page, pageOffset);
    return out.length;
  } catch {
    return -1;
  }
}
