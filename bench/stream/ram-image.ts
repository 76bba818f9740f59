import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';

const page = 4096;
const piece = 64 * 1024 * 1024;

/** Writes a file of `bytes` bytes in which no page is zero and no two pages are equal. */
export function writeRamImage(path: string, bytes: number): void {
  const buffer = randomFillSync(Buffer.allocUnsafeSlow(Math.min(piece, bytes)));
  const fd = openSync(path, 'w');
  try {
    for (let at = 0; at < bytes; at += buffer.length) {
      for (let offset = 0; offset < buffer.length; offset += page) {
        buffer.writeUInt32LE((at + offset) / page + 1, offset);
      }
      const length = Math.min(buffer.length, bytes - at);
      for (let done = 0; done < length; ) done += writeSync(fd, buffer, done, length - done);
    }
  } finally {
    closeSync(fd);
  }
}
