import type { DialectName } from './dialect.js';

/** A run state change that a dialect permits beyond the baseline's table (qmp-protocol.md §15, §17.4). */
export type Transition = readonly [from: string, to: string];

/** How a dialect differs on the wire below the migration commands (qmp-protocol.md §17). Read, never compared by version. */
export interface ProtocolRules {
  /** `baseline`: §7 of qmp-protocol.md; `strict`: the JSON input rules of §17.2. */
  readonly json: 'baseline' | 'strict';
  /** C format of non-integers; trailing zeros are removed in both (QMP-OUT-05, QMP-D-30). */
  readonly doubles: '%f' | '%.17g';
  /** What is left of too deep a value is read as fresh input (QMP-LIM-02), or skipped up to its end. */
  readonly behindTooDeep: 'fresh' | 'skipped';
  /** Who offers `oob`: monitors created with `x-oob=on` (QMP-GREET-05), or every one (QMP-D-01). */
  readonly oobOffer: 'option' | 'always';
  /** In-band commands that do not fit into the queue of 8: dropped (QMP-OOB-08), or left unread (QMP-D-05). */
  readonly queueFull: 'drop' | 'wait';
  /** Text for an unknown enum value (QMP-ARG-17, QMP-D-40). */
  readonly enumError: (member: string, value: string) => string;
  /** When `system_reset`, `system_powerdown` and `quit` act: after their reply (QMP-EVT-10..12) or before (QMP-D-42). */
  readonly requestsAct: 'after-reply' | 'before-reply';
  /** `SHUTDOWN` and `RESET` carry `reason` (QMP-D-43). */
  readonly reasonInEvents: boolean;
  /** `query-status` has `singlestep` (QMP-BASE-06, QMP-D100-01). */
  readonly singlestep: boolean;
  /** Schema entities may have `features`, enums have `members` (QMP-D-45). */
  readonly schemaFeatures: boolean;
  /** `query-qmp-schema` looks at what it is given; releases before 6.0 take whatever comes with it. */
  readonly schemaArguments: 'ignored' | 'checked';
  /** What `query-events` lists; empty where the command is gone (QMP-BASE-04, QMP-D-45). */
  readonly eventNames: readonly string[];
  /** Error of `system_wakeup` on a guest that is not suspended; absent: no effect (QMP-BASE-14, QMP-D-47). */
  readonly wakeupError?: string;
  /** `--preconfig` shows the run state `preconfig` (QMP-RUN-24); else `prelaunch` with a gate (QMP-D-60). */
  readonly preconfigState: boolean;
  /** `x-exit-preconfig` tells of a RESET before the guest runs (QMP-RUN-25). */
  readonly exitPreconfigResets: boolean;
  /** `pretty` is refused at the start where there is no QMP (QMP-D-09). */
  readonly prettyNeedsQmp: boolean;
  /** Refusal of a command that is not permitted before `x-exit-preconfig`. */
  readonly preconfigError: (command: string) => string;
  /** Refusal of `x-exit-preconfig` after it. */
  readonly exitPreconfigError: string;
  /** Rate-limited events, and the data member that tells instances apart (QMP-EVT-30, QMP-D-48). */
  readonly limitedEvents: Readonly<Record<string, string | null>>;
  /** Run state changes permitted beyond the baseline's. */
  readonly transitions: readonly Transition[];
  /** `system_reset` leaves `finish-migrate` for `prelaunch` or stays there; staying is the intended behaviour (QMP-D-62). */
  readonly resetKeepsFinishMigrate: boolean;
  /** Descriptor sets vanish when the last connected monitor disconnects (QMP-FD-15, QMP-D100-05). */
  readonly fdsetsNeedMonitor: boolean;
  /** What makes a client socket come back a second after a disconnect. */
  readonly reconnectOption: string;
  /** Greetings on a multiplexed device (QMP-GREET-08). */
  readonly muxGreetings: number;
  /** A command on a block node that does not exist. */
  readonly noSuchNode: (name: string) => string;
  /** Refused `dump-guest-memory` protocol (neither `file:` nor `fd:`). */
  readonly dumpProtocolError: string;
}

const baselineEvents =
  `ACPI_DEVICE_OST BALLOON_CHANGE BLOCK_IMAGE_CORRUPTED BLOCK_IO_ERROR BLOCK_JOB_CANCELLED BLOCK_JOB_COMPLETED
  BLOCK_JOB_ERROR BLOCK_JOB_PENDING BLOCK_JOB_READY BLOCK_WRITE_THRESHOLD COMMAND_DROPPED DEVICE_DELETED
  DEVICE_TRAY_MOVED DUMP_COMPLETED GUEST_PANICKED JOB_STATUS_CHANGE MEM_UNPLUG_ERROR MIGRATION MIGRATION_PASS
  NIC_RX_FILTER_CHANGED POWERDOWN PR_MANAGER_STATUS_CHANGED QUORUM_FAILURE QUORUM_REPORT_BAD RESET RESUME RTC_CHANGE
  SHUTDOWN SPICE_CONNECTED SPICE_DISCONNECTED SPICE_INITIALIZED SPICE_MIGRATE_COMPLETED STOP SUSPEND SUSPEND_DISK
  VNC_CONNECTED VNC_DISCONNECTED VNC_INITIALIZED VSERPORT_CHANGE WAKEUP WATCHDOG`.split(/\s+/);

const baseline: ProtocolRules = {
  json: 'baseline',
  behindTooDeep: 'fresh',
  noSuchNode: (name) => `Cannot find device=${name} nor node_name=${name}`,
  doubles: '%f',
  oobOffer: 'option',
  queueFull: 'drop',
  enumError: (_member, value) => `Invalid parameter '${value}'`,
  requestsAct: 'after-reply',
  reasonInEvents: false,
  singlestep: true,
  schemaFeatures: false,
  schemaArguments: 'ignored',
  eventNames: baselineEvents,
  preconfigState: true,
  exitPreconfigResets: true,
  prettyNeedsQmp: false,
  preconfigError: (command) => `The command '${command}' isn't permitted in 'preconfig' state`,
  exitPreconfigError: "The command is permitted only in 'preconfig' state",
  limitedEvents: {
    RTC_CHANGE: null,
    WATCHDOG: null,
    BALLOON_CHANGE: null,
    QUORUM_REPORT_BAD: 'node-name',
    QUORUM_FAILURE: null,
    VSERPORT_CHANGE: 'id',
  },
  transitions: [],
  resetKeepsFinishMigrate: true,
  fdsetsNeedMonitor: true,
  reconnectOption: 'reconnect=1',
  muxGreetings: 2,
  dumpProtocolError: "Invalid parameter 'protocol'",
};

const since7: ProtocolRules = {
  ...baseline,
  json: 'strict',
  noSuchNode: (name) => `Cannot find device='${name}' nor node-name='${name}'`,
  doubles: '%.17g',
  oobOffer: 'always',
  queueFull: 'wait',
  enumError: (member, value) => `Parameter '${member}' does not accept value '${value}'`,
  requestsAct: 'before-reply',
  reasonInEvents: true,
  schemaFeatures: true,
  schemaArguments: 'checked',
  eventNames: [],
  wakeupError: 'wake-up from suspend is not supported by this guest',
  preconfigState: false,
  exitPreconfigResets: false,
  prettyNeedsQmp: true,
  preconfigError: (command) => `The command '${command}' is permitted only after machine initialization has completed`,
  exitPreconfigError: 'The command is permitted only before machine initialization',
  limitedEvents: { ...baseline.limitedEvents, MEMORY_DEVICE_SIZE_CHANGE: null },
  transitions: [
    ['colo', 'prelaunch'],
    ['colo', 'shutdown'],
    ['shutdown', 'colo'],
  ],
  muxGreetings: 1,
};

const from = (state: string, targets: string): Transition[] => targets.split(' ').map((to) => [state, to] as const);

export const protocolRules: Readonly<Record<DialectName, ProtocolRules>> = {
  '3.0': baseline,
  '7.2': since7,
  '10.0': {
    ...since7,
    singlestep: false,
    limitedEvents: { ...since7.limitedEvents, HV_BALLOON_STATUS_REPORT: null, BLOCK_IO_ERROR: null },
    transitions: [
      ...since7.transitions,
      ...from('finish-migrate', 'guest-panicked internal-error io-error shutdown suspended watchdog'),
      ...['paused', 'prelaunch', 'restore-vm', 'save-vm'].map((state) => [state, 'suspended'] as const),
      ['shutdown', 'running'],
      ...from('suspended', 'paused restore-vm save-vm shutdown'),
    ],
    fdsetsNeedMonitor: false,
    dumpProtocolError: "parameter 'protocol' must start with 'file:' or 'fd:'",
  },
};
