/** What every benchmark has in common as a program. */
import { Command } from 'commander';
import { UsageError } from '../cli/failures.js';
import { exitCodes } from '../oracle/exit-codes.js';
import type { Target } from '../targets/target.js';

/** A command line whose mistakes end with the exit code that the program itself has for them. */
export const program = (name: string): Command =>
  new Command(name).exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitCodes.usage));

/** @throws UsageError for a monitor that runs already, of which there is only the one, and which is left as it was found */
export function mustBeStarted(target: Target): void {
  const why = target.lacks('start');
  if (why !== undefined)
    throw new UsageError(`${target.name} cannot be measured (${why}): give a target that is started`);
}
