import { pageSize } from './guest-ram.js';

/** Result of {@link decodeXbzrle} for a delta that breaks the rules; bytes before the violation are in the page. */
export const xbzrleMalformed = -1;

/** Longer runs than this many bytes are worth a call into native code. */
const nativeCopy = 64;

/**
 * Applies a delta to a page in place (xbzrle.md §2).
 * @returns the position after the last changed byte, 0 for an empty delta, or {@link xbzrleMalformed}
 */
export function decodeXbzrle(
  delta: Buffer,
  deltaOffset: number,
  deltaLength: number,
  page: Buffer,
  pageOffset = 0,
  length = pageSize,
): number {
  let i = 0;
  let d = 0;
  while (i < deltaLength) {
    if (deltaLength - i < 2) return xbzrleMalformed;
    let run = delta[deltaOffset + i]!;
    let size = 1;
    if (run > 127) {
      const high = delta[deltaOffset + i + 1]!;
      if (high > 127) return xbzrleMalformed;
      run = (run & 127) | (high << 7);
      size = 2;
    }
    if (run === 0 && i !== 0) return xbzrleMalformed;
    i += size;
    d += run;
    if (d > length || deltaLength - i < 2) return xbzrleMalformed;
    run = delta[deltaOffset + i]!;
    size = 1;
    if (run > 127) {
      const high = delta[deltaOffset + i + 1]!;
      if (high > 127) return xbzrleMalformed;
      run = (run & 127) | (high << 7);
      size = 2;
    }
    i += size;
    if (run === 0 || d + run > length || i + run > deltaLength) return xbzrleMalformed;
    if (run > nativeCopy) delta.copy(page, pageOffset + d, deltaOffset + i, deltaOffset + i + run);
    else for (let from = deltaOffset + i, to = pageOffset + d, n = run; n > 0; n--) page[to++] = delta[from++]!;
    i += run;
    d += run;
  }
  return d;
}
