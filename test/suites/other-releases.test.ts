/** The whole suite on further binaries, of whatever releases: `QMPSPEC_QEMU_OTHERS`, with colons between their paths. */

import { delimiter } from 'node:path';
import { expect } from 'chai';
import { qmpspec } from '../cli/process.js';

const binaries = (process.env.QMPSPEC_QEMU_OTHERS ?? '').split(delimiter).filter((path) => path !== '');

describe('the whole suite on further binaries', () => {
  if (binaries.length === 0) {
    it('finds nothing wrong with a released monitor', function () {
      console.log('      skipped: QMPSPEC_QEMU_OTHERS names no binary');
      this.skip();
    });
  }
  for (const binary of binaries) {
    it(`finds nothing wrong with ${binary}`, async function () {
      // One run of everything, on a machine that may do other things as well.
      this.timeout(600_000);
      const { code, stdout, stderr } = await qmpspec('run', '--target', `qemu:${binary}`);
      const [summary, release] = stdout.trimEnd().split('\n').slice(-2);
      console.log(`      ${summary?.trim()}\n      ${release?.trim()}`);
      expect(code, `${stderr}${stdout.slice(stdout.lastIndexOf('failure'))}`).to.equal(0);
    });
  }
});
