/**
 * What a campaign costs: its commands a second on a target beside those of a bare pipelined socket with the same commands, and
 * two jobs beside one, in turn, in one run; then what the simulation does (`bench:simulate`).
 * Usage: npm run bench:fuzz [-- --target qemu --seconds 10 --rounds 3 --simulation 8]
 */
import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { attempt } from '../campaign/attempt.js';
import { Campaign } from '../campaign/campaign.js';
import { Corpus } from '../campaign/corpus.js';
import { withEnd } from '../campaign/epilogue.js';
import type { Standing } from '../campaign/events.js';
import { KnownFindings } from '../campaign/known.js';
import { Schedule } from '../campaign/schedule.js';
import { chooseSources } from '../generators/sources.js';
import { learnFacts, type TargetFacts } from '../targets/facts.js';
import { resolveTarget } from '../targets/resolve.js';
import type { Target } from '../targets/target.js';

const options = new Command('bench:fuzz')
  .option('-t, --target <name>', 'the target', 'qemu')
  .option('--seconds <n>', 'of each measurement', '10')
  .option('--warm-up <n>', 'seconds of each campaign before it is measured', '10')
  .option('--rounds <n>', 'measurements of each kind', '3')
  .option('--jobs <n>', 'cases side by side where the campaign is measured', '4')
  .option('--only <source>', 'one source of cases')
  .option('--simulation <n>', 'seconds for each measurement of the simulation; 0 leaves it out', '8')
  .parse()
  .opts<{
    target: string;
    seconds: string;
    warmUp: string;
    rounds: string;
    jobs: string;
    only?: string;
    simulation: string;
  }>();

/** Unanswered commands at a time: what a monitor with a queue of 8 takes without waiting (QMP-D-06). */
const window = 8;

const seed = 1;
const chosen = chooseSources(options.only === undefined ? [] : [options.only]);

/**
 * Commands a second of a campaign once it is under way: its first seconds go to starting processes and to states of the model
 * that are worked out once.
 */
async function ofCampaign(target: Target, facts: TargetFacts, jobs: number, time: number): Promise<number> {
  let warm: Standing | undefined;
  const campaign = new Campaign({
    target,
    facts,
    seed,
    jobs,
    time: time + warmUp,
    sources: chosen,
    corpus: new Corpus(),
    known: new KnownFindings(),
    strictDesc: false,
    shrinkBudget: 1000,
    reuse: true,
    crew: { target: options.target, strictDesc: false, reuse: true },
    files: () => [],
    sink: (event) => {
      if (event.event === 'status' && event.standing.inThisRun >= warmUp) warm ??= event.standing;
    },
    signal: new AbortController().signal,
  });
  let last: Standing | undefined;
  const looking = setInterval(() => {
    if (campaign.standing.inThisRun <= warmUp + time) last = campaign.standing;
  }, 100);
  await campaign.run();
  clearInterval(looking);
  if (warm === undefined || last === undefined) throw new Error('the campaign ended before it was warm');
  return (last.commands - warm.commands) / ((last.inThisRun - warm.inThisRun) / 1000);
}

/** The commands that the campaign's cases send, in their order, as lines; channels are those of nobody. */
async function mixOf(target: Target, facts: TargetFacts): Promise<string[]> {
  const schedule = new Schedule(seed, chosen, { dialect: facts.dialect, schema: facts.schema });
  const lines: string[] = [];
  for (let index = 0; index < 30; index++) {
    const { transcript } = await attempt(withEnd(schedule.plan(index).scenario), { target, facts, strictDesc: false });
    for (const { kind, at, text } of transcript.entries) {
      if (kind !== 'sent' || at !== 'source' || text.includes('qmp_capabilities') || text.includes('"quit"')) continue;
      lines.push(
        ...text
          .split('\n')
          .filter((line) => line.startsWith('{"exec'))
          .map((line) => line.replace(/unix:[^"]*/g, 'unix:none')),
      );
    }
  }
  return lines;
}

/** Commands a second of a socket that only counts replies. */
async function bare(target: Target, lines: readonly string[], time: number): Promise<number> {
  const instance = await target.start();
  const socket: Socket = connect(join(instance.scratch, 'qmp1.sock'));
  let [sent, answered] = [0, 0];
  const began = performance.now();
  await new Promise<void>((resolve, reject) => {
    const fill = () => {
      if (performance.now() - began > time) {
        resolve();
        return;
      }
      let text = '';
      for (; sent - answered < window; sent++) text += `${lines[sent % lines.length]}\n`;
      if (text !== '') socket.write(text);
    };
    socket.on('error', reject);
    socket.once('connect', () => socket.write('{"execute":"qmp_capabilities"}\n'));
    let rest = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) if (/^\{"(return|error)"|"id": "/.test(part)) answered++;
      fill();
    });
  });
  const rate = answered / ((performance.now() - began) / 1000);
  socket.destroy();
  await instance.dispose();
  return rate;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

const { target } = resolveTarget(options.target);
const time = Number(options.seconds) * 1000;
const warmUp = Number(options.warmUp) * 1000;
const first = await target.start();
const facts = await learnFacts(first);
await first.dispose();
const lines = await mixOf(target, facts);
const [bares, campaigns, singles, doubles]: [number[], number[], number[], number[]] = [[], [], [], []];
for (let round = 0; round < Number(options.rounds); round++) {
  bares.push(await bare(target, lines, time));
  campaigns.push(await ofCampaign(target, facts, Number(options.jobs), time));
  singles.push(await ofCampaign(target, facts, 1, time));
  doubles.push(await ofCampaign(target, facts, 2, time));
}
await target.close();
const ratio = (a: readonly number[], b: readonly number[]) =>
  median(a.map((value, i) => value / (b[i] as number))).toFixed(2);
console.log(
  `bare       ${Math.round(median(bares))} commands/s, ${window} unanswered at a time, ${lines.length} different ones`,
);
console.log(`campaign   ${Math.round(median(campaigns))} commands/s with --jobs ${options.jobs}`);
console.log(`           ${Math.round(median(singles))} with --jobs 1, ${Math.round(median(doubles))} with --jobs 2`);
console.log(
  `ratios     ${ratio(campaigns, bares)} of bare, --jobs 2 is ${ratio(doubles, singles)} × --jobs 1 (medians of ${options.rounds})`,
);
if (Number(options.simulation) > 0) {
  const script = fileURLToPath(new URL('simulate.js', import.meta.url));
  // As `npm run simulate` is started.
  const args = ['--max-semi-space-size=64', script, '--seconds', options.simulation];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
