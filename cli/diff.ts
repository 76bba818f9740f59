/** `qmpspec diff`: the same scenario on two targets, side by side. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { scenarioOf } from '../generators/scenario/walk.js';
import { compareTranscripts, type Side, unpermitted } from '../oracle/compare.js';
import { execute } from '../oracle/execute.js';
import { exitCodes } from '../oracle/exit-codes.js';
import { judgeTranscript } from '../oracle/judge.js';
import { judgedAs, releaseIn } from '../oracle/release.js';
import { JsonError, parseJson, stringifyJson } from '../protocol/json.js';
import type { DialectName } from '../reference/dialects/dialect.js';
import { renderComparison } from '../reports/comparison.js';
import { renderJudgement } from '../reports/judgement.js';
import { loadConfig } from '../targets/config.js';
import { learnFacts, type TargetFacts } from '../targets/facts.js';
import { whyUnreadable } from '../targets/file-errors.js';
import { resolveTarget } from '../targets/resolve.js';
import { type Scenario, scenarioVersion } from '../targets/scenario.js';
import type { Target } from '../targets/target.js';
import { UsageError } from './failures.js';
import { Interrupt } from './interrupt.js';
import type { Io } from './io.js';
import { dialectOption, wholeNumber } from './options.js';
import { saveFile } from './save-file.js';

interface DiffOptions {
  readonly target: string;
  readonly against?: string;
  readonly config?: string;
  readonly dialect?: DialectName;
  readonly seed: number;
  readonly strictDesc: boolean;
  readonly json: boolean;
  readonly all: boolean;
  readonly save?: string;
}

export function diffCommand(io: Io): Command {
  return new Command('diff')
    .description('run one scenario on two targets and show what they did side by side')
    .argument('[scenario]', 'scenario file; without it one is generated from --seed')
    .requiredOption('-t, --target <name>', 'the target in question')
    .option('--against <name>', 'what it is compared with (default: the reference, in the dialect of the target)')
    .option('--config <file>', 'config file (default: qmpspec.config.json, if there is one)')
    .addOption(dialectOption())
    .option('--seed <number>', 'seed of the scenario', wholeNumber(0, 2 ** 31 - 1), 1)
    .option('--strict-desc', 'compare error texts too', false)
    .option('--all', 'show every message, also where long stretches are alike', false)
    .option('--json', 'print the comparison as JSON', false)
    .option('--save <file>', 'write the scenario there')
    .action((file: string | undefined, options: DiffOptions) => diff(file, options, io));
}

async function diff(file: string | undefined, options: DiffOptions, io: Io): Promise<void> {
  const config = loadConfig(options.config);
  const left = resolveTarget(options.target, config).target;
  let right: Target | undefined;
  // The reaper ends every process of ours when this one exits.
  const interrupt = new Interrupt(() => process.exit(exitCodes.interrupted));
  try {
    const facts = await factsOf(left, options.dialect);
    right = resolveTarget(options.against ?? `reference:${facts.dialect.name}`, config).target;
    const scenario = file === undefined ? scenarioOf(options.seed, facts.dialect) : readScenario(file);
    if (options.save !== undefined) saveFile(options.save, `${JSON.stringify(scenario, undefined, 2)}\n`);
    const sides = [
      await run(left, scenario, facts),
      await run(right, scenario, await factsOf(right, options.dialect)),
    ] as const;
    const comparisons = compareTranscripts(sides[0], sides[1], { strictDesc: options.strictDesc });
    if (options.json) {
      io.out.write(
        `${stringifyJson({ left: left.name, right: right.name, scenario, judgements: sides.map(({ judgement }) => judgement), comparisons })}\n`,
      );
    } else {
      const { colors } = io.out;
      io.out.write(
        renderComparison(comparisons, [left.name, right.name], {
          colors,
          width: io.out.columns(),
          all: options.all,
        }),
      );
      for (const [i, name] of [left.name, right.name].entries()) {
        const { judgement, transcript } = sides[i] as Side;
        io.out.write(`${name}: ${renderJudgement(judgement, transcript, colors)}`);
      }
    }
    const diverged = sides.some(({ judgement }) => judgement.kind === 'divergence');
    io.exitCode = diverged || unpermitted(comparisons).length > 0 ? exitCodes.divergences : exitCodes.conforms;
  } finally {
    interrupt.release();
    await left.close();
    await right?.close();
  }
}

async function factsOf(target: Target, dialect: DialectName | undefined): Promise<TargetFacts> {
  const instance = await target.start();
  try {
    return await learnFacts(instance, dialect);
  } finally {
    await instance.dispose();
  }
}

async function run(target: Target, scenario: Scenario, facts: TargetFacts): Promise<Side> {
  const { dialect, readings } = facts;
  const transcript = await execute(scenario, { target, dialect });
  const { defects } = judgedAs(releaseIn(transcript.entries));
  const judgement = judgeTranscript(transcript, {
    dialect,
    ...(readings === undefined ? {} : { readings }),
    schema: facts.schema,
    defects,
    ...(facts.settings === undefined ? {} : { settings: facts.settings }),
  });
  return { transcript, judgement };
}

/** @throws UsageError naming the file and the fault */
export function readScenario(file: string): Scenario {
  let value: unknown;
  try {
    value = parseJson(readFileSync(file, 'utf8'));
  } catch (error) {
    const fault = error instanceof JsonError ? `it is not JSON (${error.message})` : whyUnreadable(error);
    throw new UsageError(`${file}: ${fault}`);
  }
  const scenario = value as Scenario;
  if (
    typeof value !== 'object' ||
    value === null ||
    scenario.scenario !== scenarioVersion ||
    !Array.isArray(scenario.steps)
  ) {
    throw new UsageError(`${file}: it is not a scenario of format ${scenarioVersion} (members scenario and steps)`);
  }
  return scenario;
}
