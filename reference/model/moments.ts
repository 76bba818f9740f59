/**
 * A step with several outputs, as a client sees it: each output is a moment of its own, between which a query may be answered
 * and the reply of an earlier command may arrive (MIG-SM-E02). The guest's stop is told a moment after the run state has
 * changed: while the processors come to rest, a command already finds the guest stopped.
 */
import type { RunState } from '../migration/host.js';
import { type Output, visible } from './output.js';
import type { Side, Step } from './row.js';
import type { MigrationStatus, ModelState } from './state.js';

/** An output of a step that has begun and is still to come, and what is the case from then on. */
export interface Unsaid {
  readonly side: Side;
  readonly rows: readonly string[];
  /** `null` when nothing is put out: a stop that begins. */
  readonly output: Output | null;
  readonly runState: RunState;
  /** Status of the side before and after it; a command that changed it in between wins (MIG-SM-E01). */
  readonly from: MigrationStatus;
  readonly to: MigrationStatus;
}

const statusOf = (state: ModelState, side: Side): MigrationStatus =>
  side === 'outgoing' ? state.out.status : state.in.status;

const withStatus = (state: ModelState, side: Side, status: MigrationStatus): ModelState =>
  side === 'outgoing' ? { ...state, out: { ...state.out, status } } : { ...state, in: { ...state.in, status } };

const isStatus = (output: Output): boolean => output.kind === 'event' && output.event === 'MIGRATION';
const isStop = (output: Output): boolean => output.kind === 'event' && output.event === 'STOP';

/** A status that is left again at once, for `failed`: nobody gets in between. */
const failsOnTheWay = (outputs: readonly Output[]): boolean =>
  outputs.filter(isStatus).length > 1 &&
  outputs.some((output) => output.kind === 'event' && output.event === 'MIGRATION' && output.status === 'failed');

/** The first moment of a step; the others are left in `unsaid` of its next state. */
export function firstMoment(step: Step, before: ModelState): Step {
  const { side, rows, all, next } = step;
  let { runState } = before.vm;
  const stops = runState === 'running' && all.some(isStop);
  if ((all.length < 2 && !stops) || failsOnTheWay(all)) return step;
  let status = statusOf(before, side);
  const moments = all.flatMap((output, index): Unsaid[] => {
    const from = status;
    const begun: Unsaid[] = [];
    if (output.kind === 'event' && output.event === 'STOP') {
      const ran = runState === 'running';
      ({ runState } = output);
      if (ran) begun.push({ side, rows, output: null, runState, from, to: from });
    }
    if (output.kind === 'event' && output.event === 'RESUME') runState = 'running';
    if (output.kind === 'event' && output.event === 'MIGRATION') status = output.status;
    const last = index === all.length - 1;
    const told: Unsaid = last
      ? { side, rows, output, runState: next.vm.runState, from, to: statusOf(next, side) }
      : { side, rows, output, runState, from, to: status };
    return [...begun, told];
  });
  const [first, ...unsaid] = moments as [Unsaid, ...Unsaid[]];
  const state = withStatus(next, side, first.to);
  const said = first.output === null ? [] : [first.output];
  return {
    ...step,
    outputs: visible(said, before),
    all: said,
    next: {
      ...state,
      vm: { ...state.vm, runState: first.runState },
      unsaid,
      exit: null,
      exits: next.exit ?? next.exits,
    },
  };
}

/** The next moment of a step that has begun. */
export function nextMoment(state: ModelState): Step {
  const [{ side, rows, output, runState, from, to }, ...unsaid] = state.unsaid as [Unsaid, ...Unsaid[]];
  const undisturbed = statusOf(state, side) === from;
  const moved = undisturbed ? withStatus(state, side, to) : state;
  const over = unsaid.length === 0 && state.exits !== null ? { exit: state.exits, exits: null } : {};
  const next = { ...moved, vm: { ...moved.vm, runState }, unsaid, ...over };
  const all = output === null || (isStatus(output) && !undisturbed) ? [] : [output];
  return { side, rows, label: 'said', outputs: visible(all, state), all, next };
}

/**
 * A cancel that comes while a switch to postcopy is being told ends the switch: its last dirty sync, and what would have
 * followed it, do not come any more.
 */
export function cutShort(state: ModelState): Step[] {
  const output = state.unsaid[0]?.output;
  const { status, inPostcopy } = state.out;
  if (output?.kind !== 'event' || output.event !== 'MIGRATION_PASS' || status !== 'cancelling' || !inPostcopy)
    return [];
  const rows = ['MIG-SM-C08', 'MIG-SM-C10', 'MIG-SM-E01'];
  return [{ side: 'outgoing', rows, label: 'cut-short', outputs: [], all: [], next: { ...state, unsaid: [] } }];
}
