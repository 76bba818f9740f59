/**
 * `npm run selftest:fuzz [-- --seconds N] [--only a,b] [--results FILE]`: against each planted fault a campaign on one core must
 * find it and shrink it to a few steps. The reference is simulated: nothing is waited for, so that a minute is a long campaign.
 * All faults take a while: with a file for the results a run goes on where the one before it was stopped.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { type Attempt, attempt, untold } from '../campaign/attempt.js';
import { Campaign } from '../campaign/campaign.js';
import { Corpus } from '../campaign/corpus.js';
import type { Finding } from '../campaign/findings.js';
import { KnownFindings } from '../campaign/known.js';
import { shardOption, wholeNumber } from '../cli/options.js';
import { sources } from '../generators/sources.js';
import type { DialectName } from '../reference/dialects/dialect.js';
import { type Fault, faults, UnknownFault } from '../reference/faults/index.js';
import { SimulatedWorld } from '../simulation/world.js';
import { learnFacts, type TargetFacts } from '../targets/facts.js';
import { InProcessTarget } from '../targets/in-process/target.js';
import type { Scenario } from '../targets/scenario.js';
import { program } from './program.js';

/** Steps that a finding may have: more is not what a reader calls small. */
const mostSteps = 6;
/** Moves of the scheduler that one scenario may take. */
const allowance = 60_000;

/** One line of the table, as it is kept in the file of results. */
interface Row {
  readonly fault: string;
  readonly verdict: 'found' | 'large' | 'missed';
  /** Steps that were left of the smallest finding; 0 without one. */
  readonly steps: number;
  /** Rows of the specification that the finding contradicts. */
  readonly requirements: readonly string[];
  readonly title: string;
  readonly seconds: number;
  /** The same in processor time, which is what is limited. */
  readonly processor: number;
  readonly cases: number;
  readonly scenario?: Scenario;
}

const asked = new Map<DialectName, Promise<TargetFacts>>();

/** What a reference without a fault says of itself, as a campaign asks it. */
function factsAsked(dialect: DialectName): Promise<TargetFacts> {
  const before = asked.get(dialect);
  if (before !== undefined) return before;
  const ask = async (): Promise<TargetFacts> => {
    const instance = await new InProcessTarget({ dialect }).start();
    try {
      // By its own word: of one whose dialect is only said to be known, less is held against it.
      return await learnFacts(instance);
    } finally {
      await instance.dispose();
    }
  };
  const facts = ask();
  asked.set(dialect, facts);
  return facts;
}

/** Runs scenarios on a reference with a fault; each run has another order of what happens. */
function simulated(fault: string, dialect: DialectName, facts: TargetFacts): (scenario: Scenario) => Promise<Attempt> {
  let runs = 0;
  return async (scenario) => {
    const world = new SimulatedWorld(++runs);
    const target = new InProcessTarget({ dialect, faults: [fault], world: world.target });
    try {
      const run = attempt(scenario, { target, facts, strictDesc: false, world: world.stage });
      const result = await world.scheduler.drive(run, allowance);
      world.end();
      return result;
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

async function hunt(name: string, { dialect = '3.0' }: Fault, seed: number, time: number): Promise<Row> {
  const facts = await factsAsked(dialect);
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
    // What is spent on one finding is missing for others, one of which may be smaller.
    shrinkBudget: time * 0.6,
    spent: processor,
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
  const scenario = best?.file.scenario;
  const steps = scenario?.steps.length ?? 0;
  const told = best?.file.symptom;
  return {
    fault: name,
    verdict: scenario === undefined ? 'missed' : steps > mostSteps ? 'large' : 'found',
    steps,
    requirements: told?.rows ?? [],
    title: best?.file.title ?? '',
    seconds: Math.round(performance.now() - began) / 1000,
    processor: Math.round(processor()) / 1000,
    cases,
    ...(scenario === undefined ? {} : { scenario }),
  };
}

const line = ({ fault, verdict, steps, requirements, title, processor, cases }: Row): string =>
  [
    verdict.padEnd(6),
    fault.padEnd(36),
    `${steps === 0 ? '-' : steps} steps`.padStart(8),
    `${processor.toFixed(1)} s`.padStart(7),
    `${cases} cases`.padStart(11),
    ` ${(requirements[0] ?? '-').padEnd(16)} ${(verdict === 'missed' ? (faults.get(fault)?.title ?? '') : title).slice(0, 90)}`,
  ].join(' ');

/** What is in a file of results; of a fault that was tried twice the last word counts. */
function recalled(file: string | undefined): Map<string, Row> {
  if (file === undefined || !existsSync(file)) return new Map();
  const lines = readFileSync(file, 'utf8').split('\n');
  // The last line may have been cut off when the run was stopped.
  const whole = lines.slice(0, -1).map((text, at) => {
    try {
      return JSON.parse(text) as Row;
    } catch {
      throw new Error(`${file}:${at + 1} is no result of this program`);
    }
  });
  return new Map(whole.map((row) => [row.fault, row]));
}

interface Flags {
  readonly seconds: number;
  readonly only?: string;
  readonly shard: { readonly index: number; readonly count: number };
  readonly seed: number;
  readonly results?: string;
  readonly again?: true;
  readonly show?: true;
}

async function main({ seconds, only, shard, seed, results, again, show }: Flags): Promise<void> {
  const before = recalled(results);
  const chosen = (only === undefined ? [...faults.keys()] : only.split(',')).filter(
    (_, i) => i % shard.count === shard.index - 1,
  );
  const rows: Row[] = [];
  for (const name of chosen) {
    const fault = faults.get(name);
    if (fault === undefined) throw new UnknownFault(name, 'fault');
    const known = before.get(name);
    const settled = known !== undefined && (known.verdict === 'found' || again !== true);
    const row = settled ? known : await hunt(name, fault, seed, seconds * 1000);
    rows.push(row);
    if (!settled && results !== undefined) appendFileSync(results, `${JSON.stringify(row)}\n`);
    process.stdout.write(`${line(row)}\n`);
    if (show) for (const step of row.scenario?.steps ?? []) process.stdout.write(`          ${JSON.stringify(step)}\n`);
  }
  const count = (verdict: Row['verdict']) => rows.filter((row) => row.verdict === verdict).length;
  const total = rows.reduce((sum, { processor }) => sum + processor, 0);
  process.stdout.write(
    `${rows.length} faults: ${count('found')} found and shrunk to at most ${mostSteps} steps, ${count('large')} larger, ${count('missed')} missed; ` +
      `${total.toFixed(0)} s of processor time, at most ${seconds} s a campaign\n`,
  );
  process.exitCode = count('found') === rows.length ? 0 : 1;
}

await program('selftest:fuzz')
  .description('a campaign against each planted fault')
  .option('--seconds <n>', 'processor time for each', wholeNumber(1, 86_400), 60)
  .option('--only <names>', 'faults, with commas between')
  .option('--shard <i/n>', 'a part of them', shardOption, { index: 1, count: 1 })
  .option('--results <file>', 'keeps each result there, and tries no fault that it holds')
  .option('--again', 'with --results: tries those again that were missed or not small enough')
  .option('--show', 'print the steps that are left')
  .option('--seed <n>', 'seed of the campaigns', wholeNumber(0, 2 ** 31 - 1), 1)
  .action(main)
  .parseAsync()
  .catch((error: Error) => {
    process.stderr.write(`selftest:fuzz: ${error.message}\n`);
    process.exitCode = 2;
  });
