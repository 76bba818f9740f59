import type { GuestRam } from './guest-ram.js';

/** RAM from which on it is worth asking, in bytes: below, the page faults of a whole migration take a few milliseconds. */
const worthwhile = 256 * 1024 * 1024;
const [adviseHugePages, adviseSmallPages] = [14, 15];
/** Pages that are tried, spread over RAM; a quarter of them may be dear. */
const trials = 16;
/** Milliseconds that as many small pages take as are in a large one: 512 faults of 2 µs. */
const dear = 1;

/**
 * Asks the kernel to back RAM with large pages where it is written next, as real monitors do for theirs: an incoming
 * migration touches all of it for the first time, and a fault for each 4 KiB takes longer than everything else that is
 * done to a page. A few are tried first: inside a virtual machine whose host has yet to find the memory, a large page is
 * dearer than small ones, which come from memory that was used before. Node has no call for any of this, so the C library's
 * is called through koffi, an optional dependency; without it or on other systems RAM is backed as usual.
 * @param now a clock in milliseconds
 */
export async function preferLargePages({ memory, total }: GuestRam, now = () => performance.now()): Promise<void> {
  if (memory === undefined || total < worthwhile || process.platform !== 'linux') return;
  try {
    const { default: koffi } = await import('koffi');
    const advise = koffi.load(null).func('madvise', 'int', ['void *', 'size_t', 'int']);
    advise(memory.bytes, total, adviseHugePages);
    if (touchTime(memory.bytes, total, now) > dear) advise(memory.bytes, total, adviseSmallPages);
  } catch {
    // Not installed, or not built for this system.
  }
}

/** Milliseconds that the first touch of a page takes, of three in four at most. */
function touchTime(bytes: Buffer, total: number, now: () => number): number {
  const times: number[] = [];
  for (let i = 0; i < trials; i++) {
    const at = Math.floor((total * (i + 0.5)) / trials);
    const began = now();
    const value = bytes[at]!;
    bytes[at] = value;
    times.push(now() - began);
  }
  return times.sort((a, b) => a - b)[(trials * 3) / 4]!;
}
