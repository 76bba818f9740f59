import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { expect } from 'chai';
import { starvedSession } from '../../targets/processor-wait.js';

describe('waiting for a processor', () => {
  before(function () {
    if (existsSync('/proc/self/schedstat')) return;
    console.log('      skipped: this system does not say how long threads wait for a processor');
    this.skip();
  });

  /** Runs a shell script in a session of its own, and measures for some time. */
  const waitsIn = async (script: string, ms: number): Promise<number> => {
    const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await new Promise((resolve) => child.stdout?.once('data', resolve));
      const starved = starvedSession(child.pid as number);
      if (starved === undefined) throw new Error('nothing is known');
      const began = starved();
      await new Promise((resolve) => setTimeout(resolve, ms));
      return starved() - began;
    } finally {
      process.kill(-(child.pid as number), 'SIGKILL');
    }
  };

  it('is seen of a whole session, and not of one that has nothing to do', async () => {
    const loops = 4 * cpus().length;
    const busy = await waitsIn(`for i in $(seq ${loops}); do (while :; do :; done) & done; echo begun; wait`, 300);
    // More want to run than can: three of four wait.
    expect(busy).to.be.greaterThan(300);
    const idle = await waitsIn('echo begun; sleep 20', 100);
    expect(idle).to.be.lessThan(busy / 4);
  });
});
