/**
 * `npm run simulate [-- --seed N --runs N]`: the reference, its peers and the oracle against each other, deterministically.
 * A failure is a number: `--seed N --runs 1` shows it again, byte for byte.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { sources as all, type CaseSource, chooseSources, SourceError } from '../generators/sources.js';
import { exitCodes } from '../oracle/exit-codes.js';
import { type DialectName, dialectNames } from '../reference/dialects/dialect.js';
import { simulateBatch } from './batch.js';
import type { Simulation } from './simulate.js';
import { wholeNumber } from './whole-number.js';

interface Options {
  readonly seed: number;
  readonly runs: number;
  readonly dialect?: DialectName;
  readonly sources?: readonly CaseSource[];
  readonly out?: string;
  readonly show: boolean;
}

const again = ({ seed, dialect }: Simulation, { dialect: chosen, sources: from }: Options): string => {
  const names = from === undefined ? '' : ` --sources ${from.map(({ name }) => name).join(',')}`;
  return `npm run simulate -- --seed ${seed} --runs 1${chosen === undefined ? '' : ` --dialect ${dialect}`}${names}`;
};

function sourcesOf(text: string): readonly CaseSource[] {
  try {
    return chooseSources(text.split(','));
  } catch (error) {
    throw error instanceof SourceError ? new InvalidArgumentError(`${error.message}.`) : error;
  }
}

/** The scenario for `qmpspec replay`, the transcript for `qmpspec judge`. */
function keep(folder: string, { seed, scenario, transcript }: Simulation): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${seed}.case.json`), `${JSON.stringify(scenario, null, 2)}\n`);
  writeFileSync(join(folder, `${seed}.transcript.jsonl`), transcript.toJsonLines());
}

async function main(options: Options): Promise<void> {
  const { seed, runs, dialect, sources, out, show } = options;
  const result = await simulateBatch({
    seed,
    runs,
    ...(dialect === undefined ? {} : { dialect }),
    ...(sources === undefined ? {} : { sources }),
    onRun: (done, simulation) => {
      if (show) process.stdout.write(simulation.transcript.toJsonLines());
      if (process.stderr.isTTY && done % 50 === 0) process.stderr.write(`\r${done} of ${runs} runs`);
    },
    onProblem: (simulation) => {
      process.stdout.write(
        `seed ${simulation.seed}, dialect ${simulation.dialect}: ${simulation.problem}\n  again  ${again(simulation, options)}\n`,
      );
      if (out !== undefined) keep(out, simulation);
    },
  });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  if (!show) {
    const rate = (seconds: number) => Math.round(result.steps / seconds).toLocaleString('en');
    process.stdout.write(
      `${result.runs} runs from seed ${seed}: ${result.steps} steps, ${result.problems} problems, ${result.seconds.toFixed(1)} s: ` +
        `${rate(result.seconds)} steps a second, ${rate(result.processor)} for each second of processor time\n`,
    );
  }
  process.exitCode = result.problems === 0 ? exitCodes.conforms : exitCodes.divergences;
}

await new Command('simulate')
  .description('fuzz the reference, its peers and the oracle against each other under a virtual clock')
  .option('--seed <number>', 'seed of the first run', wholeNumber(0, 2 ** 31), 1)
  .option('--runs <number>', 'how many runs, each with the next seed', wholeNumber(1, 1e9), 2000)
  .addOption(new Option('--dialect <name>', 'of every run; otherwise they take turns').choices(dialectNames))
  .option(
    '--sources <names>',
    `draw from these, with commas between: ${all.map(({ name }) => name).join(', ')} (default: walk)`,
    sourcesOf,
  )
  .option('--out <folder>', 'keep scenario and transcript of what went wrong here')
  .option('--show', 'print the transcripts', false)
  .action(main)
  .parseAsync();
