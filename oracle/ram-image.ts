/** RAM contents for `-device loader`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { theReaper } from '../targets/reaper.js';

const made = new Map<string, string>();
let folder: string | undefined;

/** Path of an image of `mib` MiB (1 to 64), no page of it zero, with the same content at each call. */
export function ramImage(mib: number): string {
  const size = Math.min(64, Math.max(1, Math.trunc(mib)));
  return imageFile(`ram-${size}`, () => {
    const image = Buffer.allocUnsafe(size * 2 ** 20);
    // A multiplicative sequence: pages differ, and none compresses to nothing.
    let word = 0x9e3779b9;
    const words = new Int32Array(image.buffer, image.byteOffset, image.length / 4);
    for (let i = 0; i < words.length; i++) {
      word = (Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) + i * 4) | 0;
      words[i] = word;
    }
    // The same bytes on every machine.
    return endianness() === 'LE' ? image : image.swap32();
  });
}

const read = new Map<string, Buffer>();

/** What is in an image; read at the first call. */
export function contentsOf(path: string): Buffer {
  const known = read.get(path);
  if (known !== undefined) return known;
  const content = readFileSync(path);
  read.set(path, content);
  return content;
}

/** Path of a file with this content, made at the first call with its name; removed when the process ends. */
export function imageFile(name: string, content: () => Buffer): string {
  const known = made.get(name);
  if (known !== undefined) return known;
  if (folder === undefined) {
    folder = theReaper().folder();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const path = join(folder, `${name}.img`);
  writeFileSync(path, content());
  made.set(name, path);
  return path;
}
