/** What the model says a monitor puts out, and whether an observation is that. */
import { isObject, type JsonObject, type JsonValue, sameJson, stringifyJson } from '../../protocol/json.js';
import type { Output, ReplyValue } from '../../reference/model/index.js';
import type { Observation } from './observation.js';

/** Outputs of the model, and those of the generic commands that it leaves out. */
export type Emitted =
  | Output
  | { readonly kind: 'event'; readonly event: 'SHUTDOWN' | 'POWERDOWN' }
  /** A reply of which nothing is known but that it comes. */
  | { readonly kind: 'reply'; readonly any: true }
  | { readonly kind: 'exit'; readonly code: number };

/** Which command a reply answers: {@link latest}, or the index of one that runs outside the order of the first monitor. */
export type CommandRef = number;
/** The command of the first monitor that was executed last. */
export const latest: CommandRef = -1;

export interface Emission {
  /** Equal for equal emissions. */
  readonly number: number;
  readonly output: Emitted;
  /** What a reply answers. */
  readonly command?: CommandRef;
  /** Caused by a command or by the monitor itself: neighbours of different origin may swap (MIG-SM-E02). */
  readonly origin: 'command' | 'step';
  readonly rows: readonly string[];
}

/** Whether an observation is what an emission says, the id of a reply apart. */
export function matches({ output }: Emission, seen: Observation, strictDesc: boolean): boolean {
  switch (output.kind) {
    case 'exit':
      return seen.kind === 'exit' && seen.code === output.code;
    case 'event':
      return seen.kind === 'event' && eventMatches(output, seen);
    case 'reply':
      if (seen.kind !== 'reply') return false;
      return seen.beyond === true ? 'any' in output || output.ok : replyMatches(output, seen.value, strictDesc);
  }
}

function eventMatches(
  output: Extract<Emitted, { kind: 'event' }>,
  seen: Extract<Observation, { kind: 'event' }>,
): boolean {
  if (seen.event !== output.event) return false;
  if (output.event === 'MIGRATION') return seen.data.status === output.status;
  if (output.event === 'RESET' || output.event === 'COLO_EXIT') {
    return Object.entries(output.data).every(([name, value]) => sameJson(seen.data[name] ?? null, value as JsonValue));
  }
  if (output.event === 'STOP' || output.event === 'RESUME') return Object.keys(seen.data).length === 0;
  return true;
}

/** A reply repeats the id of its command, and has none where that has none (QMP-REPLY-04, -06). */
export function idMatches(id: JsonValue | undefined, seen: JsonValue | undefined): boolean {
  if (id === undefined || seen === undefined) return id === seen;
  return sameJson(id, seen);
}

function replyMatches(output: Extract<Emitted, { kind: 'reply' }>, reply: JsonObject, strictDesc: boolean): boolean {
  if ('any' in output) return true;
  if (output.ok) return 'return' in reply && valueMatches(output.value, reply.return as JsonValue, strictDesc);
  if (!isObject(reply.error) || reply.error.class !== output.errorClass) return false;
  return !strictDesc || output.desc === '*' || reply.error.desc === output.desc;
}

/** A model's reply value against a real one. Members that a newer monitor adds are no fault (they are optional there). */
function valueMatches(expected: ReplyValue | undefined, got: JsonValue, strictDesc: boolean): boolean {
  if (expected === undefined) return isObject(got) && Object.keys(got).length === 0;
  if (expected.exact !== undefined) return holdsExactly(expected.exact as JsonValue, got);
  if (!isObject(got)) return false;
  const { fixed, allowed } = membersOf(expected);
  const present = (name: string) => Object.hasOwn(got, name);
  // Its words are those of a release, as those of errors are.
  const ofAnyText = (name: string, value: unknown) => value === '*' || (name === 'error-desc' && !strictDesc);
  const holds = ([name, value]: readonly [string, unknown]) =>
    present(name) && (ofAnyText(name, value) || sameJson(got[name] as JsonValue, value as JsonValue));
  if (!fixed.every(holds)) return false;
  if (!(expected.required ?? []).every(present)) return false;
  // Only where the spec lists every member of a state is an extra one of the baseline's a fault.
  if (allowed === undefined) return true;
  for (const name in got) if (!allowed.has(name) && baselineMembers.has(name)) return false;
  return true;
}

interface Members {
  readonly fixed: readonly (readonly [name: string, value: unknown])[];
  /** Absent where others may be there, too. */
  readonly allowed: ReadonlySet<string> | undefined;
}

const known = new WeakMap<ReplyValue, Members>();

/** Worked out once for each value: a state shows it again and again. */
function membersOf(value: ReplyValue): Members {
  let members = known.get(value);
  if (members === undefined) {
    const { equals = {}, required, optional = [] } = value;
    const allowed = required && new Set([...Object.keys(equals), ...required, ...optional]);
    members = { fixed: Object.entries(equals), allowed };
    known.set(value, members);
  }
  return members;
}

/** Members of MigrationInfo whose presence says something about the state. */
const baselineMembers = new Set([
  'status',
  'ram',
  'disk',
  'xbzrle-cache',
  'compression',
  'total-time',
  'expected-downtime',
  'downtime',
  'setup-time',
  'cpu-throttle-percentage',
  'postcopy-blocktime',
  'postcopy-vcpu-blocktime',
  'error-desc',
]);

/** Objects may have more members than the model knows (newer parameters); lists of capabilities more entries. */
function holdsExactly(expected: JsonValue, got: JsonValue): boolean {
  if (Array.isArray(expected)) {
    return Array.isArray(got) && expected.every((item) => got.some((one) => sameJson(item, one)));
  }
  if (isObject(expected)) {
    return (
      isObject(got) &&
      Object.entries(expected).every(
        ([name, value]) => Object.hasOwn(got, name) && sameJson(got[name] as JsonValue, value),
      )
    );
  }
  return sameJson(expected, got);
}

/** The emission in words, for "permitted". */
export function describeEmission({ output }: Emission): string {
  switch (output.kind) {
    case 'exit':
      return `exit with status ${output.code}`;
    case 'event':
      if (output.event === 'MIGRATION') return `event MIGRATION ${output.status}`;
      return `event ${output.event}`;
    case 'reply':
      if ('any' in output) return 'any reply';
      if (!output.ok) return `${output.errorClass}${output.desc === '*' ? '' : ` "${output.desc}"`}`;
      return `success${describeValue(output.value)}`;
  }
}

function describeValue(value: ReplyValue | undefined): string {
  if (value === undefined) return ' {}';
  if (value.exact !== undefined) {
    const text = stringifyJson(value.exact);
    return ` with ${text.length > 160 ? `${text.slice(0, 160)}…` : text}`;
  }
  const parts = Object.entries(value.equals ?? {}).map(
    ([name, one]) => `${name} ${one === '*' ? 'of any text' : stringifyJson(one)}`,
  );
  if (value.required !== undefined && value.required.length > 0) parts.push(`the members ${value.required.join(', ')}`);
  return parts.length === 0 ? ' {}' : ` with ${parts.join(', ')}`;
}
