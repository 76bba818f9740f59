import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { createGuestRam } from '../../../reference/ram/guest-ram.js';
import { preferLargePages } from '../../../reference/ram/large-pages.js';

/** Bytes of this process that the kernel has been asked to back with large pages. */
function advised(): number {
  let size = 0;
  let sum = 0;
  for (const line of readFileSync('/proc/self/smaps', 'latin1').split('\n')) {
    if (line.startsWith('Size:')) size = Number(line.split(/\s+/)[1]) * 1024;
    else if (/^VmFlags:.*\bhg\b/.test(line)) sum += size;
  }
  return sum;
}

describe('large pages', () => {
  it('are asked for where RAM is large, and not where it is small', async function () {
    const why =
      process.platform !== 'linux'
        ? 'not Linux'
        : await import('koffi').then(
            () => undefined,
            () => 'koffi is not installed',
          );
    const large = createGuestRam([{ name: 'ram', size: 128 * 1024 * 1024 }]);
    if (why !== undefined || large.memory === undefined) {
      console.log(`      skipped: ${why ?? 'this processor has no WebAssembly SIMD'}`);
      this.skip();
    }
    const before = advised();
    await preferLargePages(createGuestRam([{ name: 'ram', size: 1024 * 1024 }]));
    expect(advised()).to.equal(before);
    await preferLargePages(large);
    expect(advised() - before).to.be.within(large.total, large.total + 65536);
    await preferLargePages(createGuestRam([{ name: 'ram', size: 128 * 1024 * 1024 }], () => undefined));
    expect(advised() - before).to.be.within(large.total, large.total + 65536);
  });
});
