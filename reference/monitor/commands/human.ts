/** `human-monitor-command`: a handful of the human monitor's commands (QMP-BASE-11..13). */
import { type CommandContext, CommandError, type CommandTable } from '../../migration/host.js';
import type { Machine } from '../machine.js';
import type { CommandRegistry } from '../registry.js';
import { cont, stop, wakeUp } from './run-control.js';

export interface HumanMonitor {
  readonly machine: Machine;
  /** `MAJOR.MINOR.MICRO` followed by the package. */
  readonly version: string;
  readonly guestName: string | undefined;
  readonly registry: () => CommandRegistry;
}

type Run = (context: CommandContext) => unknown;

interface HumanCommand {
  /** All its names, as its error texts show them. */
  readonly names: string;
  /** What it prints, lines ended by LF; nothing for no output. */
  readonly run: Run;
  /** The rest of the line is its own to read. */
  readonly takesArguments?: true;
}

/** A command line as the human monitor reads it; whatever fails is told in the result. */
async function execute(human: HumanMonitor, line: string, context: CommandContext): Promise<string> {
  const words = line.trim().split(/\s+/);
  const [first = '', second] = words;
  if (first === '') return '';
  const isInfo = first === 'info';
  const name = isInfo ? second : first;
  const table = isInfo ? infoCommands(human) : plainCommands(human, line);
  const command = table.find(({ names }) => names.split('|').includes(name ?? ''));
  if (isInfo && name === undefined) return table.map(({ names }) => `info ${names}\n`).join('');
  if (!command) return `unknown command: '${isInfo ? `info ${name}` : name}'\n`;
  if (command.takesArguments !== true && words.length > (isInfo ? 2 : 1)) {
    return `${command.names}: extraneous characters at the end of line\nTry "help ${isInfo ? 'info ' : ''}${name}" for more information\n`;
  }
  try {
    const output = await command.run(context);
    return typeof output === 'string' ? output : '';
  } catch (error) {
    if (error instanceof CommandError) return `Error: ${error.desc}\n`;
    throw error;
  }
}

/** `qemu-io NAME "write OFFSET LENGTH"`, of which a drive's bitmaps can be tried. */
function writeDrive(machine: Machine, line: string): string {
  const words = /^\s*qemu-io\s+(\S+)\s+"write\s+(\d+)([kKmM]?)\s+(\d+)([kKmM]?)"\s*$/.exec(line);
  if (words === null) return 'qemu-io: only "write OFFSET LENGTH" is known here\n';
  const [, name = '', offset, offsetUnit, length, lengthUnit] = words;
  const drive = machine.drives?.find(name);
  if (drive === undefined) throw new CommandError(machine.dialect.protocol.noSuchNode(name));
  const bytes = (digits: string | undefined, unit: string | undefined) =>
    Number(digits) * ({ k: 1024, m: 1024 * 1024 }[unit?.toLowerCase() ?? ''] ?? 1);
  const [from, count] = [bytes(offset, offsetUnit), bytes(length, lengthUnit)];
  if (from + count > drive.size) return 'write failed: Input/output error\n';
  drive.write(from, Buffer.alloc(count, 0xcd));
  return `wrote ${count}/${count} bytes at offset ${from}\n`;
}

/** One line a bitmap: its drive, name, granularity and marked bytes. */
function listBitmaps({ drives }: Machine): string {
  return (drives?.all ?? [])
    .flatMap(({ name, bitmaps }) =>
      [...bitmaps.values()].map((bitmap) => `${name} ${bitmap.name} ${bitmap.granularity} ${bitmap.count}\n`),
    )
    .join('');
}

function plainCommands({ machine, registry }: HumanMonitor, line: string): readonly HumanCommand[] {
  return [
    { names: 'stop|s', run: () => stop(machine) },
    { names: 'cont|c', run: () => cont(machine) },
    { names: 'qemu-io', run: () => writeDrive(machine, line), takesArguments: true },
    { names: 'quit|q', run: () => machine.requestShutdown('host-qmp-quit') },
    { names: 'system_reset', run: () => machine.requestReset() },
    { names: 'system_powerdown', run: () => machine.requestPowerdown() },
    { names: 'system_wakeup', run: () => wakeUp(machine) },
    { names: 'migrate_cancel', run: (context) => registry().find('migrate_cancel')?.handler({}, context) },
  ];
}

function infoCommands({ machine, version, guestName, registry }: HumanMonitor): readonly HumanCommand[] {
  const query = (name: string, context: CommandContext) => registry().find(name)?.handler({}, context);
  return [
    {
      names: 'status',
      run: () => {
        const state = machine.runState;
        if (state === 'running') return 'VM status: running\n';
        return `VM status: paused${state === 'paused' ? '' : ` (${state})`}\n`;
      },
    },
    { names: 'version', run: () => `${version}\n` },
    { names: 'name', run: () => (guestName === undefined ? '' : `${guestName}\n`) },
    { names: 'dirty-bitmaps', run: () => listBitmaps(machine) },
    {
      names: 'migrate',
      run: async (context) => {
        const info = (await query('query-migrate', context)) as { readonly status?: string } | undefined;
        return info?.status === undefined ? '' : `Migration status: ${info.status}\n`;
      },
    },
    {
      names: 'migrate_capabilities',
      run: async (context) => {
        const list = (await query('query-migrate-capabilities', context)) as
          | readonly { readonly capability: string; readonly state: boolean }[]
          | undefined;
        return (list ?? []).map(({ capability, state }) => `${capability}: ${state ? 'on' : 'off'}\n`).join('');
      },
    },
  ];
}

export function humanCommands(human: HumanMonitor): CommandTable {
  return new Map([
    [
      'human-monitor-command',
      async (args: Readonly<Record<string, unknown>>, context: CommandContext) => {
        // The machine has no CPU to choose.
        if (args['cpu-index'] !== undefined) throw new CommandError("Parameter 'cpu-index' expects a CPU number");
        const output = await execute(human, args['command-line'] as string, context);
        return output.replaceAll('\n', '\r\n');
      },
    ],
  ]);
}
