import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

/** Guest RAM of every machine, in MiB. */
export const memoryMiB = 16;
/** What the image fills; the rest of RAM stays zero. */
const imageBytes = 4 * 1024 * 1024;
const pageBytes = 4096;

/** Writes the contents of guest RAM: pages of noise, of text and of zeros in turn. The same in every run. */
export function writeRamImage(path: string): void {
  const image = Buffer.alloc(imageBytes);
  let noise = 0x2545f491;
  for (let page = 0; page < imageBytes / pageBytes; page++) {
    const at = page * pageBytes;
    if (page % 4 === 3) continue;
    if (page % 4 === 2) {
      image.fill(`page ${page} of the interop matrix. `, at, at + pageBytes);
      continue;
    }
    for (let word = at; word < at + pageBytes; word += 4) {
      noise ^= noise << 13;
      noise ^= noise >>> 17;
      noise ^= noise << 5;
      image.writeInt32LE(noise, word);
    }
  }
  writeFileSync(path, image);
}

/** Checksum of guest RAM that holds the image and nothing else. */
export function imageSum(path: string): string {
  const rest = Buffer.alloc(memoryMiB * 1024 * 1024 - imageBytes);
  return createHash('sha256').update(readFileSync(path)).update(rest).digest('hex');
}
