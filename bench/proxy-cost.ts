/**
 * What the judging proxy costs: the same pipelined commands to one monitor with and without it, in turn, in one run. The proxy
 * is a process of its own, as users run it.
 * Usage: npm run bench:proxy [-- TARGET]; default qemu.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Session } from '../protocol/session.js';
import { resolveTarget } from '../targets/resolve.js';
import './plain-faults.js';

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

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

/** Processor time of a process so far, in milliseconds; `undefined` where the system does not tell. */
function processorTime(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return undefined;
  }
}

const { target } = resolveTarget(process.argv[2] ?? 'qemu');
const instance = await target.start();
instance.letGo?.();
const place = { kind: 'unix', path: join(instance.scratch, 'qmp1.sock') } as const;
const listen = { kind: 'unix', path: join(instance.scratch, 'proxy.sock') } as const;
const program = fileURLToPath(new URL('../cli/main.js', import.meta.url));
const proxy = spawn(
  process.execPath,
  [program, 'proxy', '--listen', `unix:${listen.path}`, '--connect', `unix:${place.path}`],
  { stdio: ['ignore', 'pipe', 'pipe'] },
);
let told = '';
for (const stream of [proxy.stdout, proxy.stderr]) {
  stream.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
}
await once(proxy.stderr, 'data');
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
  await once(proxy, 'close');
  await target.close();
}
console.log(`judged    ${/^\S.*$/m.exec(told.split('\n').slice(1).join('\n'))?.[0] ?? 'nothing'}`);
