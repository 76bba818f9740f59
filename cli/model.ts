import { Command, InvalidArgumentError, Option } from 'commander';
import { type DialectName, dialectNames, dialects } from '../reference/dialects/dialect.js';
import { checkModel, diagram, rowIndex } from '../reference/model/index.js';

interface ModelOptions {
  readonly check?: true;
  readonly diagram?: string | true;
  readonly rows?: true;
  readonly side: 'outgoing' | 'incoming';
  readonly dialect: DialectName;
}

function format(value: string): string {
  if (value === 'mermaid' || value === 'svg') return value;
  throw new InvalidArgumentError("Choose 'mermaid' or 'svg'.");
}

/** `qmpspec model`: shows the state machine that verdicts are judged by, and proves that it hangs together. */
export function modelCommand(): Command {
  return new Command('model')
    .description('show or check the migration state machine that verdicts are judged by')
    .option('--check', 'walk every state of every dialect; exit status 1 if the model contradicts itself')
    .option('--diagram [format]', 'print the state diagram as mermaid (default) or svg', format)
    .option('--rows', 'print which transitions each requirement of the specification stands for')
    .addOption(
      new Option('--side <side>', 'side that --diagram shows').choices(['outgoing', 'incoming']).default('outgoing'),
    )
    .addOption(new Option('--dialect <name>', 'protocol dialect').choices(dialectNames).default('3.0'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ qmpspec model --check\n  $ qmpspec model --diagram svg --side incoming > incoming.svg\n',
    )
    .action((options: ModelOptions, command: Command) => {
      if (options.check === true) {
        if (!check()) process.exitCode = 1;
      } else if (options.diagram !== undefined) {
        const chosen = options.diagram === 'svg' ? 'svg' : 'mermaid';
        process.stdout.write(diagram(dialects[options.dialect].migration, options.side, chosen));
      } else if (options.rows === true) {
        for (const { id, uses } of rowIndex(dialects[options.dialect].migration)) {
          process.stdout.write(`${id}\n${uses.map((use) => `    ${use}\n`).join('')}`);
        }
      } else {
        command.error("error: say what to do with the model: '--check', '--diagram' or '--rows'");
      }
    });
}

function check(): boolean {
  let sound = true;
  let dead: readonly string[] | undefined;
  for (const name of dialectNames) {
    const found = checkModel(dialects[name].migration);
    dead = dead === undefined ? found.untaken : dead.filter((row) => found.untaken.includes(row));
    const { combinations, states, transitions, statuses, rows, problems } = found;
    process.stdout.write(
      `dialect ${name}: ${combinations} capability sets, ${states} states, ${transitions} transitions, ` +
        `${statuses} statuses, ${rows} rows: ${problems.length === 0 ? 'sound' : `problems: ${problems.length}`}\n`,
    );
    for (const problem of problems) process.stdout.write(`  ${problem}\n`);
    if (problems.length > 0) sound = false;
  }
  for (const row of dead ?? []) process.stdout.write(`never taken in any dialect: ${row}\n`);
  return sound && dead?.length === 0;
}
