import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { createGuestRam } from '../../../reference/ram/guest-ram.js';
import { preferLargePages } from '../../../reference/ram/large-pages.js';

const ramSize = 256 * 1024 * 1024;

/** Pieces of memory as large as RAM that the kernel has been asked to back with large pages, or with small ones. */
function advised(flag: 'hg' | 'nh'): number {
  let size = 0;
  let count = 0;
  for (const line of readFileSync('/proc/self/smaps', 'latin1').split('\n')) {
    if (line.startsWith('Size:')) size = Number(line.split(/\s+/)[1]) * 1024;
    else if (line.startsWith('VmFlags:') && line.split(' ').includes(flag) && size >= ramSize) count++;
  }
  return count;
}

describe('large pages', () => {
  const large = [{ name: 'ram', size: ramSize }];
  /** A clock by which every touch takes so many milliseconds. */
  const clock = (step: number) => {
    let time = 0;
    return () => {
      time += step;
      return time;
    };
  };

  it('are asked for where RAM is large and they are cheap, and not where it is small or they are dear', async function () {
    const why =
      process.platform !== 'linux'
        ? 'not Linux'
        : await import('koffi').then(
            () => undefined,
            () => 'koffi is not installed',
          );
    const ram = createGuestRam(large);
    if (why !== undefined || ram.memory === undefined) {
      console.log(`      skipped: ${why ?? 'this processor has no WebAssembly SIMD'}`);
      this.skip();
    }
    const before = { hg: advised('hg'), nh: advised('nh') };
    await preferLargePages(createGuestRam([{ name: 'ram', size: 1024 * 1024 }]), clock(0.1));
    await preferLargePages(
      createGuestRam(large, () => undefined),
      clock(0.1),
    );
    expect(advised('hg')).to.equal(before.hg);
    ram.memory.bytes[ram.total / 32] = 7;
    await preferLargePages(ram, clock(0.1));
    expect(advised('hg')).to.equal(before.hg + 1);
    expect(advised('nh')).to.equal(before.nh);
    await preferLargePages(ram, clock(5));
    expect(advised('nh')).to.equal(before.nh + 1);
    expect(advised('hg')).to.equal(before.hg);
    expect(ram.memory.bytes[ram.total / 32], 'a byte that was touched').to.equal(7);
  });
});
