/**
 * What a campaign costs: its commands a second on a target beside those of a bare pipelined socket with the same commands and
 * migrations, and two jobs beside one, in turn, in one run; then what the simulation does (`bench:simulate`). What is compared
 * is a campaign that goes on where another one ended; how that one began is told, too.
 * Usage: npm run bench:fuzz [-- --target qemu --seconds 10 --rounds 3 --simulation 8]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { chooseSources } from '../generators/sources.js';
import { learnFacts } from '../targets/facts.js';
import { resolveTarget } from '../targets/resolve.js';
import type { Scenario } from '../targets/scenario.js';
import { bare, mixOf, window } from './fuzz/bare.js';
import { type Measured, type Part, underWay } from './fuzz/under-way.js';

const options = new Command('bench:fuzz')
  .option('-t, --target <name>', 'the target', 'qemu')
  .option('--seconds <n>', 'of each measurement', '10')
  .option('--before <n>', 'seconds of the campaign that goes before the measured ones', '60')
  .option('--warm-up <n>', 'seconds of each campaign before it is measured', '10')
  .option('--rounds <n>', 'measurements of each kind', '3')
  .option('--jobs <n>', 'cases side by side where the campaign is measured', '6')
  .option('--only <sources>', 'sources of cases, with commas between them')
  .option('--simulation <n>', 'seconds for each measurement of the simulation; 0 leaves it out', '8')
  .parse()
  .opts<{
    target: string;
    seconds: string;
    before: string;
    warmUp: string;
    rounds: string;
    jobs: string;
    only?: string;
    simulation: string;
  }>();

/** Cases of which the commands are taken. */
const sample = 60;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

const { target } = resolveTarget(options.target);
const time = Number(options.seconds) * 1000;
const warmUp = Number(options.warmUp) * 1000;
const jobs = Number(options.jobs);
const start = await target.start();
const facts = await learnFacts(start);
await start.dispose();
const sources = chooseSources(options.only === undefined ? [] : options.only.split(','));
const course = { target, facts, name: options.target, seed: 1, sources, warmUp, time };

const first = await underWay({ ...course, jobs, warmUp: 1, time: Number(options.before) * 1000 });
const later = { ...course, after: first.end };

/** Evenly out of all. */
const some = (all: readonly Scenario[]): Scenario[] =>
  all.filter((_, i) => Math.floor((i * sample) / all.length) !== Math.floor(((i - 1) * sample) / all.length));

const [bares, campaigns, singles, doubles]: [number[], Measured[], Measured[], Measured[]] = [[], [], [], []];
let lines: string[] = [];
for (let round = 0; round < Number(options.rounds); round++) {
  const campaign = await underWay({ ...later, jobs });
  campaigns.push(campaign);
  lines = await mixOf(target, facts, some(campaign.scenarios));
  bares.push(await bare(target, lines, time));
  singles.push(await underWay({ ...later, jobs: 1 }));
  doubles.push(await underWay({ ...later, jobs: 2 }));
}
await target.close();

const rates = (all: readonly Measured[]) => all.map(({ rate }) => rate);
const per = (all: readonly Measured[]) => Math.round(median(rates(all)));
const ratio = (a: readonly number[], b: readonly number[]) =>
  median(a.map((value, i) => value / (b[i] as number))).toFixed(2);
const asked = (name: string) => lines.filter((line) => line.includes(`"execute":"${name}"`)).length;
console.log(
  `bare       ${Math.round(median(bares))} commands/s, ${window} unanswered at a time, ${lines.length} commands in turn, ${asked('migrate')} of them migrate`,
);
console.log(`campaign   ${per(campaigns)} commands/s with --jobs ${jobs}`);
console.log(`           ${per(singles)} with --jobs 1, ${per(doubles)} with --jobs 2`);
console.log(`           ${Math.round(first.rate)} in its first ${options.before} s with --jobs ${jobs}`);
console.log(
  `ratios     ${ratio(rates(campaigns), bares)} of bare, --jobs 2 is ${ratio(rates(doubles), rates(singles))} × --jobs 1 (medians of ${options.rounds})`,
);
const shown: [string, Part][] = campaigns.flatMap(({ parts }) => [...parts]);
const whole = shown.reduce((sum, [, part]) => sum + part.time, 0);
for (const { name } of sources) {
  const own = shown.filter(([source]) => source === name).map(([, part]) => part);
  const sum = (figure: keyof Part) => own.reduce((all, part) => all + part[figure], 0);
  if (own.length === 0) continue;
  const of = `${Math.round((sum('time') / whole) * 100)} % of the time`.padStart(18);
  const rate = Math.round((sum('commands') / sum('time')) * 1000);
  console.log(`  ${name.padEnd(12)}${of}, ${sum('cases')} cases, ${sum('commands')} commands, ${rate}/s in each job`);
}
if (Number(options.simulation) > 0) {
  const script = fileURLToPath(new URL('simulate.js', import.meta.url));
  // As `npm run simulate` is started.
  const args = ['--max-semi-space-size=64', script, '--seconds', options.simulation];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
