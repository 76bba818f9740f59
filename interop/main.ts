#!/usr/bin/env node
/**
 * The interop matrix: real migrations between the reference monitor and the QEMUs that are here, in every mode, over every
 * transport. Exit status: 0 when every cell that has to work did, 1 when one did not, 2 for a wrong option or an empty
 * selection, 3 when a QEMU is absent and QMPSPEC_REQUIRE_QEMU=1.
 */
import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { wholeNumber } from '../cli/options.js';
import { cells, type Selection } from './cells.js';
import { modes } from './modes.js';
import { Parties, partyNames } from './parties.js';
import { runCells } from './run.js';
import { renderTable } from './table.js';
import { transportNames } from './transports.js';

const choice = (flags: string, what: string, names: readonly string[]) =>
  new Option(`${flags} <names...>`, `only these ${what}`).choices(names);

const program = new Command('interop')
  .description('Migrates between the reference monitor and real QEMUs, in every mode and over every transport.')
  .addOption(choice('--source', 'sources', partyNames))
  .addOption(choice('--destination', 'destinations', partyNames))
  .addOption(
    choice(
      '--mode',
      'modes',
      modes.map(({ name }) => name),
    ),
  )
  .addOption(choice('--transport', 'transports', transportNames))
  .option('--jobs <n>', 'cells at a time', wholeNumber(1, 64), availableParallelism())
  .option('--json', 'one JSON object a cell instead of the table')
  .exitOverride()
  .allowExcessArguments(false);

interface Options {
  readonly source?: string[];
  readonly destination?: string[];
  readonly mode?: string[];
  readonly transport?: string[];
  readonly jobs: number;
  readonly json?: true;
}

async function main(): Promise<number> {
  const options = program.parse().opts<Options>();
  const selection: Selection = {
    ...(options.source === undefined ? {} : { sources: options.source }),
    ...(options.destination === undefined ? {} : { destinations: options.destination }),
    ...(options.mode === undefined ? {} : { modes: options.mode }),
    ...(options.transport === undefined ? {} : { transports: options.transport }),
  };
  const chosen = cells(selection);
  const parties = new Parties();
  let done = 0;
  const results = await runCells(chosen, parties, options.jobs, ({ cell, outcome }) => {
    done++;
    if (options.json) {
      const { source, destination, mode, transport, versions } = cell;
      process.stdout.write(
        `${JSON.stringify({ source, destination, mode: mode.name, transport, versions, ...outcome })}\n`,
      );
    } else if (process.stderr.isTTY) process.stderr.write(`\r${done}/${chosen.length} cells`);
  });
  await parties.close();
  if (process.stderr.isTTY && !options.json) process.stderr.write('\r\x1b[K');
  if (!options.json) process.stdout.write(renderTable(results));
  if (results.some(({ outcome }) => outcome.kind === 'failed')) return 1;
  const absent = results.some(({ outcome }) => outcome.kind === 'absent');
  return absent && process.env.QMPSPEC_REQUIRE_QEMU === '1' ? 3 : 0;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
main().then(
  (status) => process.exit(status),
  (error: { readonly exitCode?: number; readonly code?: string; readonly message?: string }) => {
    if (error.code?.startsWith('commander.') === true) process.exit(error.exitCode === 0 ? 0 : 2);
    process.stderr.write(`interop: ${error.message}\n`);
    process.exit(70);
  },
);
