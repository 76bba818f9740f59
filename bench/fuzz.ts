/**
 * What a campaign costs: its commands a second on a target beside those of a bare pipelined socket with the same commands and
 * migrations, and two jobs beside one, in turn, in one run; then what the simulation does (`bench:simulate`). A guided
 * campaign goes ahead; some cases of its second half are what is measured, so that every figure is of the same work.
 * Usage: npm run bench:fuzz [-- --target qemu --lead 45 --kept 8 --rounds 3 --simulation 5]
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { crewOf } from '../campaign/crew/crew.js';
import { wholeNumber } from '../cli/options.js';
import { chooseSources } from '../generators/sources.js';
import { learnFacts } from '../targets/facts.js';
import { resolveTarget } from '../targets/resolve.js';
import { median } from './figures.js';
import { type Bare, bare, mixOf, window } from './fuzz/bare.js';
import { type Lead, leadUp } from './fuzz/lead.js';
import './plain-faults.js';
import { type Part, type Stretch, stretch } from './fuzz/stretch.js';
import { mustBeStarted, program } from './program.js';

const options = program('bench:fuzz')
  .option('-t, --target <name>', 'the target', 'qemu')
  .option('--lead <n>', 'seconds of the campaign that goes ahead', wholeNumber(1, 86_400), 45)
  .option(
    '--kept <n>',
    'seconds of its second half, evenly out of it, whose cases are measured',
    wholeNumber(1, 86_400),
    8,
  )
  .option('--rounds <n>', 'measurements of each kind', wholeNumber(1, 1000), 3)
  .option('--jobs <n>', 'cases side by side where the campaign is measured, at least 2', wholeNumber(2, 64), 6)
  .option('--only <sources>', 'sources of cases, with commas between them')
  .option(
    '--simulation <n>',
    'seconds for each measurement of the simulation; 0 leaves it out',
    wholeNumber(0, 86_400),
    5,
  )
  .parse()
  .opts<{
    target: string;
    lead: number;
    kept: number;
    rounds: number;
    jobs: number;
    only?: string;
    simulation: number;
  }>();

const { target } = resolveTarget(options.target);
mustBeStarted(target);
const kept = options.kept * 1000;
const { jobs } = options;
const start = await target.start();
const facts = await learnFacts(start);
await start.dispose();
const sources = chooseSources(options.only === undefined ? [] : options.only.split(','));
const course = { target, facts, seed: 1, sources };

// Of one crew, so that all that is measured is run by processes that know what they do as well as after a minute.
const crew = crewOf({ target: options.target, strictDesc: false, reuse: true }, jobs);
const [many, one, two]: [Stretch[], Stretch[], Stretch[]] = [[], [], []];
const bares: Bare[] = [];
let lead: Lead;
let lines: string[];
try {
  console.log(`a campaign of ${options.lead} s on ${options.target} goes ahead …`);
  lead = await leadUp(course, crew, options.lead * 1000, kept);
  const scenarios = lead.cases.map(({ scenario }) => scenario);
  lines = await mixOf(target, facts, scenarios);
  for (let round = 0; round < options.rounds; round++) {
    many.push(await stretch(course, crew, lead));
    bares.push(await bare(target, lines, kept));
    one.push(await stretch(course, crew.slice(0, 1), lead));
    two.push(await stretch(course, crew.slice(0, 2), lead));
  }
} finally {
  await Promise.all(crew.map((runner) => runner.close()));
  await target.close();
}

const rates = (all: readonly Stretch[]) => all.map(({ rate }) => rate);
const ratio = (a: readonly number[], b: readonly number[]) =>
  median(a.map((value, i) => value / (b[i] as number))).toFixed(2);
const asked = (name: string) => lines.filter((line) => line.includes(`"execute":"${name}"`)).length;
const whole = (value: number) => Math.round(value).toLocaleString('en');

/** A line with its rate and, where the system tells, what each command cost and how many cores were busy. */
function show(size: number, all: readonly Stretch[]): void {
  const costs = all.flatMap(({ busy, commands, time }) =>
    busy === undefined ? [] : [{ target: busy.target, own: busy.crew, campaign: busy.campaign, commands, time }],
  );
  const each = (part: 'target' | 'own' | 'campaign') =>
    whole(median(costs.map((one) => (one[part] / one.commands) * 1000)));
  const cores = median(costs.map(({ target, own, campaign, time }) => (target + own + campaign) / time)).toFixed(2);
  const used =
    costs.length < all.length
      ? ''
      : `; each costs ${each('target')} µs of the target, ${each('own')} to run and judge it, ${each('campaign')} of the campaign; ${cores} cores busy`;
  const time = (median(all.map((one) => one.time)) / 1000).toFixed(1);
  console.log(`--jobs ${size}   ${whole(median(rates(all))).padStart(6)} commands/s (${time} s${used})`);
}

console.log(
  `measured   ${lead.cases.length} cases, as many as it runs in ${options.kept} s; ${lines.length} commands, ${asked('migrate')} of them migrate; medians of ${options.rounds}`,
);
const bareRates = bares.map(({ rate }) => rate);
const bareCosts = bares.flatMap(({ cost }) => (cost === undefined ? [] : [cost]));
const bareCost = bareCosts.length === 0 ? '' : `; each costs ${whole(median(bareCosts))} µs of the target`;
console.log(
  `bare     ${whole(median(bareRates)).padStart(8)} commands/s, the same ones, ${window} unanswered at a time${bareCost}`,
);
show(jobs, many);
show(1, one);
show(2, two);
console.log(`           ${whole(lead.rate)} commands/s in the ${options.lead} s ahead, with --jobs ${jobs}`);
console.log(
  `ratios     --jobs ${jobs} is ${ratio(rates(many), bareRates)} of bare, --jobs 2 is ${ratio(rates(two), rates(one))} × --jobs 1 (medians of what was measured side by side)`,
);
const shown: [string, Part][] = many.flatMap(({ parts }) => [...parts]);
const all = shown.reduce((sum, [, part]) => sum + part.time, 0);
for (const { name } of sources) {
  const own = shown.filter(([source]) => source === name).map(([, part]) => part);
  const sum = (figure: keyof Part) => own.reduce((total, part) => total + part[figure], 0);
  if (own.length === 0) continue;
  const of = `${Math.round((sum('time') / all) * 100)} % of the time`.padStart(18);
  const rate = whole((sum('commands') / sum('time')) * 1000);
  console.log(
    `  ${name.padEnd(12)}${of}, ${sum('cases')} cases, ${whole(sum('commands'))} commands, ${rate}/s in each job`,
  );
}
if (options.simulation > 0) {
  const script = fileURLToPath(new URL('simulate.js', import.meta.url));
  // As `npm run simulate` is started.
  const { scripts } = createRequire(import.meta.url)('../../package.json') as { scripts: { simulate: string } };
  const flags = scripts.simulate.split(' ').filter((word) => word.startsWith('--'));
  const args = [...flags, script, '--seconds', String(options.simulation), '--warm', '15'];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
