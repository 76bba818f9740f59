/** Hands the command line to the command that it names, and ends the process when all has been written. */
import { processIo } from './io.js';
import { main } from './program.js';

/** @param args the command line without the program's own name */
export async function runProgram(args: readonly string[]): Promise<never> {
  const exitCode = await main(args, processIo());
  // A pipe may still hold what was written; and nothing that is left open may keep a finished program alive.
  await Promise.all([process.stdout, process.stderr].map(flushed));
  process.exit(exitCode === 0 ? (process.exitCode ?? 0) : exitCode);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}
