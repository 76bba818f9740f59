/** What instances in this process live in: its time, its connections, its files. */
import { type Clock, hostClock } from '../../protocol/clock.js';
import type { ConnectionNumbers } from '../../protocol/session.js';
import type { MigrationNetwork } from '../../reference/migration/network.js';
import type { RamMemory } from '../../reference/ram/ram-memory.js';
import type { StartOptions } from '../target.js';
import type { Carrier, PipeEnd } from './pipe.js';

export interface World {
  readonly clock: Clock;
  /** Carries the connections to monitors. */
  readonly carrier: Carrier;
  /** Makes the folder of an instance, or only its name where nothing is ever stored. */
  readonly scratch: () => { readonly path: string; remove(): void };
  /** Carries migrations; absent: the host's sockets. */
  readonly network?: MigrationNetwork;
  /** Microseconds since the Unix epoch, for events; absent: the host's wall clock. */
  readonly wallClock?: () => bigint;
  /** Contents of an image file; absent: read from disk. */
  readonly readImage?: (file: string) => Buffer;
  /** Bytes of guest RAM for a start that asks for so many MiB, or does not say; absent: what it asks for, or 64 MiB. */
  readonly memory?: (asked: number | undefined) => number;
  /** Memory for so many bytes of guest RAM, zero-filled; absent: new memory for each instance. */
  readonly ramMemory?: (total: number) => RamMemory | undefined;
  readonly numbers?: ConnectionNumbers;
  /** What a client gets for its end of a connection, with something in between; absent: the end itself. */
  readonly between?: (monitor: PipeEnd, options: StartOptions) => PipeEnd;
}

/** The host's event loop carries what is sent: in the order of sending, after what is ready now. */
export const hostCarrier: Carrier = () => (arrival) => hostClock.soon(arrival);
