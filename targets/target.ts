/**
 * How a monitor is started or reached. A {@link Target} starts {@link Instance}s; an Instance gives sessions, its exit status
 * and its standard error. Everything above this folder sees only these two.
 */
import type { Starved } from '../protocol/fair-time.js';
import type { Session } from '../protocol/session.js';
import type { Transcript } from '../protocol/transcript.js';

export interface MonitorOptions {
  readonly transport: 'unix' | 'tcp' | 'stdio';
  /** Multi-line output (QMP-TRANS-12). */
  readonly pretty?: boolean;
  /** Offer out-of-band execution where that is an option of the monitor (QMP-GREET-05). */
  readonly oob?: boolean;
}

/**
 * MiB of guest RAM: as little as a machine takes without complaint. What it costs to migrate is mostly looking at its pages,
 * at both ends, and few requirements are about these.
 */
export const usualMemory = 16;

/** What a requirement may ask of a new instance. Absent members mean the plainest machine: `-M none`, running. */
export interface StartOptions {
  /** `defer`, or the URI to wait on. */
  readonly incoming?: string;
  /** Start with the guest stopped (`-S`). */
  readonly paused?: boolean;
  /** Guest RAM in MiB; {@link usualMemory} when absent. */
  readonly memory?: number;
  /** File whose bytes are put into guest RAM from address 0. */
  readonly ramImage?: string;
  /** Guest name (`-name`). */
  readonly name?: string;
  /** Monitors in the order of the command line. Default: one on a unix socket. */
  readonly monitors?: readonly MonitorOptions[];
  /** `extra` holds the process up until a client has connected to a socket of its own: it answers nobody before. */
  readonly held?: true;
  /** Further QEMU-style arguments. */
  readonly extra?: readonly string[];
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export const describeExit = (status: ExitStatus): string =>
  status.signal === null ? `exit status ${status.code}` : `killed by ${status.signal}`;

/** What may be behind an end that the process itself thinks is in order; empty where it does not. */
export const hintOfEnd = ({ code }: ExitStatus): string =>
  code === 0
    ? '; it must stay in the foreground (no -daemonize, no & in a script), and a guest of its own must not end it (-no-shutdown, -action panic=none)'
    : '';

export interface Instance {
  /** Folder of this instance; all sockets and files of a run with it lie inside. */
  readonly scratch: string;
  readonly options: StartOptions;
  /** Process id; absent for an instance that we did not start. */
  readonly pid?: number;
  /** The words that started the process; absent for an instance that we did not start so. */
  readonly commandLine?: readonly string[];
  /** How the process ended; `undefined` while it lives, and for ever when we did not start it. */
  readonly exit: ExitStatus | undefined;
  /** What the process wrote to standard error so far (its last 256 KiB). */
  readonly stderr: string;
  /** Number of monitors. */
  readonly monitors: number;
  /** Sends standard error and process exits to `transcript` from now on, under this name. */
  record(transcript: Transcript, endpoint: string): void;
  /**
   * Connects to a monitor (default the first). The session's endpoint is the recorded name, with `#2` … for further monitors.
   * @throws ConnectError
   */
  connect(options?: { monitor?: number; deadline?: number }): Promise<Session>;
  /**
   * Holds a session with the first monitor open until the next {@link connect} to that, or {@link resume}. Where absent, nothing
   * can be held.
   */
  keep?(session: Session): void;
  /** A session that goes on with the one that was kept, as if it had just negotiated; `undefined` where there is none. */
  resume?(): Session | undefined;
  /** Closes what is held open, for somebody who connects to the monitor's address by himself: it serves one client at a time. */
  letGo?(): void;
  /** Milliseconds that its processes, and we, could have run and had no processor; absent where nobody says so. */
  readonly starved?: Starved | undefined;
  /** Waits for the process to end. @throws DeadlinePassed */
  exited(deadline: number): Promise<ExitStatus>;
  /** Sends a signal to the process. */
  kill(signal?: NodeJS.Signals): void;
  /** Ends the process if we started it, and removes its scratch folder. Never throws, never hangs. */
  dispose(): Promise<void>;
}

/** Abilities of a target that requirements may need; each answers why not in words when asked through {@link Target.lacks}. */
export type Ability =
  /** New instances can be started. */
  | 'start'
  /** … waiting for a migration (`-incoming`). */
  | 'incoming'
  /** … with several monitors, over tcp and stdio, pretty-printed, with arguments of our choice. */
  | 'arguments'
  /** Its address can take several connections one after the other. */
  | 'reconnect'
  /** The process may be made to exit. */
  | 'exit'
  /** It may be told to connect to sockets of ours on this machine. */
  | 'local'
  /** Nothing stands between this tool and the monitor that might keep descriptors to itself. */
  | 'direct';

export interface Target {
  /** As the user named it. */
  readonly name: string;
  /** The command line or address, for reports. */
  readonly description: string;
  /** Why it has not this ability; `undefined` when it has. */
  lacks(ability: Ability): string | undefined;
  /** @throws TargetError when no instance could be brought to answer, NotOffered when it has no such options. */
  start(options?: StartOptions): Promise<Instance>;
  /** What stood out in starting it so far, in one line for the reader of a report; `undefined` when nothing did. */
  readonly remark?: string | undefined;
  /** Ends every instance that is still there. */
  close(): Promise<void>;
}

/** A start was asked for in a way that this kind of target does not have; the message says why. */
export class NotOffered extends Error {
  override readonly name: string = 'NotOffered';
}

/** The program itself would not start with the arguments that were asked for; the message says what it said. */
export class RefusedStart extends NotOffered {
  override readonly name = 'RefusedStart';
}

/** The target could not be run: exit code 3. The message is one line: what failed, and what to do. */
export class TargetError extends Error {
  override readonly name: string = 'TargetError';
}
