/**
 * Runs many scenarios on a target, judges each, and counts: what a release of the model has to stand without a false alarm.
 * Usage: npm run soak -- --target qemu --runs 1000 --seed 1 --jobs 2
 * Every transcript that does not conform is kept in a folder, beside the scenario that it came from.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
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

const options = new Command('soak')
  .option('-t, --target <name>', 'the target', 'qemu')
  .option('--runs <number>', 'scenarios to run (default: 1000; with --races all)', wholeNumber(1, 2 ** 31 - 1))
  .option('--races', 'instead of walks race schedules, in an order of which any part is an even sample', false)
  .option('--only <text>', 'of the race schedules only those with this in their name', '')
  .option('--seed <number>', 'seed of the first scenario; the next ones follow it', wholeNumber(0, 2 ** 31 - 1), 1)
  .option('--jobs <number>', 'scenarios at a time', wholeNumber(1, 64), 2)
  .option('--out <folder>', 'where what does not conform is kept', 'soak')
  .parse()
  .opts<{ target: string; runs?: number; races: boolean; only: string; seed: number; jobs: number; out: string }>();

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
const runs = options.runs ?? (options.races ? schedules.length - seed + 1 : 1000);
const scenarioAt = (at: number): Scenario | undefined => {
  if (!options.races) return scenarioOf(at, dialect);
  const race = schedules[at - 1];
  return race === undefined ? undefined : raceScenario(race);
};
const began = performance.now();
let next = 0;
await Promise.all(
  Array.from({ length: jobs }, async () => {
    while (next < runs) {
      const at = seed + next++;
      const scenario = scenarioAt(at);
      if (scenario === undefined) return;
      await one(scenario.title ?? `${at}`, scenario).catch((error: Error) => {
        count('could not be run');
        console.log(`${at}: could not be run: ${error.stack}`);
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
console.log(`${options.target} ${facts.version}, dialect ${dialect.name}: ${runs} scenarios from seed ${seed}`);
for (const [what, number] of [...counts].sort(([, a], [, b]) => b - a)) console.log(`  ${number} ${what}`);
console.log(`  ${observations} observations judged in ${seconds.toFixed(1)} s`);
console.log(
  `  ms for a scenario: median ${quantile(times, 0.5)}, 95 % ${quantile(times, 0.95)}, all ${quantile(times, 1)}`,
);
console.log(
  `  ms to judge it: median ${quantile(judging, 0.5)}, 95 % ${quantile(judging, 0.95)}, all ${quantile(judging, 1)}`,
);
