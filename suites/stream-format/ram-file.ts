/** Compares the RAM that a monitor has written to a file with what it must hold. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { pageSize } from '../../reference/ram/guest-ram.js';

export interface RamFault {
  readonly page: number;
  readonly expected: Buffer;
  readonly got: Buffer;
}

/** Read in pieces into the same memory at each call: whole files in buffers of their own keep the garbage collector busy. */
const piece = Buffer.alloc(1 << 20);
const zeros = Buffer.alloc(piece.length);
const zeroPage = zeros.subarray(0, pageSize);

/**
 * The first page that is not as it must be, if any, and the file's length in bytes.
 * @param pages content by page number; all others must be zero
 */
export function checkRamFile(path: string, pages: ReadonlyMap<number, Buffer>): { length: number; fault?: RamFault } {
  const file = openSync(path, 'r');
  try {
    const { size: length } = fstatSync(file);
    const perPiece = piece.length / pageSize;
    const filled = new Set([...pages.keys()].map((page) => Math.floor(page / perPiece)));
    for (let at = 0; at < length; at += piece.length) {
      const got = piece.subarray(0, readSync(file, piece, 0, piece.length, at));
      const isZero = got.compare(zeros, 0, got.length) === 0;
      if (isZero && !filled.has(at / piece.length)) continue;
      const fault = firstFault(got, at / pageSize, pages);
      if (fault !== undefined) return { length, fault };
    }
    return { length };
  } finally {
    closeSync(file);
  }
}

const other = Buffer.alloc(piece.length);

/** Number of the first page in which two files differ, or which only one has; `undefined` when they are the same. */
export function differingPage(one: string, two: string): number | undefined {
  const files = [openSync(one, 'r'), openSync(two, 'r')] as const;
  try {
    for (let at = 0; ; at += piece.length) {
      const [a, b] = [readSync(files[0], piece, 0, piece.length, at), readSync(files[1], other, 0, piece.length, at)];
      for (let page = 0; page < Math.max(a, b); page += pageSize) {
        const [is, was] = [
          piece.subarray(page, Math.min(a, page + pageSize)),
          other.subarray(page, Math.min(b, page + pageSize)),
        ];
        if (!is.equals(was)) return (at + page) / pageSize;
      }
      if (a === 0 && b === 0) return undefined;
    }
  } finally {
    for (const file of files) closeSync(file);
  }
}

function firstFault(got: Buffer, first: number, pages: ReadonlyMap<number, Buffer>): RamFault | undefined {
  for (let at = 0; at < got.length; at += pageSize) {
    const page = first + at / pageSize;
    const expected = pages.get(page) ?? zeroPage;
    const is = got.subarray(at, at + pageSize);
    if (!is.equals(expected)) return { page, expected, got: Buffer.from(is) };
  }
  return undefined;
}
