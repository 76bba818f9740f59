/** Program for the clean-up tests: starts a monitor that has a child of its own, tells of them, and waits to be ended. */
import { mkdirSync } from 'node:fs';
import { launch } from '../../targets/launch.js';
import { theReaper } from '../../targets/reaper.js';
import { script } from './tiny-monitor.js';

const how = process.argv[2];
// A child in a session of its own is not in the group that is ended with the monitor.
const apart = how?.startsWith('apart') === true;
const target = script(
  `const child = require("child_process").spawn("sleep", ["120"], { detached: ${apart} }); console.error(child.pid); ` +
    'require("net").createServer((s) => s.write("{}")).listen(path);',
);
const instance = await target.start();
while (!instance.stderr.includes('\n')) await new Promise((resolve) => setTimeout(resolve, 5));
console.log(JSON.stringify({ pids: [instance.pid, Number(instance.stderr)], scratch: instance.scratch }));
if (how === 'dispose') await instance.dispose();
if (how === 'close') await target.close();
if (how === 'dispose' || how === 'close') console.log('gone');
if (how === 'exit' || how === 'apart-exit') process.exit(0);
if (how === 'throw') throw new Error('on purpose');
if (how === 'start') {
  // Ended in the middle of one start or another.
  for (let i = 0; i < 6; i++)
    void (async () => {
      for (;;) await (await target.start()).dispose();
    })();
}
if (how === 'copy') {
  const start = async () => {
    const cwd = theReaper().folder();
    mkdirSync(cwd);
    const one = await launch('/bin/sh', ['-c', 'read -r line'], { cwd, env: process.env, stdio: false, often: true });
    one.kill('SIGKILL');
    await one.closed;
    one.release();
  };
  for (let i = 0; i < 6; i++)
    void (async () => {
      for (;;) await start();
    })();
}
setInterval(() => undefined, 1000);
