/** `qmpspec faults`: what the reference monitor can be told to do wrong. */
import { Command } from 'commander';
import { faults, seamOf, variations } from '../reference/faults/index.js';
import type { Io } from './io.js';

export function faultsCommand(io: Io): Command {
  return new Command('faults')
    .description('list the faults that can be planted in the reference monitor (qmpspec monitor --fault NAME)')
    .option('--json', 'an array of objects instead of text')
    .option('--benign', 'list what a monitor may do differently instead (qmpspec monitor --vary NAME)')
    .action((options: { readonly json?: true; readonly benign?: true }) => {
      if (options.benign) {
        listVariations(io, options.json ?? false);
        return;
      }
      const rows = [...faults].map(([name, fault]) => {
        const { area, title, rows } = fault;
        return { name, area, seam: seamOf(fault), rows, title };
      });
      if (options.json) {
        io.out.write(`${JSON.stringify(rows, null, 2)}\n`);
        return;
      }
      const width = Math.max(...rows.map(({ name }) => name.length));
      const areas = new Set(rows.map(({ area }) => area));
      for (const [at, area] of [...areas].entries()) {
        io.out.write(`${at === 0 ? '' : '\n'}${io.out.colors.bold(area)}\n`);
        for (const { name, rows: violated, title } of rows.filter((row) => row.area === area)) {
          io.out.write(`  ${name.padEnd(width)}  ${title} ${io.out.colors.dim(`(${violated.join(', ')})`)}\n`);
        }
      }
    });
}

function listVariations(io: Io, json: boolean): void {
  const rows = [...variations].map(([name, { title }]) => ({ name, title }));
  const width = Math.max(...rows.map(({ name }) => name.length));
  if (json) io.out.write(`${JSON.stringify(rows, null, 2)}\n`);
  else for (const { name, title } of rows) io.out.write(`${name.padEnd(width)}  ${title}\n`);
}
