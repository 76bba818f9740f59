/**
 * The RAM that recordings rebuild serves again. Buffers of its size make the garbage collector mark the whole heap after every
 * few of them, and what they leave in memory is copied, as page tables, at each start of a process.
 */

/** As many as are in use at once with a few requirements side by side. */
const most = 8;

const spare: Buffer[] = [];

/** Zeros. @param size bytes */
export function takeRam(size: number): Buffer {
  const at = spare.findIndex(({ length }) => length === size);
  return at < 0 ? Buffer.alloc(size) : (spare.splice(at, 1)[0] as Buffer);
}

/** Takes back what {@link takeRam} gave; it must be zeros again. */
export function giveRam(bytes: Buffer): void {
  if (spare.length < most) spare.push(bytes);
}
