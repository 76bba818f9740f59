/** `qmpspec list`: what there is to check. */
import { Command } from 'commander';
import { chapters } from '../suites/index.js';
import { select } from '../suites/schedule.js';
import type { Io } from './io.js';
import { gather } from './options.js';

interface ListOptions {
  readonly json?: true;
  readonly skip?: readonly string[];
}

export function listCommand(io: Io): Command {
  return new Command('list')
    .description('list the requirements')
    .argument('[selector...]', 'requirements by id, chapter or tag; * and ? are wildcards (default: all)')
    .option('--skip <selector>', 'leave these out; may be given several times', gather)
    .option('--json', 'an array of objects instead of text')
    .action((selectors: string[], options: ListOptions) => {
      const found = select(chapters, selectors, options.skip ?? []);
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
