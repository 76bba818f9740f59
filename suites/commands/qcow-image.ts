/** The smallest disk image of a format whose nodes block migration. */

/** An empty 1 MiB disk as qcow version 1: header of 48 bytes, one entry of the first-level table, all zero. */
export function qcowImage(): Buffer {
  const image = Buffer.alloc(4096);
  image.write('QFI\xfb', 'latin1');
  image.writeUInt32BE(1, 4);
  image.writeBigUInt64BE(1n << 20n, 24);
  image.writeUInt8(12, 32);
  image.writeUInt8(9, 33);
  image.writeBigUInt64BE(48n, 40);
  return image;
}
