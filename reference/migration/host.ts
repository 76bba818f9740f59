/**
 * What the migration engines and commands need of the machine around them. The reference monitor implements it on a real
 * clock and real sockets; a simulation implements it on a virtual one.
 */

import type { Clock } from '../../protocol/clock.js';
import { StacklessError } from '../../protocol/stackless-error.js';
import type { Drives } from '../block/drives.js';
import type { Dialect } from '../dialects/dialect.js';
import type { Alternative, ModelState } from '../model/index.js';
import type { GuestRam } from '../ram/guest-ram.js';
import type { AdoptedMachine } from './adopted-machine.js';
import type { MigrationNetwork } from './network.js';
import type { WireFaults } from './wire-faults.js';

export type { Clock } from '../../protocol/clock.js';

/** Error classes of the protocol (QMP-ERR-01). */
export type ErrorClass = 'GenericError' | 'CommandNotFound' | 'DeviceNotActive' | 'DeviceNotFound' | 'KVMMissingCap';

/** Thrown by a command handler: becomes the error reply of the command, and nothing else. */
export class CommandError extends StacklessError {
  override readonly name = 'CommandError';
  constructor(
    readonly desc: string,
    readonly errorClass: ErrorClass = 'GenericError',
  ) {
    super(desc);
  }
}

/** Run states of qmp-protocol.md §15. */
export type RunState =
  | 'debug'
  | 'inmigrate'
  | 'internal-error'
  | 'io-error'
  | 'paused'
  | 'postmigrate'
  | 'prelaunch'
  | 'finish-migrate'
  | 'restore-vm'
  | 'running'
  | 'save-vm'
  | 'shutdown'
  | 'suspended'
  | 'watchdog'
  | 'guest-panicked'
  | 'colo'
  | 'preconfig';

export interface MigrationHost {
  readonly dialect: Dialect;
  readonly clock: Clock;
  /** Carries the migration connections; absent: the host's sockets, children and descriptors. */
  readonly network?: MigrationNetwork;
  readonly ram: GuestRam;
  /** Machine type as it is written into the stream, for example `none`. */
  readonly machineName: string;

  /** Present run state. */
  readonly runState: RunState;
  /** Changes the run state silently (no event). A transition that §15 does not list throws. */
  setRunState(state: RunState): void;
  /** Stops a running guest (event STOP) and enters `state`; a stopped guest only changes its run state, silently. */
  stopGuest(state: RunState): void;
  /** Starts the guest: run state `running`, event RESUME if it was not running. */
  startGuest(): void;
  /** True unless `-S`; while in `inmigrate` QMP `stop` and `cont` clear and set it (MIG-SM-I08). */
  autostart: boolean;
  /** Milliseconds that the guest has run, here and before it came here; absent on a machine without a clock. */
  guestTime?: number;

  /** Raises an event on every negotiated monitor. `data` absent means an event without data. */
  emit(event: string, data?: Record<string, unknown>): void;
  /** One line for standard error, without the program's name. */
  log(line: string): void;
  /** Ends the process with this status after everything written to the monitors has been flushed (MIG-SM-I20). */
  exit(status: number): void;
  /** `exec:` addresses may be used; default false: they are refused with an error that says so. */
  readonly allowExec?: boolean;
  /** Listeners other than unix sockets and loopback addresses may be opened; default false. */
  readonly allowRemote?: boolean;
  /**
   * Slows the guest's processors down by this many percent (auto-converge), 0 for full speed; absent on a machine
   * without a guest that could be slowed.
   */
  throttleGuest?(percent: number): void;
  /** What planted faults make of a step before it is acted out (`reference/faults/`); absent on an honest machine. */
  distort?(step: Alternative, before: ModelState): Alternative;
  /** UUID of the machine, 16 bytes in text order; absent if it was given none. */
  readonly uuid?: Buffer;
  /** Takes the machine that comes with a stream, whatever it is; absent: only {@link machineName} is taken. */
  readonly adopted?: AdoptedMachine;
  /** Disks; none if absent. */
  readonly drives?: Drives;
  /** A property of the migration (`-global migration.NAME=on`), for example `send-section-footer`; `usual` is its default, on if absent. */
  property?(name: string, usual?: boolean): boolean;
  /** All that the command line says of the migration's properties, capabilities and parameters among them. */
  readonly properties?: ReadonlyMap<string, string>;
  /** What planted faults change about the data path; absent on an honest machine. */
  readonly wire?: WireFaults;
}

/** Who sent a command: descriptors given by `getfd` belong to one monitor (QMP-FD-09). */
export interface CommandContext {
  readonly monitorId: number;
  readonly oob: boolean;
  /** Takes the descriptor out of the monitor's table; `undefined` when there is none of that name (QMP-FD-11). */
  takeFd(name: string): number | undefined;
}

/**
 * A handler gets arguments that have already passed the schema's checks, integers as bigint. What it returns is the
 * `return` value (`undefined` means `{}`); a promise holds back the reply, and with it every later in-band command.
 */
export type CommandHandler = (args: Readonly<Record<string, unknown>>, context: CommandContext) => unknown;

export type CommandTable = ReadonlyMap<string, CommandHandler>;
