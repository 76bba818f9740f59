/** Commands on devices, of which this machine has none, and on guest memory. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { reasonOf } from '../../migration/errno.js';
import { CommandError, type CommandTable } from '../../migration/host.js';
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
    ['query-memory-size-summary', () => ({ 'base-memory': machine.ram.total, 'plugged-memory': 0 })],
  ]);
}
