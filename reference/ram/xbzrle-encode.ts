import { pageSize } from './guest-ram.js';

/** Result of {@link encodeXbzrle}: both pages are equal, nothing has to be sent. */
export const xbzrleUnchanged = 0;
/** Result of {@link encodeXbzrle}: the delta does not fit, the page goes as it is. */
export const xbzrleOverflow = -1;

/**
 * Writes the delta that turns the old page into the new one (xbzrle.md §2), to the last byte as QEMU would.
 * @param length bytes in a page
 * @param limit most bytes that may be written at `outOffset`
 * @returns bytes written, {@link xbzrleUnchanged} or {@link xbzrleOverflow}
 */
export function encodeXbzrle(
  old: Buffer,
  oldOffset: number,
  fresh: Buffer,
  freshOffset: number,
  out: Buffer,
  outOffset = 0,
  length = pageSize,
  limit = pageSize,
): number {
  let i = 0;
  let d = 0;
  while (i < length) {
    // Checked before an equal tail is noticed, so that an output that would fit may still overflow (xbzrle.md §2).
    if (d + 2 > limit) return xbzrleOverflow;
    const equal = equalRun(old, oldOffset + i, fresh, freshOffset + i, length - i);
    if (equal === length) return xbzrleUnchanged;
    i += equal;
    if (i === length) return d;
    d += writeLength(out, outOffset + d, equal);
    if (d + 2 > limit) return xbzrleOverflow;
    const start = i;
    while (i < length && old[oldOffset + i] !== fresh[freshOffset + i]) i++;
    const run = i - start;
    d += writeLength(out, outOffset + d, run);
    if (d + run > limit) return xbzrleOverflow;
    fresh.copy(out, outOffset + d, freshOffset + start, freshOffset + i);
    d += run;
  }
  return d;
}

/** Equal bytes at the start of two ranges; long runs are compared four bytes at a time. */
function equalRun(a: Buffer, aOffset: number, b: Buffer, bOffset: number, most: number): number {
  let n = 0;
  const aligned = ((a.byteOffset + aOffset) & 3) === ((b.byteOffset + bOffset) & 3);
  const lead = aligned ? Math.min(most, (4 - ((a.byteOffset + aOffset) & 3)) & 3) : most;
  while (n < lead) {
    if (a[aOffset + n] !== b[bOffset + n]) return n;
    n++;
  }
  if (n === most) return n;
  const words = (most - n) >>> 2;
  const aWords = wordsOf(a, 0);
  const bWords = wordsOf(b, 1);
  const aStart = (a.byteOffset + aOffset + n) >>> 2;
  const bStart = (b.byteOffset + bOffset + n) >>> 2;
  let w = 0;
  while (w < words && aWords[aStart + w] === bWords[bStart + w]) w++;
  n += w * 4;
  while (n < most && a[aOffset + n] === b[bOffset + n]) n++;
  return n;
}

/** The last word view of each side: page after page comes from the same two buffers. */
const views: [Int32Array, Int32Array] = [new Int32Array(0), new Int32Array(0)];

function wordsOf(buffer: Buffer, side: 0 | 1): Int32Array {
  const view = views[side];
  if (view.buffer === buffer.buffer) return view;
  const made = new Int32Array(buffer.buffer, 0, buffer.buffer.byteLength >>> 2);
  views[side] = made;
  return made;
}

function writeLength(out: Buffer, offset: number, value: number): number {
  if (value < 128) {
    out[offset] = value;
    return 1;
  }
  out[offset] = (value & 127) | 128;
  out[offset + 1] = value >>> 7;
  return 2;
}
