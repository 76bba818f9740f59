import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { descriptorPassing } from '../protocol/descriptor-passing.js';
import type { JsonObject } from '../protocol/json.js';
import { freePort } from '../targets/free-port.js';
import type { Machine } from './machine.js';

export const transportNames = ['tcp', 'unix', 'exec', 'fd'] as const;
export type TransportName = (typeof transportNames)[number];

/** The addresses of one connection, as each end has to be told. */
export interface Addresses {
  readonly source: string;
  readonly destination: string;
}

let count = 0;

/** Prepares a connection between two machines; a second one for a recovery is a second call. */
export async function connection(
  transport: TransportName,
  source: Machine,
  destination: Machine,
  folder: string,
): Promise<Addresses> {
  const name = join(folder, `m${++count}`);
  switch (transport) {
    case 'tcp': {
      const uri = `tcp:127.0.0.1:${await freePort()}`;
      return { source: uri, destination: uri };
    }
    case 'unix':
      return { source: `unix:${name}`, destination: `unix:${name}` };
    case 'exec':
      return throughPipes(name);
    case 'fd':
      return throughDescriptors(`m${count}`, source, destination);
  }
}

/** Each end has a child of its own; named pipes carry both directions between the children. */
function throughPipes(name: string): Addresses {
  const [there, back] = [`${name}.there`, `${name}.back`];
  execFileSync('mkfifo', ['-m', '600', there, back]);
  return {
    source: `exec:cat ${back} & exec cat > ${there}`,
    destination: `exec:cat ${there} & exec cat > ${back}`,
  };
}

/** Each end is given one end of a pair of sockets, which nobody else keeps. */
async function throughDescriptors(name: string, source: Machine, destination: Machine): Promise<Addresses> {
  const passing = await descriptorPassing();
  if (passing === undefined) throw new Error('descriptors cannot be passed here');
  const [ours, theirs] = passing.socketPair();
  try {
    await source.give('getfd', { fdname: name }, ours);
    if (destination.version !== '3.0') {
      await destination.give('getfd', { fdname: name }, theirs);
      return { source: `fd:${name}`, destination: `fd:${name}` };
    }
    // The baseline's destination knows descriptors by their number in the process only (MIG-CMD-INC-05).
    const { fd } = (await destination.give('add-fd', {}, theirs)) as JsonObject;
    return { source: `fd:${name}`, destination: `fd:${fd}` };
  } finally {
    closeSync(ours);
    closeSync(theirs);
  }
}
