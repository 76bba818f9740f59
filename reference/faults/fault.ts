/**
 * A planted fault: one thing that the reference monitor does wrong when it is told to (`--fault NAME`). With faults one sees
 * whether a suite, an oracle or a fuzzer would notice. Each is a few lines at one of five seams, which the honest monitor
 * passes untouched: the events it raises, the commands it carries out, the steps of the model that it acts out, the parts
 * that write and read a migration's data, and the conversation with a client.
 */
import type { DialectName } from '../dialects/dialect.js';
import type { CommandContext } from '../migration/host.js';
import type { WireFaults } from '../migration/wire-faults.js';
import type { Alternative, ModelState } from '../model/index.js';
import type { TalkFaults } from '../monitor/talk-faults.js';

/** What a fault belongs to, for lists. */
export const areas = [
  'protocol',
  'oob',
  'schema',
  'monitors',
  'events',
  'commands',
  'settings',
  'query-migrate',
  'run state',
  'stream',
  'compression',
  'xbzrle',
  'multifd',
  'postcopy',
  'return path',
  'destination',
] as const;
export type Area = (typeof areas)[number];

/** An event before it gets its timestamp. */
export interface Raised {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What faults of one process remember, each under keys of its own. */
export type Memory = Map<string, unknown>;

export type Members = Readonly<Record<string, unknown>>;

/** A command whose arguments have passed the schema's checks. */
export interface Call {
  readonly name: string;
  readonly args: Members;
  readonly context: CommandContext;
  readonly memory: Memory;
  /** Carries the command out, with other arguments if given. @throws CommandError where it is refused */
  next(args?: Members): unknown;
  /** Carries another command out; a query mostly. */
  ask(name: string, args?: Members): unknown;
}

/** Events to raise in the place of one. */
export type EventFault = (raised: Raised, memory: Memory) => readonly Raised[];
/** The `return` value of a command in the place of the right one. @throws CommandError to refuse it */
export type CallFault = (call: Call) => unknown;
/** The step to act out in the place of the one that happened. The engines go on as after the right one. */
export type StepFault = (step: Alternative, before: ModelState) => Alternative;

export interface Fault extends Changes {
  /** What a monitor with it does, continuing "a monitor that …". */
  readonly title: string;
  /** Rows of the specification that it violates. */
  readonly rows: readonly string[];
  readonly area: Area;
  /** Where the baseline does not have what is wrong. */
  readonly dialect?: DialectName;
}

/** What is changed, at one seam or several. */
export interface Changes {
  readonly event?: EventFault;
  /** By command; `*` stands for each. */
  readonly calls?: Readonly<Record<string, CallFault>>;
  readonly step?: StepFault;
  /** What it changes about the data path. */
  readonly wire?: WireFaults;
  /** What it changes about the conversation with a client. */
  readonly talk?: TalkFaults;
}

/** Where it is planted. */
export type Seam = 'event' | 'command' | 'step' | 'wire' | 'talk';

export function seamOf({ event, step, wire, talk }: Changes): Seam {
  if (event !== undefined) return 'event';
  if (step !== undefined) return 'step';
  if (wire !== undefined) return 'wire';
  return talk === undefined ? 'command' : 'talk';
}

/** Faults of one area, by name. */
export const inArea = (area: Area, faults: Readonly<Record<string, Omit<Fault, 'area'>>>): Record<string, Fault> =>
  Object.fromEntries(Object.entries(faults).map(([name, fault]) => [name, { ...fault, area }]));
