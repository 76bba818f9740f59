import type { MigrationRules } from '../dialects/migration.js';
import { Change } from './change.js';
import { type Output, visible } from './output.js';
import type { IncomingPhase, MigrationStatus, ModelState, OutgoingPhase } from './state.js';

/** One permitted outcome: of a command, or a step that happens by itself. */
export interface Alternative {
  /** Ids of the rows of the specification that permit it. */
  readonly rows: readonly string[];
  /** What happened, for example `connected`; engines choose by it. */
  readonly label: string;
  /** What a client sees, in order. */
  readonly outputs: readonly Output[];
  /** All that happens, in order, seen or not. */
  readonly all: readonly Output[];
  readonly next: ModelState;
}
/** A step that happens by itself. */
export interface Step extends Alternative {
  readonly side: Side;
}
export type Side = 'outgoing' | 'incoming';

export type Guard = (state: ModelState, rules: MigrationRules) => boolean;
export type Effect = (change: Change, rules: MigrationRules) => Change;

/** A row of a step table. */
export interface StepRow {
  readonly ids: readonly string[];
  readonly label: string;
  readonly when: Guard;
  readonly effect: Effect;
}

/** A row of a step table: ids as in state-machine.md (several separated by spaces), label, guard, effect. */
export function row(ids: string, label: string, when: Guard, effect: Effect = (change) => change): StepRow {
  return { ids: ids.split(' '), label, when, effect };
}

/** The steps of a table that are possible in a state. */
export function stepsOf(side: Side, table: readonly StepRow[], state: ModelState, rules: MigrationRules): Step[] {
  const steps: Step[] = [];
  for (const one of table) if (one.when(state, rules)) steps.push(stepOf(side, one, state, rules));
  return steps;
}

function stepOf(side: Side, { ids, label, effect }: StepRow, state: ModelState, rules: MigrationRules): Step {
  const step = { side, ...outcome(ids, label, state, (change) => effect(change, rules)) };
  return rules.passesTold === 'every' ? step : { ...step, ...withoutPasses(step) };
}

/** The rows of a table by their labels. */
export function byLabel(table: readonly StepRow[]): ReadonlyMap<string, readonly StepRow[]> {
  const rows = new Map<string, StepRow[]>();
  for (const one of table) rows.set(one.label, [...(rows.get(one.label) ?? []), one]);
  return rows;
}

/** Where only some passes are told nothing is said of them. */
function withoutPasses({ outputs, all }: Alternative): Pick<Alternative, 'outputs' | 'all'> {
  const told = (output: Output) => output.kind === 'reply' || output.event !== 'MIGRATION_PASS';
  return { outputs: outputs.filter(told), all: all.filter(told) };
}

/** The rows of alternatives: they are few, and the same ones are asked for at every step. */
const rowsOf = new Map<string, readonly string[]>();

function rowsIn(ids: string): readonly string[] {
  let rows = rowsOf.get(ids);
  if (rows === undefined) {
    rows = ids.split(' ');
    rowsOf.set(ids, rows);
  }
  return rows;
}

/** Builds one alternative. */
export function outcome(
  ids: string | readonly string[],
  label: string,
  state: ModelState,
  effect: (change: Change) => Change,
): Alternative {
  const change = effect(new Change(state));
  const rows = typeof ids === 'string' ? rowsIn(ids) : ids;
  // A state change and the capability filter belong to the same moment: setting `events` itself emits nothing.
  return { rows, label, outputs: visible(change.outputs, state), all: change.outputs, next: change.state };
}

/** The outgoing side is in this status and, if given, in one of these phases. */
export const at =
  (status: MigrationStatus, ...phases: OutgoingPhase[]): Guard =>
  ({ out }) =>
    out.status === status && (phases.length === 0 || phases.includes(out.phase));

/** The incoming side is in this status and, if given, in one of these phases. */
export const inAt =
  (status: MigrationStatus, ...phases: IncomingPhase[]): Guard =>
  (state) =>
    state.in.status === status && (phases.length === 0 || phases.includes(state.in.phase));

export const all =
  (...guards: Guard[]): Guard =>
  (state, rules) => {
    // Guards are looked at millions of times: no function is made for it.
    for (const guard of guards) if (!guard(state, rules)) return false;
    return true;
  };
export const any =
  (...guards: Guard[]): Guard =>
  (state, rules) => {
    for (const guard of guards) if (guard(state, rules)) return true;
    return false;
  };
export const not =
  (guard: Guard): Guard =>
  (state, rules) =>
    !guard(state, rules);
