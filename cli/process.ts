/** Hands the command line to the command that it names, and ends the process when all has been written. */
import { exitCodes } from '../oracle/exit-codes.js';
import { whyUnwritable } from '../targets/file-errors.js';
import { processIo } from './io.js';
import { main } from './program.js';

/** @param args the command line without the program's own name */
export async function runProgram(args: readonly string[]): Promise<never> {
  let fault: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader may go away; what nobody keeps though it was to be kept is told.
    if (error.code !== 'EPIPE') fault ??= error;
  });
  const exitCode = await main(args, processIo());
  // A pipe may still hold what was written; and nothing that is left open may keep a finished program alive.
  await Promise.all([process.stdout, process.stderr].map(flushed));
  if (fault !== undefined) {
    process.stderr.write(`qmpspec: standard output cannot be written: ${whyUnwritable(fault)}\n`);
    if (exitCode === 0) process.exit(exitCodes.storage);
  }
  process.exit(exitCode === 0 ? (process.exitCode ?? 0) : exitCode);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}
