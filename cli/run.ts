/** `qmpspec run`: requirements against a target. */
import { Command } from 'commander';
import type { RunEvent, RunSink, Shard } from '../oracle/run-events.js';
import { StreamGuard } from '../reports/guard.js';
import { EventReporter } from '../reports/mocha-reporter.js';
import { loadExpectations } from '../suites/expectations/file.js';
import { chapters } from '../suites/index.js';
import { runSuite } from '../suites/run.js';
import { order, type Planned, select, shardOf } from '../suites/schedule.js';
import { loadConfig } from '../targets/config.js';
import { resolveTarget } from '../targets/resolve.js';
import { repeatCommand } from './command-line.js';
import { Interrupted, NothingSelected } from './failures.js';
import { Interrupt } from './interrupt.js';
import type { Io } from './io.js';
import { LastRunMemory, lastFailures } from './last-run.js';
import { NewExpectations } from './new-expectations.js';
import { addTargetOptions, gather, shardOption, type TargetOptions, wholeNumber } from './options.js';
import { Outputs, parseReports } from './outputs.js';
import { expectShortRun } from './short-run.js';
import { toolName } from './version.js';

interface RunCommandOptions extends TargetOptions {
  readonly jobs?: number;
  readonly seed: number;
  readonly skip?: readonly string[];
  readonly only?: readonly string[];
  readonly report?: readonly string[];
  readonly strict?: true;
  readonly strictDesc?: true;
  readonly quiet?: true;
  readonly expect?: string;
  readonly writeExpect?: string;
  readonly failed?: true;
  readonly failFast?: true;
  readonly shard?: { readonly index: number; readonly count: number };
}

/** Side by side unless told otherwise: a requirement mostly waits for the target. With 8, two fast cores are idle a fifth of a run. */
const usualJobs = 10;

export function runCommand(io: Io): Command {
  return addTargetOptions(new Command('run'))
    .description('check a target against the requirements')
    .argument(
      '[selector...]',
      'requirements by id, chapter or tag, several with commas; * and ? are wildcards (default: all)',
    )
    .option(
      '-j, --jobs <n>',
      `requirements side by side (default: ${usualJobs}; an address gets 1)`,
      wholeNumber(1, 64),
    )
    .option(
      '--seed <n>',
      'order and random choices; 0 is the order of the specification',
      wholeNumber(0, 2 ** 32 - 1),
      0,
    )
    .option('--only <selector>', 'the same as a selector; may be given several times', gather)
    .option('--skip <selector>', 'leave these out; may be given several times', gather)
    .option('--failed', 'only what failed, or could not be judged, in the last run in this folder')
    .option('--fail-fast', 'begin nothing more once a requirement has failed')
    .option('--shard <i/n>', "only the i-th of n parts; 'qmpspec report' puts their json reports together", shardOption)
    .option('--expect <file>', 'what is known to go wrong; a fix, another failure and an old entry are told')
    .option('--write-expect <file>', 'begin such a file with what fails in this run')
    .option(
      '-r, --report <format=file>',
      'also write terminal, tap, junit, json or markdown to a file (- is standard output); several with commas',
      gather,
    )
    .option('--strict', 'SHOULD, known defects and "not applicable" count as failures')
    .option('--strict-desc', 'compare the texts of errors too, not only their class')
    .option('-q, --quiet', 'show only what went wrong, and the summary')
    .addHelpText(
      'after',
      `
Examples:
  qmpspec run --target qemu                              all requirements, QEMU from PATH
  qmpspec run --target qemu:build/qemu-x 'QMP-NEG-*'     one group, another binary
  qmpspec run --target unix:/run/vm.sock --jobs 1        a monitor that runs already
  qmpspec run --report junit=out.xml,json=out.ndjson     reports for CI
  qmpspec run --target mine --expect known.json          with failures that are known`,
    )
    .action(async (selectors: string[], options: RunCommandOptions) => {
      io.exitCode = await run([...selectors, ...(options.only ?? [])], options, io);
    });
}

async function run(selectors: readonly string[], options: RunCommandOptions, io: Io): Promise<number> {
  expectShortRun();
  const { planned, shard } = plan(selectors, options);
  const file = options.expect === undefined ? undefined : loadExpectations(options.expect);
  const written = options.writeExpect === undefined ? undefined : new NewExpectations(options.writeExpect);
  const outputs = new Outputs(parseReports(options.report ?? []), io, options.quiet ?? false);
  const { sink, end } = guarded(outputs);
  const memory = new LastRunMemory();
  try {
    const { target, dialect } = resolveTarget(options.target, loadConfig(options.config));
    const footer = await underSignals(io, sink, (watched, signal) =>
      runSuite({
        target,
        planned,
        ...(dialect === undefined ? {} : { dialect }),
        ...(options.dialect === undefined ? {} : { dialect: options.dialect }),
        // An address is one process for all: requirements side by side would disturb each other.
        jobs: target.lacks('start') === undefined ? (options.jobs ?? usualJobs) : 1,
        seed: options.seed,
        ...(file === undefined ? {} : { expected: { file, known: allIds() } }),
        ...(shard === undefined ? {} : { shard }),
        failFast: options.failFast ?? false,
        strict: options.strict ?? false,
        strictDesc: options.strictDesc ?? false,
        tool: toolName(),
        reproduce: (id) => repeatCommand({ ...options, selectors }, id),
        reporter: EventReporter,
        sink: (event) => {
          memory.take(event);
          written?.take(event);
          watched(event);
        },
        signal,
      }),
    );
    memory.save();
    written?.save();
    end();
    outputs.end();
    return footer.exitCode;
  } catch (error) {
    outputs.end(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** What runs, in which order. @throws SelectorError, UsageError, NothingSelected */
function plan(selectors: readonly string[], options: RunCommandOptions): { planned: Planned[]; shard?: Shard } {
  const selected = select(chapters, selectors, options.skip ?? []);
  if (selected.length === 0) throw new NothingSelected();
  const failed = options.failed ? new Set(lastFailures()) : undefined;
  const wanted = selected.filter(({ requirement }) => failed?.has(requirement.id) ?? true);
  if (wanted.length === 0) throw new NothingSelected('nothing of the selection failed in the last run');
  if (options.shard === undefined) return { planned: order(wanted, options.seed) };
  const { index, count } = options.shard;
  const part = shardOf(wanted, index, count);
  if (part.length === 0) throw new NothingSelected(`${count} parts are more than there are requirements`);
  return { planned: order(part, options.seed), shard: { index, count, total: wanted.length } };
}

const allIds = (): string[] => chapters.flatMap(({ requirements }) => requirements.map(({ id }) => id));

/** The reports get every event; what is wrong with the stream is told at its end, when they have all they can get. */
function guarded(outputs: Outputs): { sink: RunSink; end: () => void } {
  const guard = new StreamGuard();
  let fault: unknown;
  const sink = (event: RunEvent) => {
    outputs.take(event);
    try {
      guard.take(event);
    } catch (error) {
      fault ??= error;
    }
  };
  const end = () => {
    if (fault !== undefined) throw fault;
    guard.end();
  };
  return { sink, end };
}

/** Runs with Ctrl-C in our hands. Before the first event there is nothing to end in an orderly way. */
async function underSignals<T>(
  io: Io,
  sink: RunSink,
  work: (sink: RunSink, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  let begun = false;
  let giveUp: (reason: Error) => void = () => undefined;
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const interrupt = new Interrupt(() => {
    if (!begun) giveUp(new Interrupted());
    else io.err.write('\nqmpspec: stopping after what is running now; Ctrl-C again stops at once\n');
  });
  const watched = (event: RunEvent) => {
    begun = true;
    sink(event);
  };
  const running = work(watched, interrupt.signal);
  try {
    return await Promise.race([running, givenUp]);
  } finally {
    running.catch(() => undefined);
    interrupt.release();
  }
}
