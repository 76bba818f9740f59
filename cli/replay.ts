/** `qmpspec replay`: one case again, on any target; no seed and no generator is needed. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { type Attempt, attempt } from '../campaign/attempt.js';
import { CaseError, type CaseFile, parseCase, stringifyCase } from '../campaign/case-file.js';
import { sameIn } from '../campaign/confirm.js';
import { writeWhole } from '../campaign/folder.js';
import { shrink } from '../campaign/shrink.js';
import { essence, titleOf } from '../campaign/symptom.js';
import { exitCodes } from '../oracle/exit-codes.js';
import { excerptOf } from '../reports/excerpt.js';
import { loadConfig } from '../targets/config.js';
import { factsOf, type TargetFacts } from '../targets/facts.js';
import { whyUnreadable } from '../targets/file-errors.js';
import { resolveTarget } from '../targets/resolve.js';
import type { Scenario } from '../targets/scenario.js';
import type { Target } from '../targets/target.js';
import { UsageError } from './failures.js';
import { Interrupt } from './interrupt.js';
import type { Io } from './io.js';
import { dialectOption, type TargetOptions, wholeNumber } from './options.js';

interface ReplayOptions extends Partial<TargetOptions> {
  readonly times: number;
  readonly minimize?: string | true;
  readonly strictDesc?: true;
  readonly wire?: true;
}

export function replayCommand(io: Io): Command {
  return new Command('replay')
    .description('run a case that a campaign found once more')
    .argument('<case>', 'case.json, the folder of a finding, or a scenario file')
    .option('-t, --target <name>', 'run it on this target (default: the one that it was found on)')
    .option('--config <file>', 'config file (default: qmpspec.config.json, if there is one)')
    .addOption(dialectOption())
    .option('--times <n>', 'how often', wholeNumber(1, 1_000_000), 1)
    .option(
      '--minimize [file]',
      'make it smaller first, and write the smaller case (default: beside it, as minimal.json)',
    )
    .option('--strict-desc', 'compare the texts of errors too, not only their class')
    .option('--wire', 'show what went over the wire')
    .addHelpText(
      'after',
      `
Says FAILED when the target still does what the case is about (exit code 1), FIXED when it does not (0), and ERROR when the
case cannot be run (2 or 3). A scenario file fails by whatever speaks against the target.`,
    )
    .action(async (path: string, options: ReplayOptions) => {
      io.exitCode = await replay(path, options, io);
    });
}

async function replay(path: string, options: ReplayOptions, io: Io): Promise<number> {
  const { file, scenario, place } = readCase(path);
  const name = options.target ?? file?.target ?? 'reference';
  const { target, dialect } = resolveTarget(name, loadConfig(options.config));
  const interrupt = new Interrupt(() => io.err.write('\nqmpspec: stopping after this run\n'));
  try {
    const facts = await factsOf(target, options.dialect ?? dialect);
    const replayed = new Replay(target, facts, file, options, interrupt.signal);
    const smaller = options.minimize === undefined ? scenario : await replayed.minimise(scenario, place, io);
    const { times, of, shown, other } = await replayed.repeat(smaller, options.times);
    const what = file === undefined ? 'what speaks against the target' : file.title;
    const { colors } = io.out;
    if (of === 0) return exitCodes.interrupted;
    if (times > 0) io.out.write(`${colors.red('FAILED')}  ${what} (${times} of ${of})\n`);
    else io.out.write(`${colors.green('FIXED')}  ${what} did not show itself (0 of ${of})\n`);
    const symptom =
      file === undefined ? shown?.symptoms[0] : shown === undefined ? undefined : sameIn(shown, file.symptom);
    if (symptom !== undefined) {
      io.out.write(`  expected  ${symptom.expected.join(', or ')}\n  got       ${symptom.got}\n`);
    }
    for (const one of other) io.out.write(`  also      ${one}\n`);
    if (options.wire && shown !== undefined) {
      io.out.write(`${excerptOf(shown.transcript, symptom?.entry, Number.MAX_SAFE_INTEGER).join('\n')}\n`);
    }
    if (interrupt.signal.aborted) return exitCodes.interrupted;
    return times > 0 ? exitCodes.divergences : exitCodes.conforms;
  } catch (error) {
    io.out.write(`${io.out.colors.red('ERROR')}  the case could not be run\n`);
    if ((error as Error).name === 'ScenarioError') throw new UsageError(`${place}: ${(error as Error).message}`);
    throw error;
  } finally {
    interrupt.release();
    await target.close();
  }
}

class Replay {
  constructor(
    private readonly target: Target,
    private readonly facts: TargetFacts,
    private readonly file: CaseFile | undefined,
    private readonly options: ReplayOptions,
    private readonly signal: AbortSignal,
  ) {}

  /** Of how many runs how many showed it, and what else was seen. */
  async repeat(
    scenario: Scenario,
    most: number,
  ): Promise<{ times: number; of: number; shown?: Attempt; other: string[] }> {
    let [times, of] = [0, 0];
    let shown: Attempt | undefined;
    const other = new Set<string>();
    while (of < most && !this.signal.aborted) {
      const result = await this.run(scenario);
      of++;
      if (this.shows(result)) {
        times++;
        shown ??= result;
      } else {
        for (const symptom of result.symptoms) other.add(titleOf(symptom));
        if (of === most) shown ??= result;
      }
    }
    return { times, of, other: [...other], ...(shown === undefined ? {} : { shown }) };
  }

  async minimise(scenario: Scenario, place: string, io: Io): Promise<Scenario> {
    const { minimize, times } = this.options;
    const first = await this.repeat(scenario, Math.max(times, 5));
    if (first.times === 0) return scenario;
    const { scenario: smaller, tried } = await shrink(scenario, {
      shows: async (candidate) => (await this.repeat(candidate, first.times === first.of ? 1 : 3)).times > 0,
      going: () => !this.signal.aborted,
    });
    const to = typeof minimize === 'string' ? minimize : place.replace(/[^/]*$/, 'minimal.json');
    writeWhole(to, stringifyCase(this.file === undefined ? smaller : { ...this.file, scenario: smaller }));
    io.out.write(`${scenario.steps.length} steps became ${smaller.steps.length} (${tried} candidates): ${to}\n`);
    return smaller;
  }

  private run(scenario: Scenario): Promise<Attempt> {
    const { target, facts } = this;
    return attempt(scenario, { target, facts, strictDesc: this.options.strictDesc ?? false });
  }

  private shows(result: Attempt): boolean {
    if (this.file === undefined) return result.symptoms.some(({ defect }) => defect === undefined);
    const wanted = essence(this.file.symptom);
    return result.symptoms.some((symptom) => essence(symptom) === wanted);
  }
}

/** @throws UsageError naming the file and the fault */
function readCase(path: string): { scenario: Scenario; file?: CaseFile; place: string } {
  let place = path;
  try {
    if (statSync(path).isDirectory()) place = join(path, 'case.json');
    return { ...parseCase(readFileSync(place, 'utf8')), place };
  } catch (error) {
    throw new UsageError(`${place}: ${error instanceof CaseError ? error.message : whyUnreadable(error)}`);
  }
}
