/** `qmpspec report`: folds a recorded run again, without the target; several shards become one run. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { RunEvent } from '../oracle/run-events.js';
import { mergeShards } from '../reports/merge.js';
import { readRunEvents } from '../reports/ndjson.js';
import { PlanNotMet } from '../reports/stream-error.js';
import { whyUnreadable } from '../targets/file-errors.js';
import { UsageError } from './failures.js';
import type { Io } from './io.js';
import { gather } from './options.js';
import { Outputs, parseReports } from './outputs.js';

interface ReportOptions {
  readonly report?: readonly string[];
  readonly quiet?: true;
  readonly partial?: true;
}

export function reportCommand(io: Io): Command {
  return new Command('report')
    .description('render a recorded run (--report json=FILE) again; the exit code is that of the run')
    .argument('<file...>', 'event stream of a run, or of every shard of one; - is standard input')
    .option(
      '-r, --report <format=file>',
      'write terminal, tap, junit, json or markdown to a file (- is standard output); several with commas',
      gather,
    )
    .option('-q, --quiet', 'show only what went wrong, and the summary')
    .option('--partial', 'take one shard by itself, without the others')
    .addHelpText(
      'after',
      `
Examples:
  qmpspec report run.ndjson                     the screen of the run
  qmpspec report run.ndjson -r junit=run.xml    JUnit from a run that was not asked for it
  qmpspec report 1.ndjson 2.ndjson 3.ndjson     one run of three shards; a missing one is an error`,
    )
    .action((files: string[], options: ReportOptions) => {
      const [file, ...more] = files as [string, ...string[]];
      io.exitCode = more.length === 0 ? one(file, options, io) : render(merged(files, options), options, io);
    });
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${whyUnreadable(error)}`);
  }
}

/** A shard alone is not the run: whoever asks for the run must not see a part of it as green. */
function one(file: string, options: ReportOptions, io: Io): number {
  const text = read(file);
  const { shard } = (firstEvent(text) ?? {}) as { shard?: { index: number; count: number } };
  if (shard !== undefined && shard.count > 1 && !options.partial) {
    throw new PlanNotMet(
      `${file} is shard ${shard.index}/${shard.count}, and the others are missing: name them all, or take it alone with --partial`,
    );
  }
  return render(readRunEvents(text), options, io);
}

function firstEvent(text: string): unknown {
  try {
    return JSON.parse(text.split('\n', 1)[0] ?? '');
  } catch {
    return undefined;
  }
}

/** @throws StreamError naming the file when one is broken, or the shards do not make a run */
function merged(files: readonly string[], options: ReportOptions): RunEvent[] {
  if (options.partial) throw new UsageError('--partial takes one shard by itself; several are put together');
  return mergeShards(
    files.map((file) => {
      try {
        return { file, events: [...readRunEvents(read(file))] };
      } catch (error) {
        if (error instanceof Error && 'exitCode' in error) error.message = `${file}: ${error.message}`;
        throw error;
      }
    }),
  );
}

/** What can be read is rendered, even if the stream turns out to be broken; then that is said. */
function render(events: Iterable<RunEvent>, options: ReportOptions, io: Io): number {
  const outputs = new Outputs(parseReports(options.report ?? []), io, options.quiet ?? false);
  let exitCode = 0;
  try {
    for (const event of events) {
      outputs.take(event);
      if (event.event === 'footer') exitCode = event.exitCode;
    }
    outputs.end();
    return exitCode;
  } catch (error) {
    outputs.end(error instanceof Error ? error.message : String(error));
    throw error;
  }
}
