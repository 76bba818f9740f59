/** RAM contents for `-device loader`: no page is zero, so that a migration has something to send. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { theReaper } from '../targets/reaper.js';

const made = new Map<number, string>();
let folder: string | undefined;

/** Path of an image of `mib` MiB (1 to 64) with the same content at each call; removed when the process ends. */
export function ramImage(mib: number): string {
  const size = Math.min(64, Math.max(1, Math.trunc(mib)));
  let path = made.get(size);
  if (path === undefined) {
    if (folder === undefined) {
      folder = theReaper().folder();
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    path = join(folder, `ram-${size}.img`);
    const image = Buffer.allocUnsafe(size * 2 ** 20);
    // A multiplicative sequence: pages differ, and none compresses to nothing.
    let word = 0x9e3779b9;
    for (let at = 0; at < image.length; at += 4) {
      word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) + at;
      image.writeInt32LE(word | 0, at);
    }
    writeFileSync(path, image);
    made.set(size, path);
  }
  return path;
}
