/** Options that several commands share. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { dialectNames } from '../reference/dialects/dialect.js';

export { wholeNumber } from '../simulation/whole-number.js';

/** `2/3`: one part of a run that is divided. */
export function shardOption(text: string): { index: number; count: number } {
  const [, index = 0, count = 0] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []).map(Number);
  if (count < 1 || index < 1 || index > count) {
    throw new InvalidArgumentError('It must be a part and the number of parts, as in 2/3.');
  }
  return { index, count };
}

/** Gathers the values of an option that may be given several times. */
export const gather = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** The same where a value may name several things, with commas between them. */
export const gatherAll = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  ...text.split(',').map((one) => one.trim()),
];

export function addTargetOptions(command: Command): Command {
  return command
    .option(
      '-t, --target <name>',
      'reference, qemu, qemu:BINARY, command:TEMPLATE, unix:PATH, tcp:HOST:PORT or a configured name',
      'reference',
    )
    .option('--config <file>', 'config file (default: qmpspec.config.json, if there is one)')
    .addOption(dialectOption());
}

export const dialectOption = (): Option =>
  new Option('--dialect <name>', 'judge by this dialect and not by the one of its version').choices(dialectNames);

export interface TargetOptions {
  readonly target: string;
  readonly config?: string;
  readonly dialect?: (typeof dialectNames)[number];
}
