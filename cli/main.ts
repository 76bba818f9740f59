#!/usr/bin/env node
/** Entry point: hands the command line to the command that it names, and ends the process when all has been written. */
const args = process.argv.slice(2);
if (args[0] === 'monitor') await monitor(args.slice(1));
else await command();

/** The reference monitor is started hundreds of times in a run: nothing but itself is loaded. It ends the process itself. */
async function monitor(rest: string[]): Promise<void> {
  const { runMonitor } = await import('../reference/monitor/main.js');
  await runMonitor(rest);
}

async function command(): Promise<void> {
  const [{ processIo }, { main }] = await Promise.all([import('./io.js'), import('./program.js')]);
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
