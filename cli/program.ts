/** The commands by name. Each is loaded only when it is called: starting must be quick. */
import { Command, CommanderError } from 'commander';
import { exitCodes, exitMeanings } from '../oracle/exit-codes.js';
import { explainFailure } from './failures.js';
import type { Io } from './io.js';
import { version } from './version.js';

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: (io: Io) => Promise<Command>;
}

const entries: readonly Entry[] = [
  {
    name: 'run',
    summary: 'check a target against the requirements',
    load: async (io) => (await import('./run.js')).runCommand(io),
  },
  { name: 'list', summary: 'list the requirements', load: async (io) => (await import('./list.js')).listCommand(io) },
  {
    name: 'show',
    summary: 'show one requirement, and what goes over the wire',
    load: async (io) => (await import('./show.js')).showCommand(io),
  },
  {
    name: 'fuzz',
    summary: 'hunt for the sequences with which a target does what it must not',
    load: async (io) => (await import('./fuzz.js')).fuzzCommand(io),
  },
  {
    name: 'replay',
    summary: 'run a case that a campaign found once more',
    load: async (io) => (await import('./replay.js')).replayCommand(io),
  },
  {
    name: 'report',
    summary: 'render a recorded run again',
    load: async (io) => (await import('./report.js')).reportCommand(io),
  },
  {
    name: 'monitor',
    summary: 'run the reference monitor (takes the options of qemu-system-x86_64 -M none)',
    load: async () => (await import('./monitor.js')).monitorCommand(),
  },
  {
    name: 'faults',
    summary: 'list the faults that can be planted in the reference monitor',
    load: async (io) => (await import('./faults.js')).faultsCommand(io),
  },
  {
    name: 'schema',
    summary: 'show and compare the definitions of commands, events and types',
    load: async (io) => {
      const [{ schemaCommand }, { introspect }] = await Promise.all([import('./schema.js'), import('./introspect.js')]);
      return schemaCommand(introspect, io.out.write);
    },
  },
  {
    name: 'model',
    summary: 'show or check the migration state machine that verdicts are judged by',
    load: async () => (await import('./model.js')).modelCommand(),
  },
  {
    name: 'stream',
    summary: 'dump, check, extract and make recorded migration streams',
    load: async (io) => (await import('./stream.js')).streamCommand(io),
  },
  {
    name: 'judge',
    summary: 'judge a recorded transcript with the present model',
    load: async (io) => (await import('./judge.js')).judgeCommand(io),
  },
  {
    name: 'proxy',
    summary: 'pass every byte between a client and a monitor, and judge what passes',
    load: async (io) => (await import('./proxy.js')).proxyCommand(io),
  },
  {
    name: 'diff',
    summary: 'run one scenario on two targets, side by side',
    load: async (io) => (await import('./diff.js')).diffCommand(io),
  },
];

/** Runs a command line (without the program's own name). Resolves with the exit code; never rejects. */
export async function main(args: readonly string[], io: Io, env: NodeJS.ProcessEnv = process.env): Promise<number> {
  try {
    const program = await build(args, io);
    if (args.length === 0) {
      io.err.write(program.helpInformation());
      return exitCodes.usage;
    }
    await program.parseAsync(args, { from: 'user' });
    return io.exitCode;
  } catch (error) {
    // commander has said what there was to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.conforms : exitCodes.usage;
    const { exitCode, message } = explainFailure(error, env.QMPSPEC_DEBUG === '1');
    io.err.write(`qmpspec: ${message}\n`);
    return exitCode;
  }
}

async function build(args: readonly string[], io: Io): Promise<Command> {
  const program = new Command('qmpspec')
    .description('Conformance tests and a fuzzer for QMP migration, with a reference monitor.')
    .version(version(), '-V, --version')
    .addHelpText('after', epilogue());
  program
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({
      writeOut: io.out.write,
      writeErr: io.err.write,
      getOutHelpWidth: () => (io.out.isTTY ? io.out.columns() : 100),
      getErrHelpWidth: () => (io.err.isTTY ? io.err.columns() : 100),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(`qmpspec: ${inOneLine(text)}\n`),
    });
  const wanted = args.find((word) => !word.startsWith('-'));
  for (const { name, summary, load } of entries) {
    const loaded = name === wanted || (wanted === 'help' && args.includes(name));
    const command = loaded ? await load(io) : new Command(name).description(summary);
    inherit(command, program);
    program.addCommand(command);
  }
  return program;
}

function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const below of command.commands) inherit(below, command);
}

/** commander's message with its hint, in one line. */
function inOneLine(text: string): string {
  return text
    .trim()
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (?:one of )?(.*)\?\)/, "; did you mean '$1'?")
    .replaceAll('\n', ' ');
}

function epilogue(): string {
  const codes = Object.entries(exitCodes).map(
    ([name, code]) => `  ${String(code).padStart(3)}  ${exitMeanings[name as keyof typeof exitCodes]}`,
  );
  return `
Examples:
  qmpspec run                        the bundled reference monitor against all requirements
  qmpspec run --target qemu          QEMU from PATH
  qmpspec list 'QMP-NEG-*'           what there is to check
  qmpspec show QMP-NEG-01            one requirement, and what goes over the wire
  qmpspec report run.ndjson -r junit=run.xml

Exit codes:
${codes.join('\n')}`;
}
