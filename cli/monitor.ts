import { Command } from 'commander';
import { runMonitor } from '../reference/monitor/main.js';

/** `qmpspec monitor`: the reference monitor; everything behind the name is its own command line, QEMU's. */
export function monitorCommand(): Command {
  return new Command('monitor')
    .description('run the reference monitor (takes the options of qemu-system-x86_64 -M none)')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[options...]')
    .action(async (_options: string[], _settings: object, command: Command) => {
      await runMonitor(command.args);
    });
}
