/** Runs the reference monitor from its command line to the end of the process. */
import { rmSync } from 'node:fs';
import { dialects } from '../dialects/dialect.js';
import type { Planted } from '../faults/index.js';
import { initialSettings } from '../migration/command-line.js';
import { CommandError } from '../migration/host.js';
import { type Options, parseOptions } from './options.js';
import { type Parts, Program, packageName } from './program.js';
import { logLine } from './standard-error.js';
import { UsageError } from './usage-error.js';

async function load(): Promise<Parts> {
  const [{ loadSchema }, { createMigration }] = await Promise.all([
    import('../schema/index.js'),
    import('../migration/index.js'),
  ]);
  return { schema: ({ name }) => loadSchema(name), createEngine: createMigration };
}

/** The faults of the command line, loaded only when there are any. @throws UsageError */
async function plantFaults({ faults, variations }: Options): Promise<Planted | undefined> {
  if (faults.size === 0 && variations.size === 0) return undefined;
  const { plant, UnknownFault } = await import('../faults/index.js');
  try {
    return plant(faults, variations);
  } catch (error) {
    if (error instanceof UnknownFault)
      throw new UsageError(`-${error.kind === 'fault' ? 'fault' : 'vary'}: ${error.message}`);
    throw error;
  }
}

function show(options: Options): void {
  const { major, minor, micro } = dialects[options.dialect].version;
  process.stdout.write(`QEMU emulator version ${major}.${minor}.${micro} (${packageName})\n`);
  if (options.show === 'help') process.stdout.write(help);
}

const help = `
Usage: monitor [option]...

Takes the options of 'qemu-system-x86_64 -M none' that matter for monitors and migration:
  -qmp ADDR, -qmp-pretty ADDR     a monitor at unix:PATH,server,nowait or tcp:HOST:PORT,... or stdio
  -chardev ... -mon chardev=ID,mode=control[,pretty=on][,x-oob=on]
  -incoming URI|defer             wait for a migration
  -m SIZE  -S  -name NAME  -uuid UUID  -pidfile FILE  --preconfig
  -device loader,file=FILE,addr=ADDR,force-raw=on
  -drive id=NAME,if=none,file=FILE,format=raw
  -blockdev driver=file|null-co,node-name=NAME[,filename=FILE][,size=SIZE]
  -global migration.PROPERTY=VALUE  -compat deprecated-input=accept|reject

Its own:
  --dialect 3.0|7.2|10.0          whose behaviour to show (3.0)
  --guest rate=N,pages=N,from=ADDR,pattern=counter|scatter|noise|zero
                                  write to N pages a second, as a guest's programs do
  --any-machine                   take whatever machine a stream is of, and hand it on
  --fault NAME                    plant a fault; may be repeated ('qmpspec faults' lists them)
  --vary NAME                     differ from QEMU as a monitor may ('qmpspec faults --benign' lists how)
  --allow-remote                  listen beyond this host
  --allow-exec                    permit exec: in migration URIs
`;

/**
 * Runs a monitor with these arguments; resolves once it serves its clients, and ends the process when it is told to quit.
 * Errors of the command line end the process with status 1 and one line on standard error.
 */
export async function runMonitor(argv: string[]): Promise<void> {
  let program: Program | undefined;
  let context = '';
  try {
    const options = parseOptions(argv);
    if (options.show) {
      show(options);
      return;
    }
    const { pidfile, incoming } = options;
    // Before any monitor says a word; what the values mean together is seen when they are set.
    initialSettings(options.migrationProperties, dialects[options.dialect].migration);
    const leave = (status: number) => {
      if (pidfile !== undefined) rmSync(pidfile, { force: true });
      process.exit(status);
    };
    program = new Program(options, leave, await plantFaults(options));
    if (incoming !== undefined) context = `-incoming ${incoming}: `;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => program?.terminate());
    await program.start(load);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof CommandError)) throw error;
    logLine(error instanceof CommandError ? context + error.message : error.message);
    if (program) program.machine.exit(1);
    else process.exitCode = 1;
  }
}
