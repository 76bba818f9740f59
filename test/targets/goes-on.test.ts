import { expect } from 'chai';
import { goesOn } from '../../targets/goes-on.js';
import { script } from './tiny-monitor.js';

const server = `require(\\"net\\").createServer((s) => s.write(JSON.stringify({ QMP: { version: {}, capabilities: [] } }) + String.fromCharCode(10))).listen(process.argv[1])`;

describe('a monitor that outlives what was started', () => {
  it('is noticed once that has ended, and only as long as it is there', async () => {
    const target = script(
      `const child = require("child_process").spawn(process.execPath, ["-e", "${server}", path], { detached: true, stdio: "ignore" });
       console.error(child.pid);
       process.on("SIGUSR2", () => process.exit(0));
       setInterval(() => {}, 1000);`.replace(/\s*\n\s*/g, ' '),
    );
    try {
      const instance = await target.start();
      expect(await goesOn(instance)).to.equal(false);
      instance.kill('SIGUSR2');
      expect(await instance.exited(10000)).to.deep.equal({ code: 0, signal: null });
      expect(await goesOn(instance)).to.equal(true);
      process.kill(Number(instance.stderr), 'SIGKILL');
      for (let left = 500; left > 0 && (await goesOn(instance)); left--);
      expect(await goesOn(instance)).to.equal(false);
    } finally {
      await target.close();
    }
  });
});
