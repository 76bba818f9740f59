/** `qmpspec faults`: what the reference monitor can be told to do wrong. */
import { Command } from 'commander';
import { faults, seamOf } from '../reference/faults/index.js';
import type { Io } from './io.js';

export function faultsCommand(io: Io): Command {
  return new Command('faults')
    .description('list the faults that can be planted in the reference monitor (qmpspec monitor --fault NAME)')
    .option('--json', 'an array of objects instead of text')
    .action((options: { readonly json?: true }) => {
      const rows = [...faults].map(([name, fault]) => {
        const { area, title, rows } = fault;
        return { name, area, seam: seamOf(fault), rows, title };
      });
      if (options.json) {
        io.out.write(`${JSON.stringify(rows, null, 2)}\n`);
        return;
      }
      const width = Math.max(...rows.map(({ name }) => name.length));
      let before = '';
      for (const { name, area, rows: violated, title } of rows) {
        if (area !== before) io.out.write(`${before === '' ? '' : '\n'}${io.out.colors.bold(area)}\n`);
        before = area;
        io.out.write(`  ${name.padEnd(width)}  ${title} ${io.out.colors.dim(`(${violated.join(', ')})`)}\n`);
      }
    });
}
