/** Commands on devices, of which this machine has none, and on guest memory. */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { DriveError } from '../../block/drives.js';
import { reasonOf } from '../../migration/errno.js';
import { CommandError, type CommandTable } from '../../migration/host.js';
import { streamMagic } from '../../stream/format.js';
import type { Machine } from '../machine.js';

/** `pmemsave`: guest physical memory into a file; what is no RAM reads as zeros. */
function saveMemory(machine: Machine, address: bigint, size: bigint, filename: string): void {
  let fd: number;
  try {
    fd = openSync(filename, 'w');
  } catch (error) {
    throw new CommandError(`Could not open '${filename}': ${reasonOf(error)}`);
  }
  try {
    for (const { base, bytes } of machine.ram.blocks) {
      const first = BigInt(base) > address ? BigInt(base) : address;
      const blockEnd = BigInt(base + bytes.length);
      const end = address + size < blockEnd ? address + size : blockEnd;
      if (first >= end) continue;
      const part = bytes.subarray(Number(first) - base, Number(end) - base);
      writeSync(fd, part, 0, part.length, Number(first - address));
    }
    ftruncateSync(fd, Number(size));
  } catch {
    throw new CommandError('An IO error has occurred');
  } finally {
    closeSync(fd);
  }
}

/** `xen-load-devices-state`: this machine has no device that would take anything from the file, but the file must be one. */
function loadDevices(filename: string): void {
  let head: Buffer;
  try {
    head = readFileSync(filename);
  } catch (error) {
    throw new CommandError(`Could not open '${filename}': ${reasonOf(error)}`);
  }
  if (head.length < 8 || head.readUInt32BE(0) !== streamMagic) throw new CommandError('An IO error has occurred');
}

function addBitmap(machine: Machine, args: Readonly<Record<string, unknown>>): void {
  const drive = machine.drives?.find(args.node as string);
  if (drive === undefined) throw new CommandError(machine.dialect.protocol.noSuchNode(args.node as string));
  const granularity = args.granularity === undefined ? undefined : Number(args.granularity);
  try {
    machine.drives?.addBitmap(drive, args.name as string, granularity, {
      persistent: args.persistent === true,
      disabled: args.disabled === true,
    });
  } catch (error) {
    throw error instanceof DriveError ? new CommandError(error.message) : error;
  }
}

const deviceNotFound = (name: string) => new CommandError(`Device '${name}' not found`, 'DeviceNotFound');

export function deviceCommands(machine: Machine): CommandTable {
  return new Map<string, (args: Readonly<Record<string, unknown>>) => unknown>([
    [
      'balloon',
      () => {
        throw new CommandError('No balloon device has been activated', 'DeviceNotActive');
      },
    ],
    [
      'device_del',
      ({ id }) => {
        throw deviceNotFound(id as string);
      },
    ],
    [
      'qom-get',
      ({ path, property }) => {
        if (path !== '/machine' && path !== '/') throw deviceNotFound(path as string);
        const type = path === '/machine' ? 'none-machine' : 'container';
        if (property === 'type') return type;
        throw new CommandError(`Property '${path === '/machine' ? type : ''}.${property as string}' not found`);
      },
    ],
    [
      'dump-guest-memory',
      ({ protocol }) => {
        if (machine.runState === 'inmigrate') throw new CommandError('Dump not allowed during incoming migration.');
        if (!/^(file|fd):/.test(protocol as string)) throw new CommandError(machine.dialect.protocol.dumpProtocolError);
        throw new CommandError('this feature or command is not currently supported');
      },
    ],
    [
      'pmemsave',
      ({ val, size, filename }) =>
        saveMemory(machine, BigInt.asUintN(64, val as bigint), BigInt.asUintN(64, size as bigint), filename as string),
    ],
    ['block-dirty-bitmap-add', (args) => addBitmap(machine, args)],
    // Packets that tell switches where the guest is now; without network devices there is nobody to send them.
    ['announce-self', () => undefined],
    [
      'xen-load-devices-state',
      ({ filename }) => {
        if (machine.runState === 'running') throw new CommandError('Cannot update device state while vm is running');
        loadDevices(filename as string);
      },
    ],
    // The log is kept all the time here: turning it on and off changes nothing that could be seen.
    ['xen-set-global-dirty-log', () => undefined],
    ['query-memory-size-summary', () => ({ 'base-memory': machine.ram.total, 'plugged-memory': 0 })],
  ]);
}
