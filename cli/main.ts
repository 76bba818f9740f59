#!/usr/bin/env node
/** Entry point: hands the command line to the command that it names, and ends the process when all has been written. */
import { processIo } from './io.js';

const io = processIo();
const { main } = await import('./program.js');
const exitCode = await main(process.argv.slice(2), io);
// A pipe may still hold what was written; and nothing that is left open may keep a finished program alive.
await Promise.all([process.stdout, process.stderr].map(flushed));
process.exit(exitCode === 0 ? (process.exitCode ?? 0) : exitCode);

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}
