import type { MigrationRules } from '../dialects/migration.js';
import type { RunState } from '../migration/host.js';
import type { Unsaid } from './moments.js';

/** The 13 statuses of the baseline, in the order of the schema. */
export const migrationStatuses = [
  'none',
  'setup',
  'cancelling',
  'cancelled',
  'active',
  'postcopy-active',
  'postcopy-paused',
  'postcopy-recover',
  'completed',
  'failed',
  'colo',
  'pre-switchover',
  'device',
] as const;
/** `postcopy-recover-setup` exists in 10.0 only. */
export type MigrationStatus = (typeof migrationStatuses)[number] | 'postcopy-recover-setup';

/**
 * Where inside its status a side is (state-machine.md §1.2). `synced` follows the first dirty sync, `restored` the end of a
 * cancelled switch-over, `stuck` a `migrate` that failed after its status had changed; `last-round` is what follows the final dirty sync of
 * `finishing`; `settling` is the moment between the last event of a migration and the end of its clean-up (MIG-SM-E06).
 */
export type OutgoingPhase =
  | 'idle'
  | 'connecting'
  | 'handshaking'
  | 'streaming'
  | 'synced'
  | 'iterating'
  | 'stopping'
  | 'finishing'
  | 'last-round'
  | 'final-wait'
  | 'colo-waiting'
  | 'colo-running'
  | 'colo-stopped'
  | 'colo-sending'
  | 'colo-lost'
  | 'restored'
  | 'stuck'
  | 'settling';

export interface Outgoing {
  readonly status: MigrationStatus;
  readonly phase: OutgoingPhase;
  readonly postcopyRequested: boolean;
  /** The switch to postcopy has begun: the guest's RAM here is no longer authoritative. */
  readonly inPostcopy: boolean;
  readonly wasRunning: boolean;
  /** Run state before the switch-over began; null before that. */
  readonly former: RunState | null;
  /** Posts of `migrate-continue` not yet consumed; 0 or 1 (more make no difference). */
  readonly continueTokens: number;
  readonly returnPath: 'none' | 'open' | 'bad';
  /** Text for `error-desc`; `*` stands for a text that the environment decides. */
  readonly error: string | null;
  /** `blk` or `inc` switched capability `block` and perhaps `block-incremental` on until this migration ends. */
  readonly borrowedBlock: boolean;
  readonly tls: boolean;
  readonly failoverRequested: boolean;
  /** A connect attempt of a cancelled migration has not ended yet (10.0: the cancel does not wait for it). */
  readonly lingering: boolean;
}

export type IncomingPhase =
  | 'idle'
  | 'starting'
  | 'deferred'
  | 'listening'
  | 'loading'
  | 'recovering'
  | 'checkpoint'
  | 'lost';
/** The incoming postcopy state, by the names of its numbers 0 to 5; `doomed` is running when the channel had ended before. */
const postcopyStates = ['none', 'advise', 'discard', 'listening', 'running', 'end', 'doomed'] as const;

export interface Incoming {
  readonly status: MigrationStatus;
  readonly phase: IncomingPhase;
  /** How the process was started. */
  readonly origin: 'none' | 'defer' | 'uri';
  readonly started: boolean;
  readonly pc: (typeof postcopyStates)[number];
  readonly recoverTriggered: boolean;
  readonly failoverRequested: boolean;
  readonly exitOnError: boolean;
}

export interface Vm {
  readonly runState: RunState;
  readonly autostart: boolean;
}

/** Integers as decimal text, so that a state stays JSON; lists as they came. */
export type ParameterValue = string | boolean | readonly unknown[];

/** One process. Immutable and JSON-serialisable. */
export interface ModelState {
  readonly out: Outgoing;
  readonly in: Incoming;
  readonly vm: Vm;
  /** Capabilities that are on, in the dialect's order. */
  readonly capabilities: readonly string[];
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** A reply `{}` whose command has already had its effect. */
  readonly replyOwed: boolean;
  /** `S` of a command that has already stopped the guest. */
  readonly stopOwed: boolean;
  /** What a step that has begun has still to say, see {@link Unsaid}. */
  readonly unsaid: readonly Unsaid[];
  /** Exit status of a process that is about to end: it still says what is unsaid, and other threads go on. */
  readonly exits: number | null;
  /** Exit status once the process has ended. */
  readonly exit: number | null;
}

export const idleOutgoing: Outgoing = {
  status: 'none',
  phase: 'idle',
  postcopyRequested: false,
  inPostcopy: false,
  wasRunning: false,
  former: null,
  continueTokens: 0,
  returnPath: 'none',
  error: null,
  borrowedBlock: false,
  tls: false,
  failoverRequested: false,
  lingering: false,
};

export interface StartOptions {
  /** `-incoming`; default: none. */
  readonly incoming?: 'none' | 'defer' | 'uri';
  /** Started with `-S`. */
  readonly paused?: boolean;
  readonly capabilities?: readonly string[];
}

/** State of a process that has just started (rows I01 to I03: an `-incoming URI` has still to listen). */
export function initialState(rules: MigrationRules, options: StartOptions = {}): ModelState {
  const origin = options.incoming ?? 'none';
  const paused = options.paused ?? false;
  const phases = { none: 'idle', defer: 'deferred', uri: 'starting' } as const;
  const parameters: Record<string, ParameterValue> = {};
  for (const { name, initial } of rules.parameters) if (initial !== undefined) parameters[name] = initial;
  return {
    out: idleOutgoing,
    in: {
      status: 'none',
      phase: phases[origin],
      origin,
      started: false,
      pc: 'none',
      recoverTriggered: false,
      failoverRequested: false,
      exitOnError: true,
    },
    vm: { runState: origin !== 'none' ? 'inmigrate' : paused ? 'prelaunch' : 'running', autostart: !paused },
    capabilities: rules.capabilities.filter((name) => options.capabilities?.includes(name) ?? false),
    parameters,
    replyOwed: false,
    stopOwed: false,
    unsaid: [],
    exits: null,
    exit: null,
  };
}

export const isOn = (state: ModelState, capability: string): boolean => state.capabilities.includes(capability);
/** COLO, and the postponed sending of dirty bitmaps, count as ways to postcopy. */
export const canPostcopy = (state: ModelState): boolean => isOn(state, 'postcopy-ram') || isOn(state, 'dirty-bitmaps');

const running: ReadonlySet<MigrationStatus> = new Set([
  'setup',
  'active',
  'pre-switchover',
  'device',
  'postcopy-active',
  'postcopy-paused',
  'postcopy-recover-setup',
  'postcopy-recover',
]);
/** An outgoing migration is under way, as `migrate-set-capabilities` sees it (MIG-CMD-SCAP-02). */
export const isRunning = (status: MigrationStatus): boolean => running.has(status);
/** As `migrate` sees it (MIG-CMD-MIG-05). */
export const isBusy = (status: MigrationStatus): boolean =>
  running.has(status) || status === 'cancelling' || status === 'colo';
