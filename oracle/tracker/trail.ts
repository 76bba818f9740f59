/**
 * The way by which a hypothesis came about: which transitions of the model were taken. Kept only when it is asked for, and
 * read only at the end: a stretch of steps that showed nothing is noted by its ends, and worked out once for all of its kind.
 * Where two ways lead to one hypothesis the first is kept, and what is not on both is doubtful.
 */
import type { ModelState, Side } from '../../reference/model/index.js';
import { alikeTo } from './alike.js';
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
  /** Other ways to the same hypothesis, and the depth from which they differ. */
  readonly others: { readonly way: Trail; readonly since: number }[];
}

/** What was taken on every way to the present hypotheses, and what on some. */
export interface Transitions {
  readonly sure: readonly Taken[];
  readonly possible: readonly Taken[];
}

/** Rows of orders in which reply and events of one transition may come, and no transitions of their own. */
const ordering = /^MIG-SM-(E02|R\d+|O54)$/;

/** What the outcome of a command is called whose reply comes in its turn, where it is not `answered`. */
const usual: Readonly<Record<string, string>> = { migrate_cancel: 'cancelling', migrate: 'accepted' };

/** What a transition is called, with its rows, whatever the state and the order in which its reply and its events came. */
export function nameOf({ side, label, rows }: Omit<Taken, 'from'>): {
  readonly label: string;
  readonly rows: readonly string[];
} {
  const base = label.replace(
    /^(.*): (?:reply-later|told-late|device-first|device-swapped|device-swapped-early)$/,
    (_, name: string) => `${name}: ${usual[name] ?? 'answered'}`,
  );
  const own = rows.filter((row) => !ordering.test(row));
  const shown = own.length === 0 ? rows : own;
  const alike = alikeTo(side, base, shown);
  return alike === undefined ? { label: base, rows: shown } : { label: alike.name, rows: alike.rows };
}

/** Keys by the rows of a transition, which every move of its kind shares, then by side and label. */
const keys = new WeakMap<readonly string[], Map<string, string>>();

/** Equal for transitions that are the same to a client. */
export function transitionKey(taken: Omit<Taken, 'from'>): string {
  let own = keys.get(taken.rows);
  if (own === undefined) {
    own = new Map();
    keys.set(taken.rows, own);
  }
  const called = `${taken.side} ${taken.label}`;
  let known = own.get(called);
  if (known === undefined) {
    const { label, rows } = nameOf(taken);
    known = `${taken.side} ${label} ${rows.join(' ')}`;
    own.set(called, known);
  }
  return known;
}

/** The beginning of a way. */
export const begun = (): Trail => ({
  before: undefined,
  depth: 0,
  from: undefined,
  to: undefined,
  taken: undefined,
  others: [],
});

const after = (before: Trail, from: Core, to: Core | undefined, taken: Taken | undefined): Trail => ({
  before,
  depth: before.depth + 1,
  from,
  to,
  taken,
  others: [],
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

/** Other ways to one place that are kept; with more of them nothing is sure there. */
const mostWays = 24;

/** Two ways lead to the same hypothesis, of which the first is kept. */
export function mergeTrails(kept: Trail | undefined, other: Trail | undefined): void {
  if (kept === undefined || other === undefined || kept === other) return;
  let [a, b]: [Trail | undefined, Trail | undefined] = [kept, other];
  while (a !== b) {
    if (a !== undefined && (b === undefined || a.depth >= b.depth)) a = a.before;
    else b = b?.before;
  }
  if (kept.others.some(({ way }) => way === other)) return;
  kept.others.push({ way: other, since: a?.depth ?? -1 });
}

/** What the ways to these hypotheses have in common, and what not. */
export function transitionsOf(hypotheses: readonly Hypothesis[], cores: Cores): Transitions {
  const possible = new Map<string, Taken>();
  let common: Map<string, Taken> | undefined;
  for (const trail of new Set(hypotheses.map((one) => one.trail))) {
    const own = sureOn(trail, -1, cores, possible, 0);
    common = common === undefined ? own : new Map([...common].filter(([key]) => own.has(key)));
  }
  return { sure: [...(common ?? new Map<string, Taken>()).values()], possible: [...possible.values()] };
}

/** Ways within ways that are looked into. */
const deepest = 8;

/** What is on every way to the end of a trail, from a depth on; all that is on some is added to `possible`. */
function sureOn(
  trail: Trail | undefined,
  since: number,
  cores: Cores,
  possible: Map<string, Taken>,
  level: number,
): Map<string, Taken> {
  const nodes: { readonly trail: Trail; readonly sure: Map<string, Taken> }[] = [];
  for (let one = trail; one !== undefined && one.depth > since; one = one.before) {
    const { sure, perhaps } = stretch(one, cores);
    for (const [key, taken] of perhaps) possible.set(key, taken);
    nodes.push({ trail: one, sure: new Map(sure) });
  }
  for (const [i, { trail: node }] of nodes.entries()) {
    const lost = node.others.length > mostWays || level >= deepest;
    for (const { way, since: from } of lost ? node.others.slice(0, mostWays) : node.others) {
      const allowed = lost ? new Map<string, Taken>() : sureOn(way, from, cores, possible, level + 1);
      for (let at = i; at < nodes.length; at++) {
        const { trail: part, sure } = nodes[at] as (typeof nodes)[number];
        if (part.depth <= from) break;
        for (const key of sure.keys()) if (!allowed.has(key)) sure.delete(key);
      }
    }
  }
  return new Map(nodes.flatMap(({ sure }) => [...sure]));
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
