/** `qmpspec report`: folds a recorded run again, without the target. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { readRunEvents } from '../reports/ndjson.js';
import { UsageError } from './failures.js';
import type { Io } from './io.js';
import { gather } from './options.js';
import { Outputs, parseReports } from './outputs.js';

interface ReportOptions {
  readonly report?: readonly string[];
  readonly quiet?: true;
}

export function reportCommand(io: Io): Command {
  return new Command('report')
    .description('render a recorded run (--report json=FILE) again; the exit code is that of the run')
    .argument('<file>', 'event stream of a run; - is standard input')
    .option(
      '-r, --report <format=file>',
      'write terminal, tap, junit, json or markdown to a file (- is standard output); several with commas',
      gather,
    )
    .option('-q, --quiet', 'show only what went wrong, and the summary')
    .addHelpText(
      'after',
      `
Examples:
  qmpspec report run.ndjson                     the screen of the run
  qmpspec report run.ndjson -r junit=run.xml    JUnit from a run that was not asked for it`,
    )
    .action((file: string, options: ReportOptions) => {
      io.exitCode = render(read(file), options, io);
    });
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message.split(',', 1)[0]}`);
  }
}

/** What can be read is rendered, even if the stream turns out to be broken; then that is said. */
function render(text: string, options: ReportOptions, io: Io): number {
  const outputs = new Outputs(parseReports(options.report ?? []), io, options.quiet ?? false);
  let exitCode = 0;
  try {
    for (const event of readRunEvents(text)) {
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
