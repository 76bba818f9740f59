/**
 * The way by which a hypothesis came about: which transitions of the model were taken. Kept only when it is asked for, and
 * read only at the end: a stretch of steps that showed nothing is noted by its ends, and worked out once for all of its kind.
 * Where two ways lead to one hypothesis the first is kept, and what is not on both is doubtful.
 */
import type { ModelState, Side } from '../../reference/model/index.js';
import type { Core, Cores, Move } from './core.js';
import type { Hypothesis } from './hypothesis.js';

/** One transition, in a state in which it was taken. */
export interface Taken {
  readonly side: Side | 'command' | 'defect';
  readonly label: string;
  readonly rows: readonly string[];
  readonly from: ModelState;
}

/** A stretch of steps by themselves from one core to another, or one command executed. */
export interface Trail {
  readonly before: Trail | undefined;
  readonly depth: number;
  readonly from: Core | undefined;
  readonly to: Core | undefined;
  readonly taken: Taken | undefined;
  /** Another way to the same hypothesis goes without it. */
  doubtful: boolean;
}

/** What was taken on every way to the present hypotheses, and what on some. */
export interface Transitions {
  readonly sure: readonly Taken[];
  readonly possible: readonly Taken[];
}

/** The same transition of the model, whatever the state. */
export const transitionKey = ({ side, label, rows }: Omit<Taken, 'from'>): string =>
  `${side} ${label} ${rows.join(' ')}`;

/** The beginning of a way. */
export const begun = (): Trail => ({
  before: undefined,
  depth: 0,
  from: undefined,
  to: undefined,
  taken: undefined,
  doubtful: false,
});

const after = (before: Trail, from: Core, to: Core | undefined, taken: Taken | undefined): Trail => ({
  before,
  depth: before.depth + 1,
  from,
  to,
  taken,
  doubtful: false,
});

/** The hypothesis, after its process went by itself from where `before` was. */
export const walked = (one: Hypothesis, before: Hypothesis): Hypothesis =>
  before.trail === undefined || one.core === before.core
    ? one
    : { ...one, trail: after(before.trail, before.core, one.core, undefined) };

/** The way after a command was executed. */
export function executed(trail: Trail | undefined, from: Core, { label, rows, side }: Move): Trail | undefined {
  if (trail === undefined) return undefined;
  return after(trail, from, undefined, { side: side ?? 'command', label, rows, from: from.state });
}

const same = (a: Trail, b: Trail): boolean =>
  a.from === b.from &&
  a.to === b.to &&
  (a.taken === b.taken ||
    (a.taken !== undefined && b.taken !== undefined && transitionKey(a.taken) === transitionKey(b.taken)));

/** Two ways lead to the same hypothesis, of which the first is kept. */
export function mergeTrails(kept: Trail | undefined, other: Trail | undefined): void {
  const ofKept: Trail[] = [];
  const ofOther: Trail[] = [];
  let [a, b] = [kept, other];
  while (a !== b) {
    if (a !== undefined && (b === undefined || a.depth >= b.depth)) {
      ofKept.push(a);
      a = a.before;
    } else if (b !== undefined) {
      ofOther.push(b);
      b = b.before;
    }
  }
  for (const one of ofKept) if (!ofOther.some((its) => same(one, its))) one.doubtful = true;
}

/** What the ways to these hypotheses have in common, and what not. */
export function transitionsOf(hypotheses: readonly Hypothesis[], cores: Cores): Transitions {
  const possible = new Map<string, Taken>();
  let common: Map<string, Taken> | undefined;
  for (const { trail } of hypotheses) {
    const own = new Map<string, Taken>();
    for (let one = trail; one !== undefined; one = one.before) {
      const { sure, perhaps } = stretch(one, cores);
      for (const [key, taken] of perhaps) possible.set(key, taken);
      if (!one.doubtful) for (const [key, taken] of sure) own.set(key, taken);
    }
    common = common === undefined ? own : new Map([...common].filter(([key]) => own.has(key)));
  }
  return { sure: [...(common ?? new Map<string, Taken>()).values()], possible: [...possible.values()] };
}

interface Stretch {
  readonly sure: ReadonlyMap<string, Taken>;
  readonly perhaps: ReadonlyMap<string, Taken>;
}

const nothing: Stretch = { sure: new Map(), perhaps: new Map() };

/** One transition in states that look the same from outside. */
const placeKey = (taken: Taken): string => `${transitionKey(taken)} ${taken.from.out.status} ${taken.from.in.status}`;

function stretch({ from, to, taken }: Trail, cores: Cores): Stretch {
  if (taken !== undefined) {
    const one = new Map([[placeKey(taken), taken]]);
    return { sure: one, perhaps: one };
  }
  return from === undefined || to === undefined ? nothing : (waysFrom(from, cores).get(to) ?? nothing);
}

const known = new WeakMap<Core, ReadonlyMap<Core, Stretch>>();

/** For every core that is reached without putting out more than one thing: what is on every way there, and what on some. */
function waysFrom(start: Core, cores: Cores): ReadonlyMap<Core, Stretch> {
  const before = known.get(start);
  if (before !== undefined) return before;
  const calm = new Set(cores.reach(start).calm);
  const ways = new Map<Core, { sure: Map<string, Taken>; perhaps: Map<string, Taken> }>();
  ways.set(start, { sure: new Map(), perhaps: new Map() });
  const todo = new Set([start]);
  for (const core of todo) {
    todo.delete(core);
    const here = ways.get(core);
    if (here === undefined || !calm.has(core)) continue;
    for (const { to, label, rows, side } of cores.moves(core)) {
      const taken: Taken | undefined = side === undefined ? undefined : { side, label, rows, from: core.state };
      const step: [string, Taken][] = taken === undefined ? [] : [[placeKey(taken), taken]];
      const there = ways.get(to);
      if (there === undefined) {
        ways.set(to, { sure: new Map([...here.sure, ...step]), perhaps: new Map([...here.perhaps, ...step]) });
        todo.add(to);
        continue;
      }
      const sure = new Map([...there.sure].filter(([key]) => here.sure.has(key) || step.some(([own]) => own === key)));
      const perhaps = new Map([...there.perhaps, ...here.perhaps, ...step]);
      if (to === start) sure.clear();
      if (sure.size === there.sure.size && perhaps.size === there.perhaps.size) continue;
      ways.set(to, { sure, perhaps });
      todo.add(to);
    }
  }
  known.set(start, ways);
  return ways;
}
