/**
 * `npm run selftest:fuzz [-- --seconds N] [--faults a,b]`: against each planted fault a campaign on one core must find it and
 * shrink it to a few steps. The reference is simulated: nothing is waited for, so that a minute is a long campaign.
 */
import { Command } from 'commander';
import { type Attempt, attempt, untold } from '../campaign/attempt.js';
import { Campaign } from '../campaign/campaign.js';
import { Corpus } from '../campaign/corpus.js';
import type { Finding } from '../campaign/findings.js';
import { KnownFindings } from '../campaign/known.js';
import { sources } from '../generators/sources.js';
import { type DialectName, dialects } from '../reference/dialects/dialect.js';
import { type Fault, faults } from '../reference/faults/index.js';
import { loadSchema } from '../reference/schema/index.js';
import { SimulatedWorld } from '../simulation/world.js';
import type { TargetFacts } from '../targets/facts.js';
import { InProcessTarget } from '../targets/in-process/target.js';
import type { Scenario } from '../targets/scenario.js';

/** Steps that a finding may have: more is not what a reader calls small. */
const mostSteps = 6;
/** Moves of the scheduler that one scenario may take. */
const allowance = 60_000;

interface Row {
  readonly name: string;
  readonly found: Finding | undefined;
  readonly seconds: number;
  readonly cases: number;
  /** Milliseconds of processor time. */
  readonly processor: number;
}

/** Runs scenarios on a reference with a fault; each run has another order of what happens. */
function simulated(fault: string, dialect: DialectName, facts: TargetFacts): (scenario: Scenario) => Promise<Attempt> {
  let runs = 0;
  return async (scenario) => {
    const world = new SimulatedWorld(++runs);
    const target = new InProcessTarget({ dialect, faults: [fault], world: world.target });
    try {
      const run = attempt(scenario, { target, facts, strictDesc: false, world: world.stage });
      return await world.scheduler.drive(run, allowance);
    } catch (error) {
      const { name, message } = error as Error;
      if (name !== 'Endless' && name !== 'Deadlock') throw error;
      return endless(scenario, message);
    }
  };
}

/** What went on for ever shows that it did. */
const endless = (scenario: Scenario, message: string): Attempt =>
  untold(scenario, message, [
    { kind: 'hang', subject: 'the scenario does not end', rows: [], state: '', expected: ['an end'], got: message },
  ]);

async function hunt(name: string, seed: number, time: number): Promise<Row> {
  const dialect: DialectName = '3.0';
  const facts = {
    product: 'qemu',
    version: '3.0.50',
    package: '',
    greeting: {},
    dialect: dialects[dialect],
    schema: loadSchema(dialect),
  };
  const stop = new AbortController();
  let best: Finding | undefined;
  const began = performance.now();
  const used = process.cpuUsage();
  const processor = () => {
    const { user, system } = process.cpuUsage(used);
    return (user + system) / 1000;
  };
  const campaign = new Campaign({
    target: new InProcessTarget({ dialect, faults: [name] }),
    facts,
    seed,
    jobs: 1,
    sources,
    corpus: new Corpus(),
    known: new KnownFindings(),
    strictDesc: false,
    shrinkBudget: time / 4,
    reuse: false,
    runner: simulated(name, dialect, facts),
    files: () => [],
    sink: (event) => {
      // One core's time, whatever else this machine does.
      if (processor() > time) stop.abort();
      if (event.event !== 'finding' || !event.finding.confirmed) return;
      const steps = (one: Finding) => one.file.scenario.steps.length;
      if (best === undefined || steps(event.finding) < steps(best)) best = event.finding;
      if (steps(best) <= mostSteps) stop.abort();
    },
    signal: stop.signal,
  });
  const { cases } = await campaign.run();
  return { name, found: best, seconds: (performance.now() - began) / 1000, cases, processor: processor() };
}

const passes = ({ found }: Row): boolean => found !== undefined && found.file.scenario.steps.length <= mostSteps;

function line(row: Row, fault: Fault): string {
  const { name, found, seconds, cases, processor } = row;
  const steps = found === undefined ? '-' : String(found.file.scenario.steps.length);
  const verdict = passes(row) ? 'found' : found === undefined ? 'MISSED' : 'LARGE';
  const figures = `${steps.padStart(3)} steps ${String(cases).padStart(6)} cases ${seconds.toFixed(1).padStart(6)} s ${(processor / 1000).toFixed(1).padStart(6)} s cpu`;
  return `${verdict.padEnd(7)} ${name.padEnd(36)} ${figures}  ${found?.file.title.slice(0, 90) ?? fault.title}`;
}

/** `2/5` → the second of five parts, counted from 0. */
function partOf(text: string): [part: number, parts: number] {
  const [, part, parts] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (Number(part) >= 1 && Number(part) <= Number(parts)) return [Number(part) - 1, Number(parts)];
  throw new Error(`--shard ${text}: write it as 2/5, the second of five parts`);
}

async function main({
  seconds,
  only,
  shard,
  seed,
  show,
}: {
  seconds: string;
  only?: string;
  shard: string;
  seed: string;
  show?: true;
}): Promise<void> {
  const [part, parts] = partOf(shard);
  const chosen = (only === undefined ? [...faults.keys()] : only.split(',')).filter((_, i) => i % parts === part);
  const missed: Row[] = [];
  for (const name of chosen) {
    const fault = faults.get(name);
    if (fault === undefined) throw new Error(`there is no fault '${name}'; qmpspec faults lists them`);
    const row = await hunt(name, Number(seed), Number(seconds) * 1000);
    if (!passes(row)) missed.push(row);
    process.stdout.write(`${line(row, fault)}\n`);
    if (show)
      for (const step of row.found?.file.scenario.steps ?? [])
        process.stdout.write(`          ${JSON.stringify(step)}\n`);
  }
  process.stdout.write(
    `${chosen.length} faults: ${chosen.length - missed.length} found and shrunk to at most ${mostSteps} steps, ${missed.filter(({ found }) => found !== undefined).length} larger, ${missed.filter(({ found }) => found === undefined).length} missed\n`,
  );
  process.exitCode = missed.length === 0 ? 0 : 1;
}

await new Command('selftest:fuzz')
  .description('a campaign against each planted fault')
  .option('--seconds <n>', 'time for each', '60')
  .option('--only <names>', 'faults, with commas between')
  .option('--shard <i/n>', 'a part of them', '1/1')
  .option('--show', 'print the steps that are left')
  .option('--seed <n>', 'seed of the campaigns', '1')
  .action(main)
  .parseAsync();
