import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Cell, properties, sourceParameters } from './cells.js';
import { drivesFor } from './drives.js';
import { Machine } from './machine.js';
import type { Parties, PartyName } from './parties.js';
import { imageSum, memoryMiB } from './ram-image.js';
import { type Addresses, connection } from './transports.js';

/** What a mode acts on. */
export interface Attempt {
  readonly source: Machine;
  readonly destination: Machine;
  /** A further connection between the two. */
  connect(): Promise<Addresses>;
  /** Starts a new destination and migrates to it. */
  again(): Promise<void>;
  /** Makes the guest write to some of its pages. */
  dirty(): Promise<void>;
}

export interface Surroundings {
  readonly parties: Parties;
  /** Contents of guest RAM. */
  readonly image: string;
  /** Of this run; every cell has its own folder inside. */
  readonly folder: string;
}

let count = 0;

/** Runs one cell: the migration, the checks of both ends. @throws Error saying what went wrong */
export async function migrate(cell: Cell, { parties, image, folder: root }: Surroundings): Promise<void> {
  const folder = join(root, `cell${++count}`);
  mkdirSync(folder);
  const drives = drivesFor(cell, folder);
  const extra = properties(cell);
  const { mode, versions } = cell;
  const pages = mode.dirtying ? changingPages(cell.source, folder) : undefined;
  const machines: Machine[] = [];
  const start = async (side: 'source' | 'destination', options: object, more: readonly string[]) => {
    const target = parties.target(cell[side], versions[side]);
    const machine = await Machine.start(target, versions[side], {
      memory: memoryMiB,
      ...options,
      extra: [
        ...(cell[side] === 'reference' && mode.machine ? ['--any-machine'] : extra[side]),
        ...(drives?.arguments[side] ?? []),
        ...more,
      ],
    });
    machines.push(machine);
    await machine.capabilities(mode[side](versions[side]));
    await machine.parameters(mode.parameters?.(versions[side]) ?? {});
    return machine;
  };
  try {
    const machineSource = mode.machine !== undefined && cell.source === 'reference';
    const source = machineSource
      ? await received(cell, parties, machines, folder)
      : await start('source', mode.machine ? {} : { ramImage: image }, pages?.arguments ?? []);
    await source.parameters({ ...mode.slow, ...sourceParameters(cell) });
    await drives?.prepare?.(source);
    const attempt: Attempt & { destination: Machine } = {
      source,
      destination: await start('destination', { incoming: 'defer' }, []),
      connect: () => connection(cell.transport, source, attempt.destination, folder),
      again: async () => {
        attempt.destination = await start('destination', { incoming: 'defer' }, []);
        await send();
      },
      dirty: async () => pages?.write(source),
    };
    const send = async () => {
      const addresses = await attempt.connect();
      await attempt.destination.execute('migrate-incoming', { uri: addresses.destination });
      await source.execute('migrate', { uri: addresses.source });
    };
    // A source that was a destination before has completed once already.
    const mark = source.session.mark();
    await send();
    await mode.act?.(attempt);
    await source.until(['completed'], mark);
    await attempt.destination.until(['completed']);
    await check(cell, source, attempt.destination, image);
    await drives?.check(source, attempt.destination);
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error);
    const words = machines.map(({ lastWords }, index) => `${index === 0 ? 'source' : 'destination'}: ${lastWords}`);
    throw new Error([told, ...words].join('; '));
  } finally {
    await Promise.all(machines.map(({ instance }) => instance.dispose()));
  }
}

/** A reference monitor that has got a machine with devices from a QEMU, to hand it on. */
async function received(cell: Cell, parties: Parties, machines: Machine[], folder: string): Promise<Machine> {
  const version = cell.versions.destination;
  const options = { memory: memoryMiB, extra: properties(cell).source };
  const first = await Machine.start(parties.target(cell.destination, version), version, options);
  machines.push(first);
  const second = await Machine.start(parties.target('reference', version), version, {
    memory: memoryMiB,
    incoming: 'defer',
    extra: ['--any-machine'],
  });
  machines.push(second);
  const addresses = await connection('unix', first, second, folder);
  await second.execute('migrate-incoming', { uri: addresses.destination });
  await first.execute('migrate', { uri: addresses.source });
  await second.until(['completed']);
  return second;
}

async function check(cell: Cell, source: Machine, destination: Machine, image: string): Promise<void> {
  const bytes = memoryMiB * 1024 * 1024;
  const sent = cell.mode.releases ? imageSum(image) : await source.memory(bytes, cell.mode.machine !== undefined);
  const loaded = await destination.memory(bytes, cell.mode.machine !== undefined);
  if (sent !== loaded) throw new Error(`RAM differs: ${sent.slice(0, 8)} was sent, ${loaded.slice(0, 8)} is there`);
  if (
    cell.mode.machine !== undefined &&
    destination.isReference &&
    !/took a machine/.test(destination.instance.stderr)
  ) {
    throw new Error('the devices were not explained by the vmdescription');
  }
  const missing = await cell.mode.missing?.(source);
  if (missing !== undefined) throw new Error(missing);
}

interface ChangingPages {
  readonly arguments: readonly string[];
  write(source: Machine): Promise<void>;
}

const pageBytes = 4096;
/** Where the changing pages begin, behind the image. */
const changingFrom = 8 * 1024 * 1024;
const changing = 8;

/**
 * Pages of which a few bytes change. The reference has a guest that does it; the RAM of a QEMU lies in a file that is
 * written to from outside, and images of a few bytes that a reset puts back mark the pages as dirty.
 */
function changingPages(party: PartyName, folder: string): ChangingPages {
  if (party === 'reference') {
    return { arguments: ['--guest', 'rate=20000,pages=64,pattern=counter'], write: async () => undefined };
  }
  const file = join(folder, 'ram');
  const small = join(folder, 'small');
  writeFileSync(small, 'mark');
  const loaders = Array.from({ length: changing }, (_, page) => [
    '-device',
    `loader,file=${small},addr=${changingFrom + page * pageBytes},force-raw=on`,
  ]);
  let value = 0;
  return {
    arguments: [
      '-object',
      `memory-backend-file,id=ram,size=${memoryMiB}M,mem-path=${file},share=on`,
      '-machine',
      'memory-backend=ram',
      ...loaders.flat(),
    ],
    write: async (source) => {
      value++;
      const fd = openSync(file, 'r+');
      for (let page = 0; page < changing; page++) {
        writeSync(fd, Buffer.from([value, page, value ^ page, 255]), 0, 4, changingFrom + page * pageBytes + 1024);
      }
      closeSync(fd);
      await source.execute('system_reset');
    },
  };
}
