/**
 * What the judging proxy costs: the same pipelined commands to one monitor with and without it, in turn, in one run.
 * Usage: npm run bench:proxy [-- TARGET]; default qemu.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { JudgingProxy } from '../oracle/proxy.js';
import { Session } from '../protocol/session.js';
import { learnFacts } from '../targets/facts.js';
import { resolveTarget } from '../targets/resolve.js';

const commands = 3000;
const rounds = 5;
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

const { target } = resolveTarget(process.argv[2] ?? 'qemu');
const instance = await target.start();
const facts = await learnFacts(instance);
const place = { kind: 'unix', path: join(instance.scratch, 'qmp1.sock') } as const;
const bare: number[] = [];
const judged: number[] = [];
for (let round = 0; round < rounds; round++) {
  bare.push(await measure(await Session.connect(place)));
  const listen = { kind: 'unix', path: join(instance.scratch, `proxy${round}.sock`) } as const;
  const proxy = await JudgingProxy.open({
    listen,
    connect: place,
    judge: { dialect: facts.dialect, schema: facts.schema, ...(facts.settings ? { settings: facts.settings } : {}) },
  });
  judged.push(await measure(await Session.connect(listen)));
  if (proxy.judgement.kind !== 'conforms') console.error(JSON.stringify(proxy.judgement));
  await proxy.close();
  rmSync(listen.path, { force: true });
}
await target.close();
const ratio = median(judged.map((value, i) => value / (bare[i] as number)));
console.log(`bare      ${Math.round(median(bare))} commands/s (median of ${rounds} rounds of ${commands})`);
console.log(`proxied   ${Math.round(median(judged))} commands/s`);
console.log(`ratio     ${ratio.toFixed(2)} (median of the pairs; cost ${((1 - ratio) * 100).toFixed(0)} %)`);
