/** `qmpspec run`: requirements against a target. */
import { Command } from 'commander';
import type { RunEvent, RunSink } from '../oracle/run-events.js';
import { StreamGuard } from '../reports/guard.js';
import { EventReporter } from '../reports/mocha-reporter.js';
import { chapters } from '../suites/index.js';
import { runSuite } from '../suites/run.js';
import { order, select } from '../suites/schedule.js';
import { loadConfig } from '../targets/config.js';
import { resolveTarget } from '../targets/resolve.js';
import { repeatCommand } from './command-line.js';
import { Interrupted, NothingSelected } from './failures.js';
import { Interrupt } from './interrupt.js';
import type { Io } from './io.js';
import { addTargetOptions, gather, type TargetOptions, wholeNumber } from './options.js';
import { Outputs, parseReports } from './outputs.js';
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
}

/** Two run side by side unless told otherwise: a requirement mostly waits for the target. */
const usualJobs = 4;

export function runCommand(io: Io): Command {
  return addTargetOptions(new Command('run'))
    .description('check a target against the requirements')
    .argument('[selector...]', 'requirements by id, chapter or tag; * and ? are wildcards (default: all)')
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
  qmpspec run --report junit=out.xml,json=out.ndjson     reports for CI`,
    )
    .action(async (selectors: string[], options: RunCommandOptions) => {
      io.exitCode = await run([...selectors, ...(options.only ?? [])], options, io);
    });
}

async function run(selectors: readonly string[], options: RunCommandOptions, io: Io): Promise<number> {
  const planned = order(select(chapters, selectors, options.skip ?? []), options.seed);
  if (planned.length === 0) throw new NothingSelected();
  const outputs = new Outputs(parseReports(options.report ?? []), io, options.quiet ?? false);
  const { sink, end } = guarded(outputs);
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
        strict: options.strict ?? false,
        strictDesc: options.strictDesc ?? false,
        tool: toolName(),
        reproduce: (id) => repeatCommand({ ...options, selectors }, id),
        reporter: EventReporter,
        sink: watched,
        signal,
      }),
    );
    end();
    outputs.end();
    return footer.exitCode;
  } catch (error) {
    outputs.end(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

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
