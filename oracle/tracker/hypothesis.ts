/** One thing that the target may be doing, and the moves from there. */
import type { MigrationRules } from '../../reference/dialects/migration.js';
import type { ErrorClass } from '../../reference/migration/host.js';
import {
  type Alternative,
  command,
  internal,
  isRunning,
  type ModelState,
  visible,
} from '../../reference/model/index.js';
import { type DefectMove, defectMoves, defectOutcomes } from '../known-defects.js';
import type { Emission, Emitted } from './emission.js';
import { nameOf, type Sent } from './sent.js';

export interface Hypothesis {
  readonly state: ModelState;
  /** Put out by the model and not yet seen, in order. */
  readonly pending: readonly Emission[];
  /** Commands in band that have been executed: a prefix of those sent. */
  readonly executed: number;
  /** Out-of-band commands executed, by index. */
  readonly executedOob: readonly number[];
  /** Command whose reply the model owes as a step of its own. */
  readonly owed: number | undefined;
  /**
   * A reply whose handler has run and whose text is fixed, on its way out: events of other threads may still be written
   * before it.
   */
  readonly held: Emission | undefined;
  /** Known defects that had to be assumed to get here. */
  readonly defects: readonly string[];
  /** Last number of MIGRATION_PASS seen; 0 before the first, `undefined` when some may have gone unseen. */
  readonly pass: number | undefined;
}

export const firstHypothesis = (state: ModelState, pass: number | undefined): Hypothesis => ({
  state,
  pending: [],
  executed: 0,
  executedOob: [],
  owed: undefined,
  held: undefined,
  defects: [],
  pass,
});

export interface World {
  readonly rules: MigrationRules;
  /** Everything sent so far, in order. */
  readonly sent: readonly Sent[];
  /** Indexes of in-band and of out-of-band messages in {@link sent}. */
  readonly inBand: readonly number[];
  readonly outOfBand: readonly number[];
  /** Ids of the defects that monitors of the target's version are known to have. */
  readonly defects: ReadonlySet<string>;
}

/** A label for a move: what happened, for explanations. */
export interface Move {
  readonly label: string;
  readonly rows: readonly string[];
  readonly to: Hypothesis;
}

/** Everything that may happen next, whether it can be seen or not. */
export function moves(from: Hypothesis, world: World): Move[] {
  if (from.state.exit !== null) return [];
  const result: Move[] = [];
  for (const step of stepsFrom(from.state, world.rules)) result.push(stepMove(from, step));
  // The reply of a command leaves before the next command is read, however late it is.
  const next = world.inBand[from.executed];
  const answered = from.owed === undefined && from.held === undefined;
  if (next !== undefined && answered) result.push(...execute(from, next, world, false));
  if (from.held !== undefined) {
    const to = { ...from, held: undefined, pending: [...from.pending, from.held] };
    result.push({ label: 'reply', rows: from.held.rows, to });
  }
  for (const index of world.outOfBand) {
    if (!from.executedOob.includes(index)) result.push(...execute(from, index, world, true));
  }
  for (const defect of defectMoves(from.state, world.rules, world.defects)) result.push(defectMove(from, defect));
  return result;
}

const known = new WeakMap<ModelState, { readonly rules: MigrationRules; readonly steps: readonly Alternative[] }>();

/**
 * The steps that show or change something. Remembered, and their next states shared: the same state is looked at for each
 * observation of a long quiet time.
 */
function stepsFrom(state: ModelState, rules: MigrationRules): readonly Alternative[] {
  const before = known.get(state);
  if (before?.rules === rules) return before.steps;
  const steps = internal(state, rules)
    .filter((step) => !isIdle(step, state))
    .map((step) => ({ ...step, next: shared(step.next) }));
  known.set(state, { rules, steps });
  return steps;
}

const states = new Map<string, ModelState>();
/** States kept for sharing; more than a long campaign meets, and small enough not to matter. */
const mostStates = 50_000;

/** The one object that stands for all equal states. */
function shared(state: ModelState): ModelState {
  const key = stateKey(state);
  const same = states.get(key);
  if (same !== undefined) return same;
  if (states.size >= mostStates) states.clear();
  states.set(key, state);
  return state;
}

/** A step that neither shows nor changes anything. */
const isIdle = (step: Alternative, state: ModelState): boolean =>
  step.outputs.length === 0 && sameState(step.next, state);

function stepMove(from: Hypothesis, step: Alternative): Move {
  const pays = from.owed !== undefined && from.state.replyOwed && !step.next.replyOwed;
  const emissions = step.outputs.map(
    (output): Emission => ({
      output,
      origin: 'step',
      rows: step.rows,
      ...(output.kind === 'reply' && from.owed !== undefined ? { command: from.owed } : {}),
    }),
  );
  const to = {
    ...from,
    state: step.next,
    pending: [...from.pending, ...emissions, ...exitEmission(step.next, step.rows)],
    owed: pays ? undefined : from.owed,
  };
  return { label: step.label, rows: step.rows, to };
}

function defectMove(from: Hypothesis, { id, label, outputs, next }: DefectMove): Move {
  const emissions = outputs.map((output): Emission => ({ output, origin: 'step', rows: [id] }));
  const defects = withDefect(from, id);
  return { label, rows: [id], to: { ...from, state: next, pending: [...from.pending, ...emissions], defects } };
}

const withDefect = (from: Hypothesis, id: string): readonly string[] =>
  from.defects.includes(id) ? from.defects : [...from.defects, id];

const exitEmission = (state: ModelState, rows: readonly string[]): Emission[] =>
  state.exit === null ? [] : [{ output: { kind: 'exit', code: state.exit }, origin: 'step', rows }];

function execute(from: Hypothesis, index: number, world: World, oob: boolean): Move[] {
  const sent = world.sent[index] as Sent;
  const done = oob ? { executedOob: [...from.executedOob, index] } : { executed: from.executed + 1 };
  const plain = (outputs: readonly Emitted[], rows: readonly string[], state: ModelState = from.state): Move => ({
    label: nameOf(sent),
    rows,
    to: {
      ...from,
      ...done,
      state: shared(state),
      pending: [
        ...from.pending,
        ...outputs.map((output): Emission => ({ output, command: index, origin: 'command', rows })),
        ...exitEmission(state, rows),
      ],
    },
  });
  switch (sent.kind) {
    case 'refused':
      return [
        plain(
          [{ kind: 'reply', ok: false, desc: sent.desc, errorClass: sent.errorClass as ErrorClass }],
          ['QMP-REPLY-03'],
        ),
      ];
    case 'negotiation':
      return [plain([{ kind: 'reply', ok: true }], ['QMP-NEG-03'])];
    case 'neutral':
      return [plain([{ kind: 'reply', any: true }], [])];
    case 'generic':
      return genericOutcomes(sent.name, from.state, world.rules).map(({ outputs, rows, state }) =>
        plain(outputs, rows, state),
      );
    case 'modelled':
      return [
        ...command(from.state, { name: sent.name, args: sent.args }, world.rules).map((alternative) => {
          const move = plain(alternative.outputs, alternative.rows, alternative.next);
          const replied = alternative.outputs.some((output) => output.kind === 'reply');
          const to = { ...move.to, owed: replied ? from.owed : index };
          return {
            label: `${sent.name}: ${alternative.label}`,
            rows: alternative.rows,
            to: mayLag(sent.name, world.rules) ? hold(to) : to,
          };
        }),
        ...defectOutcomes(from.state, sent.name, world.defects).map(({ id, label, outputs, next }) => {
          const move = plain(outputs, [id], next);
          return { ...move, label: `${sent.name}: ${label}`, to: { ...move.to, defects: withDefect(from, id) } };
        }),
      ];
  }
}

/**
 * Whether the reply of a command may be overtaken by events that are raised after its handler. Never that of `migrate`, whose
 * events all need the lock that its handler holds (MIG-SM-O12); where the dialect writes replies from another thread, that
 * of any other command; else only that of a query, which changes nothing that an event could follow.
 */
const mayLag = (name: string, { lateReplies }: MigrationRules): boolean =>
  name !== 'migrate' && (lateReplies || name.startsWith('query-'));

/** Takes a reply at the end of what is pending out of the order. */
function hold(hypothesis: Hypothesis): Hypothesis {
  const last = hypothesis.pending.at(-1);
  if (last === undefined || last.output.kind !== 'reply' || hypothesis.held !== undefined) return hypothesis;
  return { ...hypothesis, pending: hypothesis.pending.slice(0, -1), held: last };
}

interface GenericOutcome {
  readonly outputs: readonly Emitted[];
  readonly rows: readonly string[];
  readonly state: ModelState;
}

/** `quit`, `system_reset` and `system_powerdown`: reply and event come in the dialect's order, or either (QMP-EVT-10 … -12, QMP-D-42). */
function genericOutcomes(name: string, state: ModelState, rules: MigrationRules): GenericOutcome[] {
  const reply = { kind: 'reply', ok: true } as const;
  const both = (output: Emitted, rows: readonly string[], next: ModelState): GenericOutcome[] => [
    { outputs: [reply, output], rows, state: next },
    { outputs: [output, reply], rows, state: next },
  ];
  if (name === 'quit') {
    const shutdown = { kind: 'event', event: 'SHUTDOWN' } as const;
    const ended = { ...state, exit: 0 };
    const plain = both(shutdown, ['QMP-EVT-12'], ended);
    if (!rules.quitCancels || !isRunning(state.out.status)) return plain;
    const event = { kind: 'event', event: 'MIGRATION', status: 'cancelling' } as const;
    const outputs = [shutdown, ...visible([event], state), reply];
    return [...plain, { outputs, rows: ['QMP-D-44'], state: ended }];
  }
  if (name === 'system_powerdown') return both({ kind: 'event', event: 'POWERDOWN' }, ['QMP-EVT-11'], state);
  const reset = { kind: 'event', event: 'RESET', data: {} } as const;
  const { runState } = state.vm;
  const stopped = runState === 'paused' || runState === 'postmigrate';
  const after: ModelState = stopped ? { ...state, vm: { ...state.vm, runState: 'prelaunch' } } : state;
  return both(reset, ['QMP-EVT-10', 'QMP-RUN-02'], after);
}

const stateKeys = new WeakMap<ModelState, string>();

/** Text that is equal exactly for equal states. */
export function stateKey(state: ModelState): string {
  let key = stateKeys.get(state);
  if (key === undefined) {
    key = JSON.stringify(state);
    stateKeys.set(state, key);
  }
  return key;
}

export const sameState = (a: ModelState, b: ModelState): boolean => a === b || stateKey(a) === stateKey(b);

const withBigint = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value);

/** Text that is equal exactly for equal hypotheses. */
export function hypothesisKey(hypothesis: Hypothesis): string {
  const { state, pending, executed, executedOob, owed, held, defects, pass } = hypothesis;
  const outputs = pending.map(({ output, command: index, origin }) => [output, index, origin]);
  return `${stateKey(state)}|${executed}|${executedOob}|${owed}|${held?.command}${held === undefined ? '' : JSON.stringify(held.output, withBigint)}|${defects}|${pass}|${outputs.length === 0 ? '' : JSON.stringify(outputs, withBigint)}`;
}
