import type { Dialect } from '../dialects/dialect.js';
import { encodeGlobalState, encodeTimer } from '../stream/device-layout.js';
import type { StreamWriter } from '../stream/stream-writer.js';

interface DescribedField {
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

/** Nanoseconds that a guest that runs has run, where a clock of milliseconds has not moved on since. */
const leastTime = 1;

/** The FULL sections of a machine without devices, in stream order (stream-format.md §6.1). @param guestTime milliseconds that the guest has run */
export function writeDevices(
  writer: StreamWriter,
  dialect: Dialect,
  runState: string,
  colo: boolean,
  guestTime = 0,
): void {
  const { sectionIds, coloSection } = dialect.stream;
  // Its processors count a thousand million ticks a second.
  const nanoseconds = BigInt(Math.max(Math.round(guestTime * 1e6), runState === 'running' ? leastTime : 0));
  writer.device(sectionIds.timer ?? 0, 'timer', 0, 2, encodeTimer(nanoseconds, nanoseconds));
  if (colo && coloSection) writer.device(sectionIds.COLOState ?? 1, 'COLOState', 0, 1, Buffer.from([1]));
  writer.device(sectionIds.globalstate ?? 0, 'globalstate', 0, 1, encodeGlobalState(dialect.stream, runState));
}

/** The vmdescription that belongs to {@link writeDevices}, as this dialect's source writes it. */
export function describeDevices(dialect: Dialect, machineName: string, colo: boolean): string {
  const { stream } = dialect;
  const field = (name: string, type: string, size: number): DescribedField => ({ name, type, size });
  const device = (name: string, version: number, fields: DescribedField[]) => ({
    name,
    instance_id: 0,
    vmsd_name: name,
    version,
    fields,
  });
  const spare =
    stream.vmdescriptionStyle === 'spaced' ? field('dummy', 'int64', 8) : field('unused', 'unused_buffer', 8);
  const timer = device('timer', 2, [
    field('cpu_ticks_offset', 'int64', 8),
    spare,
    field('cpu_clock_offset', 'int64', 8),
  ]);
  const state = stream.suspendedFlag
    ? [
        field('runstate', 'buffer', 32),
        field('has_vm_was_suspended', 'uint8', 1),
        field('vm_was_suspended', 'uint8', 1),
        field('unused', 'buffer', 66),
      ]
    : [field('runstate', 'buffer', 100)];
  const devices = [
    timer,
    ...(colo && stream.coloSection ? [device('COLOState', 1, [field('colo_requested', 'uint8', 1)])] : []),
    device('globalstate', 1, [field('size', 'uint32', 4), ...state]),
  ];
  const configuration = {
    vmsd_name: 'configuration',
    version: 1,
    fields: [field('len', 'uint32', 4), field('name', 'buffer', Buffer.byteLength(machineName))],
  };
  const top = stream.vmdescriptionConfiguration
    ? { configuration, page_size: 4096, devices }
    : { page_size: 4096, devices };
  return render(top, stream.vmdescriptionStyle === 'spaced');
}

/** JSON with one of the two spacings that real sources use. */
function render(value: unknown, spaced: boolean): string {
  const pad = spaced ? ' ' : '';
  if (Array.isArray(value)) return `[${pad}${value.map((item) => render(item, spaced)).join(', ')}${pad}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}${pad}: ${render(member, spaced)}`,
  );
  return `{${pad}${members.join(', ')}${pad}}`;
}
