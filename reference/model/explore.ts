/** Walks the whole model and says what is wrong with it: the proof that the tables hang together. */
import type { MigrationRules } from '../dialects/migration.js';
import type { Command } from './command.js';
import { command, incomingRows, machineCommands, migrationCommands, outgoingRows, wholeSteps } from './model.js';
import type { Alternative, Side } from './row.js';
import { canPostcopy, initialState, isOn, type ModelState, type StartOptions } from './state.js';

export interface ExploreOptions {
  /** Ways in which the process is started; default: as a source, with `-incoming defer` and with `-incoming URI`. */
  readonly starts?: readonly Pick<StartOptions, 'incoming' | 'paused'>[];
  /** Parameters other than the defaults, for example `tls-creds`. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Leaves out commands that only read or set values: their outcome does not depend on the capabilities. */
  readonly courseOnly?: boolean;
  /** Called for each transition. */
  readonly onTransition?: (from: ModelState, by: string, taken: Alternative, side: Side | 'command') => void;
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** Statuses that were reached, by side. */
  readonly outgoing: ReadonlySet<string>;
  readonly incoming: ReadonlySet<string>;
  /** Ids of the rows that were taken. */
  readonly rows: ReadonlySet<string>;
  /** `side label row-ids` of every table row that was taken. */
  readonly taken: ReadonlySet<string>;
  /** What contradicts the specification; empty for a sound model. */
  readonly problems: readonly string[];
}

const pairs = (name: string, ...args: Readonly<Record<string, unknown>>[]) => args.map((one) => ({ name, args: one }));

/** One call for each way through a command's guards. */
const calls = [
  ...pairs(
    'migrate',
    { uri: 'unix:/m' },
    { uri: 'tcp:bad' },
    { uri: 'exec:cat' },
    { uri: 'fd:f' },
    { uri: 'nonsense' },
    { uri: 'unix:/m', blk: true, inc: true },
    { uri: 'unix:/m', resume: true },
    { uri: 'tcp:bad', resume: true },
    { uri: 'nonsense', resume: true },
    { uri: 'fd:f', resume: true },
  ),
  ...pairs(
    'migrate-incoming',
    { uri: 'unix:/m' },
    { uri: 'unix:/m', 'exit-on-error': false },
    { uri: 'tcp:bad' },
    { uri: 'defer' },
    { uri: 'nonsense' },
  ),
  ...pairs('migrate-recover', { uri: 'unix:/m' }, { uri: 'tcp:bad' }, { uri: 'nonsense' }),
  ...pairs('migrate-continue', { state: 'pre-switchover' }, { state: 'active' }),
  ...pairs('migrate-set-capabilities', { capabilities: [] }),
  ...pairs('xen-set-replication', { enable: true, primary: true }, { enable: true, primary: true, failover: true }),
  ...pairs('xen-save-devices-state', { filename: '/f' }),
  ...pairs('client_migrate_info', { protocol: 'spice', hostname: 'h' }, { protocol: 'vnc', hostname: 'h' }),
  ...pairs('migrate_set_speed', { value: 33554432n }),
  ...pairs('migrate_set_downtime', { value: 0.3 }, { value: -1 }),
  ...pairs('migrate-set-cache-size', { value: 67108864n }, { value: 5n }),
  ...pairs('migrate-set-parameters', {}),
];
const bare = [...migrationCommands.keys(), ...machineCommands.keys()].filter(
  (name) => !calls.some((call) => call.name === name),
);
export const allCalls: readonly Command[] = [...calls, ...bare.map((name) => ({ name, args: {} }))];

const course = new Set([
  'migrate',
  'migrate_cancel',
  'migrate-continue',
  'migrate-start-postcopy',
  'migrate-pause',
  'migrate-incoming',
  'migrate-recover',
  'x-colo-lost-heartbeat',
  'stop',
  'cont',
]);
const courseCalls = allCalls.filter(({ name }) => course.has(name));

/** Outgoing statuses in which a process may stay for ever by itself. */
const restful = new Set(['none', 'completed', 'failed', 'cancelled', 'pre-switchover', 'postcopy-paused', 'colo']);
/** The same of the incoming side. */
const restfulIncoming = new Set(['none', 'setup', 'completed', 'failed', 'postcopy-paused', 'colo']);

const defaultStarts: NonNullable<ExploreOptions['starts']> = [
  {},
  { paused: true },
  { incoming: 'defer' },
  { incoming: 'uri' },
  { incoming: 'defer', paused: true },
];

/** Visits every state that one process with these capabilities can reach. */
export function explore(
  rules: MigrationRules,
  capabilities: readonly string[],
  options: ExploreOptions = {},
): Exploration {
  const seen = new Set<string>();
  const queue: ModelState[] = [];
  const rows = new Set<string>();
  const taken = new Set<string>();
  const outgoing = new Set<string>();
  const incoming = new Set<string>();
  const problems = new Set<string>();
  let transitions = 0;
  const visit = (state: ModelState) => {
    const key = keyOf(state);
    if (seen.has(key)) return;
    seen.add(key);
    queue.push(state);
  };
  for (const start of options.starts ?? defaultStarts) {
    const state = initialState(rules, { ...start, capabilities });
    visit({ ...state, parameters: { ...state.parameters, ...options.parameters } });
  }
  for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
    outgoing.add(state.out.status);
    incoming.add(state.in.status);
    for (const problem of contradictions(state, rules)) problems.add(problem);
    const follow = (by: string, alternative: Alternative, side: Side | 'command') => {
      transitions++;
      for (const id of alternative.rows) rows.add(id);
      taken.add(`${side} ${alternative.label} ${alternative.rows.join(' ')}`);
      for (const problem of badOutputs(state, by, alternative)) problems.add(problem);
      options.onTransition?.(state, by, alternative, side);
      visit(alternative.next);
    };
    for (const step of wholeSteps(state, rules)) {
      if (state.in.origin === 'none' || step.side === 'incoming' || isOwed(step)) follow(step.label, step, step.side);
    }
    // A destination that becomes a source is the outgoing side all over again: its first step shows that it may.
    const secondLife = state.in.origin !== 'none' && state.out.status !== 'none';
    if (state.exit !== null || state.replyOwed || secondLife) continue;
    for (const call of options.courseOnly === true ? courseCalls : allCalls) {
      const alternatives = command(state, call, rules);
      if (alternatives.length === 0) problems.add(`${call.name} has no outcome in ${describe(state)}`);
      for (const alternative of alternatives) follow(call.name, alternative, 'command');
    }
  }
  return { states: seen.size, transitions, outgoing, incoming, rows, taken, problems: [...problems] };
}

/** Table rows that an exploration (or several) never took, as `side label row-ids`. */
export function untaken(taken: ReadonlySet<string>): string[] {
  const all = [
    ...outgoingRows.map(({ label, ids }) => `outgoing ${label} ${ids.join(' ')}`),
    ...incomingRows.map(({ label, ids }) => `incoming ${label} ${ids.join(' ')}`),
  ];
  return [...new Set(all)].filter((row) => !taken.has(row));
}

/** Parameters never change in an exploration, save the one that `inc` borrows. */
function keyOf(state: ModelState): string {
  const { parameters, capabilities, ...rest } = state;
  return JSON.stringify([rest, capabilities, parameters['block-incremental'] ?? null]);
}

function describe({ out, in: incoming, vm }: ModelState): string {
  return `${out.status}/${out.phase} + ${incoming.status}/${incoming.phase}/${incoming.pc}, ${vm.runState}`;
}

/** A state from which nothing leads on, or which should not exist. */
function* contradictions(state: ModelState, rules: MigrationRules): Iterable<string> {
  if (state.exit !== null) return;
  const { out, in: incoming, vm } = state;
  const steps = wholeSteps(state, rules);
  const stuck = (side: Side) => !steps.some((step) => step.side === side && !isOwed(step));
  const forEver = (out.status === 'cancelling' || out.status === 'setup') && /^(colo|stuck)/.test(out.phase);
  if (!restful.has(out.status) && !forEver && stuck('outgoing')) yield `deadlock: outgoing ${describe(state)}`;
  if (!restfulIncoming.has(incoming.status) && stuck('incoming')) yield `deadlock: incoming ${describe(state)}`;
  const needs = (status: string, has: boolean) => out.status === status && !has;
  const pausing = isOn(state, 'pause-before-switchover');
  if (needs('pre-switchover', pausing)) yield `pre-switchover without its capability in ${describe(state)}`;
  if (needs('colo', isOn(state, 'x-colo'))) yield `colo without its capability in ${describe(state)}`;
  if (needs('postcopy-active', canPostcopy(state))) yield `postcopy without its capability in ${describe(state)}`;
  if (out.phase === 'idle' && vm.runState === 'finish-migrate') {
    const holds = /^(pre-switchover|device|cancelling|postcopy-)/.test(out.status);
    if (!holds && incoming.status === 'none') yield `guest left in finish-migrate in ${describe(state)}`;
  }
}

/** The rest of a command that has had its effect, and no step of a migration. */
const isOwed = ({ label }: Alternative): boolean => label === 'reply' || label === 'stop-told';

/** Outputs that no client may ever see in this order. */
function* badOutputs(state: ModelState, by: string, { outputs }: Alternative): Iterable<string> {
  let running = state.vm.runState === 'running';
  for (const output of outputs) {
    if (output.kind !== 'event') continue;
    const where = `in ${describe(state)} by ${by}`;
    if (output.event === 'MIGRATION' && output.status === 'none') yield `MIGRATION none ${where}`;
    if (output.event === 'STOP' && !running && by !== 'stop-told') yield `STOP of a stopped guest ${where}`;
    if (output.event === 'RESUME' && running) yield `RESUME of a running guest ${where}`;
    if (output.event === 'STOP') running = false;
    if (output.event === 'RESUME') running = true;
  }
  if (outputs.filter(({ kind }) => kind === 'reply').length > 1) yield `two replies to ${by} in ${describe(state)}`;
}
