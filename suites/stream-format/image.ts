/** Contents of guest RAM with pages of every kind. */
import { imageFile } from '../../oracle/ram-image.js';

const pageSize = 4096;
/** Pages of {@link mixedRam}. */
export const mixedPages = 64;

/** Some pages of zeros, some that compress well, some that do not. */
export function mixedRam(): Buffer {
  const image = Buffer.alloc(mixedPages * pageSize);
  let word = 0x1234567;
  for (let page = 0; page < mixedPages; page++) {
    if (page % 4 === 1) continue;
    for (let at = page * pageSize; at < (page + 1) * pageSize; at += 4) {
      word = Math.imul(word ^ (word >>> 13), 0x5bd1e995) + page;
      image.writeInt32LE(page % 4 === 2 ? page + 1 : word | 1, at);
    }
  }
  return image;
}

/** Path of a file with {@link mixedRam}, for `-device loader`. */
export const mixedImage = (): string => imageFile('mixed', mixedRam);
