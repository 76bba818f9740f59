/** `qmpspec list`: what there is to check. */
import { Command } from 'commander';
import { exitCodes } from '../oracle/exit-codes.js';
import { holesIn, matrixMarkdown, matrixTable, type TracedPart } from '../reports/matrix.js';
import { specRows } from '../suites/coverage/rows.js';
import { matrix } from '../suites/coverage/table.js';
import { chapters } from '../suites/index.js';
import { select } from '../suites/schedule.js';
import { UsageError } from './failures.js';
import type { Io } from './io.js';
import { gather } from './options.js';

interface ListOptions {
  readonly json?: true;
  readonly matrix?: true;
  readonly markdown?: true;
  readonly skip?: readonly string[];
}

export function listCommand(io: Io): Command {
  return new Command('list')
    .description('list the requirements')
    .argument(
      '[selector...]',
      'requirements by id, chapter or tag, several with commas; * and ? are wildcards (default: all)',
    )
    .option('--skip <selector>', 'leave these out; may be given several times', gather)
    .option('--json', 'an array of objects instead of text')
    .option('--matrix', 'each entity of the schema and row of the specification, and the requirements for it')
    .option('--markdown', 'with --matrix: as Markdown')
    .action((selectors: string[], options: ListOptions) => {
      const found = select(chapters, selectors, options.skip ?? []);
      if (options.markdown && !options.matrix) throw new UsageError('--markdown goes with --matrix');
      if (options.matrix) {
        const whole = selectors.length === 0 && options.skip === undefined;
        io.exitCode = matrixOf(
          whole ? undefined : new Set(found.map(({ requirement }) => requirement.id)),
          options,
          io,
        );
        return;
      }
      if (options.json) {
        const rows = found.map(({ requirement: { id, level, title, spec, tags = [] }, chapter }) => {
          return { id, level, title, spec, chapter, tags };
        });
        io.out.write(`${JSON.stringify(rows, null, 2)}\n`);
        return;
      }
      const width = Math.max(0, ...found.map(({ requirement }) => requirement.id.length));
      for (const { requirement } of found) {
        const { id, level, title } = requirement;
        io.out.write(`${id.padEnd(width)}  ${io.out.colors.dim(level.padEnd(6))}  ${title}\n`);
      }
    });
}

/** Prints the matrix, of the selected requirements alone where some are. A hole in the whole of it is a failure. */
function matrixOf(selected: ReadonlySet<string> | undefined, options: ListOptions, io: Io): number {
  const parts: TracedPart[] = [
    {
      title: 'Schema: what the migration definitions of the baseline have',
      rows: matrix().map(({ entity, ...row }) => ({ name: entity, ...row })),
    },
    { title: 'Specification: its rows', rows: specRows().map(({ id, file: _, ...row }) => ({ name: id, ...row })) },
  ];
  const shown = selected === undefined ? parts : parts.map((part) => restricted(part, selected));
  if (options.json) io.out.write(`${JSON.stringify(shown, null, 2)}\n`);
  else io.out.write(options.markdown ? matrixMarkdown(shown) : matrixTable(shown, io.out.colors));
  return holesIn(parts).length > 0 ? exitCodes.divergences : exitCodes.conforms;
}

/** Only what the selected requirements are about. */
function restricted({ title, rows }: TracedPart, selected: ReadonlySet<string>): TracedPart {
  const own = rows.map((row) => ({ ...row, requirements: row.requirements.filter((id) => selected.has(id)) }));
  return { title, rows: own.filter(({ requirements }) => requirements.length > 0) };
}
