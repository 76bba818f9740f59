/**
 * Runs many scenarios on a target, judges each, and counts: what a release of the model has to stand without a false alarm.
 * Usage: npm run soak -- --target qemu --runs 1000 --seed 1 --jobs 2
 * Every transcript that does not conform is kept in a folder, beside the scenario that it came from. Exit code 1 when there is
 * one that no known defect explains, or a scenario that could not be run, 5 when all that is left open is inconclusive. Ctrl-C ends
 * it with what was counted so far.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { explainFailure, NothingSelected, UsageError } from '../cli/failures.js';
import { Interrupt } from '../cli/interrupt.js';
import { wholeNumber } from '../cli/options.js';
import { raceScenario, races } from '../generators/races/races.js';
import { scenarioOf } from '../generators/scenario/walk.js';
import { execute } from '../oracle/execute.js';
import { type Judgement, judgeTranscript } from '../oracle/judge.js';
import { judgedAs, releaseOf } from '../oracle/release.js';
import { renderEntries } from '../protocol/render.js';
import type { Transcript } from '../protocol/transcript.js';
import { learnFacts } from '../targets/facts.js';
import { InstancePool } from '../targets/pool.js';
import { resolveTarget } from '../targets/resolve.js';
import type { Scenario } from '../targets/scenario.js';
import './plain-faults.js';
import { exitCodes } from '../oracle/exit-codes.js';
import { program } from './program.js';

const options = program('soak')
  .option('-t, --target <name>', 'the target', 'qemu')
  .option('--runs <number>', 'scenarios to run (default: 1000; with --races all)', wholeNumber(1, 2 ** 31 - 1))
  .option('--races', 'instead of walks race schedules, in an order of which any part is an even sample', false)
  .option('--only <text>', 'of the race schedules only those with this in their name', '')
  .option(
    '--seed <number>',
    'seed of the first scenario, or with --races its number from 1; the next ones follow it',
    wholeNumber(0, 2 ** 31 - 1),
    1,
  )
  .option('--jobs <number>', 'scenarios at a time', wholeNumber(1, 64), 2)
  .option('--out <folder>', 'where what does not conform is kept', 'soak')
  .parse()
  .opts<{ target: string; runs?: number; races: boolean; only: string; seed: number; jobs: number; out: string }>();

if (options.only !== '' && !options.races)
  throw new UsageError('--only chooses among race schedules: give --races, too');
if (options.races && options.seed < 1) throw new UsageError('race schedules are numbered from 1: give another --seed');
const { target } = resolveTarget(options.target);
const { jobs } = options;
const first = await target.start();
const facts = await learnFacts(first);
await first.dispose();
const { dialect, readings } = facts;
// Our own reference has no excuse.
const excused = options.target.startsWith('reference')
  ? new Set<string>()
  : judgedAs(releaseOf(facts.greeting)).defects;
const pool = new InstancePool(target, jobs);
pool.fill();

const counts = new Map<string, number>();
const times: number[] = [];
const judging: number[] = [];
let observations = 0;
/** What the whole ends with: the worst that was seen. */
let worst: number = exitCodes.conforms;
const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);

async function one(name: string, scenario: Scenario): Promise<void> {
  const began = performance.now();
  const transcript = await execute(scenario, { target, dialect, plain: () => pool.acquire() });
  const ran = performance.now();
  const judgement = judgeTranscript(transcript, {
    dialect,
    ...(readings === undefined ? {} : { readings }),
    schema: facts.schema,
    defects: excused,
    ...(facts.settings === undefined ? {} : { settings: facts.settings }),
  });
  times.push(ran - began);
  judging.push(performance.now() - ran);
  observations += judgement.observations;
  const { kind, defects, reason } = judgement;
  count(defects === undefined ? kind : `${kind} ${defects.join(' ')}`);
  if (kind === 'conforms') return;
  if (kind === 'divergence') worst = exitCodes.divergences;
  else if (kind === 'inconclusive' && worst === exitCodes.conforms) worst = exitCodes.inconclusive;
  keep(name, scenario, transcript, judgement);
  const { divergence } = judgement;
  console.log(`${name}: ${kind} ${defects?.join(' ') ?? reason ?? divergence?.got ?? ''}`);
}

function keep(name: string, scenario: Scenario, transcript: Transcript, judgement: Judgement): void {
  const folder = join(options.out, `${options.target}-${name}`.replace(/[^\w.-]+/g, '-'));
  mkdirSync(folder, { recursive: true });
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  write('scenario.json', `${JSON.stringify(scenario, undefined, 1)}\n`);
  write('transcript.jsonl', transcript.toJsonLines());
  write('judgement.json', `${JSON.stringify(judgement, undefined, 1)}\n`);
  const at = judgement.divergence?.entry;
  const lines = renderEntries(transcript.entries, { times: true, ...(at === undefined ? {} : { pointAt: at }) });
  write('transcript.txt', `${lines.join('\n')}\n`);
}

const { seed } = options;
const schedules = spread(races(dialect).filter(({ name }) => name.includes(options.only)));
const left = options.races ? Math.max(0, schedules.length - seed + 1) : Number.POSITIVE_INFINITY;
if (left === 0) {
  throw new NothingSelected(
    `of ${schedules.length} race schedules with '${options.only}' none has number ${seed} or above`,
  );
}
const runs = Math.min(options.runs ?? (options.races ? left : 1000), left);
const scenarioAt = (at: number): Scenario | undefined => {
  if (!options.races) return scenarioOf(at, dialect);
  const race = schedules[at - 1];
  return race === undefined ? undefined : raceScenario(race);
};
const began = performance.now();
let next = 0;
const interrupt = new Interrupt(() => console.log('what has begun is ended; again Ctrl-C ends at once'));
await Promise.all(
  Array.from({ length: jobs }, async () => {
    while (next < runs && !interrupt.signal.aborted) {
      const at = seed + next++;
      const scenario = scenarioAt(at);
      if (scenario === undefined) return;
      const name = scenario.title ?? `${at}`;
      await one(name, scenario).catch((error: unknown) => {
        worst = exitCodes.divergences;
        count('could not be run');
        console.log(`${name}: could not be run: ${explainFailure(error, process.env.QMPSPEC_DEBUG === '1').message}`);
      });
    }
  }),
);
await pool.close();
await target.close();

/** All of them in steps of the golden ratio, so that what follows any of them lies far apart. */
function spread<T>(all: readonly T[]): T[] {
  let stride = Math.max(1, Math.round(all.length * 0.618));
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  while (divisor(all.length, stride) > 1) stride++;
  return all.map((_, at) => all[(at * stride) % all.length] as T);
}

const quantile = (values: number[], part: number): string =>
  `${(values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0).toFixed(1)}`;
const seconds = (performance.now() - began) / 1000;
console.log(`${options.target} ${facts.version}, dialect ${dialect.name}: ${next} scenarios from seed ${seed}`);
for (const [what, number] of [...counts].sort(([, a], [, b]) => b - a)) console.log(`  ${number} ${what}`);
console.log(`  ${observations} observations judged in ${seconds.toFixed(1)} s`);
console.log(
  `  ms for a scenario: median ${quantile(times, 0.5)}, 95 % ${quantile(times, 0.95)}, all ${quantile(times, 1)}`,
);
console.log(
  `  ms to judge it: median ${quantile(judging, 0.5)}, 95 % ${quantile(judging, 0.95)}, all ${quantile(judging, 1)}`,
);
process.exitCode = interrupt.signal.aborted ? exitCodes.interrupted : worst;
