/**
 * What the judging proxy costs: the same pipelined commands to one monitor with and without it, in turn, in one run. The proxy
 * is a process of its own, as users run it.
 * Usage: npm run bench:proxy [-- TARGET]; default qemu.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Session } from '../protocol/session.js';
import { theReaper } from '../targets/reaper.js';
import { resolveTarget } from '../targets/resolve.js';
import './plain-faults.js';
import { median, processorTime } from './figures.js';
import { mustBeStarted, program } from './program.js';

const commands = 1000;
/** Many short rounds: what else runs on the machine then falls on both sides alike. */
const rounds = 15;
/** Unanswered commands at a time: what a monitor with a queue of 8 takes without waiting (QMP-D-06). */
const window = 8;

/** Commands a second. */
async function measure(session: Session): Promise<number> {
  await session.negotiate();
  const began = performance.now();
  const mark = session.mark();
  for (let sent = 0; sent < commands; sent++) {
    if (sent >= window) await session.take(mark, sent - window + 1, 'replies');
    session.post('query-status');
  }
  await session.take(mark, commands, 'all replies');
  session.close();
  return commands / ((performance.now() - began) / 1000);
}

const [given] = program('bench:proxy').argument('[target]', 'the monitor behind the proxy', 'qemu').parse()
  .processedArgs as [string];
const { target } = resolveTarget(given);
mustBeStarted(target);
const instance = await target.start();
instance.letGo?.();
const place = { kind: 'unix', path: join(instance.scratch, 'qmp1.sock') } as const;
const listen = { kind: 'unix', path: join(instance.scratch, 'proxy.sock') } as const;
const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));
// It leads a group of its own, so that it is ended with us however we end.
theReaper().starting();
const proxy = spawn(
  process.execPath,
  [main, 'proxy', '--listen', `unix:${listen.path}`, '--connect', `unix:${place.path}`],
  { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
);
theReaper().born(proxy.pid);
const closed = once(proxy, 'close');
let told = '';
for (const stream of [proxy.stdout, proxy.stderr]) {
  stream.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
}
await Promise.race([once(proxy.stderr, 'data'), closed]);
if (proxy.exitCode !== null) throw new Error(`the proxy ended at once: ${told.trim()}`);
const bare: number[] = [];
const judged: number[] = [];
try {
  // One of each for warming up.
  await measure(await Session.connect(place));
  await measure(await Session.connect(listen));
  const before = processorTime(proxy.pid);
  for (let round = 0; round < rounds; round++) {
    bare.push(await measure(await Session.connect(place)));
    judged.push(await measure(await Session.connect(listen)));
  }
  const after = processorTime(proxy.pid);
  const ratio = median(judged.map((value, i) => value / (bare[i] as number)));
  console.log(`bare      ${Math.round(median(bare))} commands/s (median of ${rounds} rounds of ${commands})`);
  console.log(`proxied   ${Math.round(median(judged))} commands/s`);
  console.log(`ratio     ${ratio.toFixed(2)} (median of the pairs; cost ${((1 - ratio) * 100).toFixed(0)} %)`);
  if (before !== undefined && after !== undefined) {
    const each = (after - before) / (rounds * commands);
    console.log(`proxy     ${each.toFixed(3)} ms of processor time a command, relaying and judging`);
  }
} finally {
  proxy.kill('SIGINT');
  await closed;
  theReaper().died(proxy.pid as number);
  await target.close();
}
console.log(`judged    ${/^\S.*$/m.exec(told.split('\n').slice(1).join('\n'))?.[0] ?? 'nothing'}`);
