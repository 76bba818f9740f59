import type { StreamRules } from '../dialects/stream.js';
import { StreamError } from './stream-error.js';

/** A field of fixed size. */
export interface LayoutField {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** First version of the section that has it; default: all. */
  readonly since?: number;
}

/** A device section whose body has a known layout. */
export interface DeviceLayout {
  readonly idstr: string;
  readonly instance: number;
  readonly version: number;
  readonly minimumVersion: number;
  readonly fields: readonly LayoutField[];
  /** Checks the values of a complete body; throws StreamError. */
  readonly check?: (body: Buffer) => void;
}

/** Names that `globalstate` may carry: the run states of the protocol. */
export const runStateNames: readonly string[] = [
  'debug',
  'inmigrate',
  'internal-error',
  'io-error',
  'paused',
  'postmigrate',
  'prelaunch',
  'finish-migrate',
  'restore-vm',
  'running',
  'save-vm',
  'shutdown',
  'suspended',
  'watchdog',
  'guest-panicked',
  'colo',
  'preconfig',
];

/** The device sections of a machine without devices (stream-format.md §6.1). */
export function emptyMachineDevices(rules: StreamRules): DeviceLayout[] {
  const timer: DeviceLayout = {
    idstr: 'timer',
    instance: 0,
    version: 2,
    minimumVersion: 1,
    fields: [
      { name: 'cpu_ticks_offset', size: 8 },
      { name: 'unused', size: 8 },
      { name: 'cpu_clock_offset', size: 8, since: 2 },
    ],
  };
  const globalstate: DeviceLayout = {
    idstr: 'globalstate',
    instance: 0,
    version: 1,
    minimumVersion: 1,
    fields: rules.suspendedFlag
      ? [
          { name: 'size', size: 4 },
          { name: 'runstate', size: 32 },
          { name: 'has_vm_was_suspended', size: 1 },
          { name: 'vm_was_suspended', size: 1 },
          { name: 'unused', size: 66 },
        ]
      : [
          { name: 'size', size: 4 },
          { name: 'runstate', size: 100 },
        ],
    check: (body) => {
      decodeGlobalState(body);
    },
  };
  const colo: DeviceLayout = {
    idstr: 'COLOState',
    instance: 0,
    version: 1,
    minimumVersion: 1,
    fields: [{ name: 'colo_requested', size: 1 }],
  };
  return rules.coloSection ? [timer, colo, globalstate] : [timer, globalstate];
}

/** Body of the `timer` section; nanoseconds and ticks. */
export function encodeTimer(ticksOffset: bigint, clockOffset: bigint): Buffer {
  const body = Buffer.alloc(24);
  body.writeBigInt64BE(ticksOffset, 0);
  body.writeBigInt64BE(clockOffset, 16);
  return body;
}

/** What is in a `timer` body: ticks, a field that is not used, and nanoseconds, which version 1 lacks. */
export function decodeTimer(body: Buffer): { readonly ticks: number; readonly unused: number; readonly clock: number } {
  const field = (at: number) => (body.length < at + 8 ? 0 : Number(body.readBigInt64BE(at)));
  return { ticks: field(0), unused: field(8), clock: field(16) };
}

/** Body of the `globalstate` section. */
export function encodeGlobalState(rules: StreamRules, runState: string, suspended = false): Buffer {
  const body = Buffer.alloc(104);
  body.writeUInt32BE(runState.length + 1);
  body.write(runState, 4, 'latin1');
  if (rules.suspendedFlag) {
    body[36] = 1;
    body[37] = suspended ? 1 : 0;
  }
  return body;
}

/** Run state in a `globalstate` body. @throws StreamError for a name that no run state has */
export function decodeGlobalState(body: Buffer): string {
  const field = body.subarray(4, 104);
  const zero = field.indexOf(0);
  const name = field.toString('latin1', 0, zero === -1 ? field.length : zero);
  if (runStateNames.includes(name)) return name;
  throw new StreamError('INV', {
    field: 'runstate',
    expected: 'the name of a run state',
    got: `'${name}'`,
    lines: [`invalid parameter value: ${name}`],
  });
}
