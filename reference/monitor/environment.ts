/** What a {@link Program} needs of the world outside: a process has the host's, a simulation its own. */
import { readFileSync } from 'node:fs';
import { type Clock, hostClock } from '../../protocol/clock.js';
import type { MigrationNetwork } from '../migration/network.js';
import type { RamMemory } from '../ram/ram-memory.js';
import type { Address } from './address.js';
import { type Endpoint, openEndpoint } from './endpoint.js';
import type { Channel } from './session.js';
import { logLine } from './standard-error.js';

export interface Environment {
  readonly clock: Clock;
  /** Microseconds since the Unix epoch, for the timestamps of events; absent: the host's wall clock. */
  readonly wallClock?: () => bigint;
  /** Carries migrations; absent: the host's sockets, children and descriptors. */
  readonly network?: MigrationNetwork;
  /** @throws UsageError if the address cannot be opened. */
  openEndpoint(
    address: Address,
    option: string,
    allowRemote: boolean,
    attach: (channel: Channel) => void,
  ): Promise<Endpoint>;
  /** Contents of a RAM image (`-device loader`). @throws the error of the file system */
  readImage(file: string): Buffer;
  /** Memory for so many bytes of guest RAM, zero-filled; absent: new memory. */
  readonly ramMemory?: (total: number) => RamMemory | undefined;
  /** One line of standard error, without the program's name. */
  log(line: string, timestamps: boolean): void;
  /** The process must not end by itself until the result is called. */
  keepAlive(): () => void;
}

/** This process. */
export const hostEnvironment: Environment = {
  clock: hostClock,
  openEndpoint,
  readImage: (file) => readFileSync(file),
  log: logLine,
  keepAlive: () => {
    // Without it a process whose standard input has ended would end, too (QMP-TRANS-13).
    const alive = setInterval(() => {}, 2 ** 30);
    return () => clearInterval(alive);
  },
};
