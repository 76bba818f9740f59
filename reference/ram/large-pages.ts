import type { GuestRam } from './guest-ram.js';

/** RAM from which on it is worth asking, in bytes: below, the page faults of a whole migration take a few milliseconds. */
const worthwhile = 64 * 1024 * 1024;
const adviseHugePages = 14;

/**
 * Asks the kernel to back RAM with large pages where it is written next, as real monitors do for theirs: an incoming
 * migration touches all of it for the first time, and a fault for each 4 KiB takes longer than everything else that is
 * done to a page. Node has no call for it, so the C library's is called through koffi, an optional dependency; without it,
 * on other systems, or where the kernel does not care, RAM is backed as usual.
 */
export async function preferLargePages({ memory, total }: GuestRam): Promise<void> {
  if (memory === undefined || total < worthwhile || process.platform !== 'linux') return;
  try {
    const { default: koffi } = await import('koffi');
    const advise = koffi.load(null).func('madvise', 'int', ['void *', 'size_t', 'int']);
    advise(memory.bytes, total, adviseHugePages);
  } catch {
    // Not installed, or not built for this system.
  }
}
