/**
 * The ways by which one observation leads from hypotheses to hypotheses, as a search finds them: which transitions of the model
 * were taken. Kept only where it is asked for. A stretch of steps that showed nothing is noted by its ends, and worked out once
 * for all of its kind.
 */

import type { Front } from './closure.js';
import type { Core, Cores, Move } from './core.js';
import type { Edge, Step } from './history.js';
import type { Hypothesis } from './hypothesis.js';
import { empty, join, meet, setOfOne, type TakenSet } from './taken-set.js';

/** One way from a hypothesis to the next one: a stretch of steps by themselves from one core to another, or one command. */
interface Way {
  readonly before: Trail;
  readonly from: Core | undefined;
  readonly to: Core | undefined;
  readonly move: Move | undefined;
}

/** How a hypothesis came about. */
export interface Trail {
  /** Its number in the set before, where it was there already. */
  readonly origin: number | undefined;
  readonly ways: Way[];
}

/** The same hypotheses, each at the beginning of a way. */
export const begun = (hypotheses: readonly Hypothesis[]): Hypothesis[] =>
  hypotheses.map((one, origin) => ({ ...one, trail: { origin, ways: [] } }));

/** The same hypotheses, which have left their ways behind. */
export const arrived = (hypotheses: readonly Hypothesis[]): Hypothesis[] =>
  hypotheses.map((one) => ({ ...one, trail: undefined }));

const further = (way: Way): Trail => ({ origin: undefined, ways: [way] });

/** A trail of its own that leads on without a step. */
export const onward = (trail: Trail | undefined): Trail | undefined =>
  trail && further({ before: trail, from: undefined, to: undefined, move: undefined });

/** The trail, after the process went by itself from one core to another. */
export const walked = (trail: Trail | undefined, from: Core, to: Core): Trail | undefined =>
  trail === undefined || from === to ? trail : further({ before: trail, from, to, move: undefined });

/** The trail after one move, as that of a command is. */
export const executed = (trail: Trail | undefined, move: Move): Trail | undefined =>
  trail && further({ before: trail, from: undefined, to: undefined, move });

/** The trail to something put out. */
export function followed(trail: Trail | undefined, core: Core, { move, executed: by }: Front): Trail | undefined {
  if (trail === undefined) return undefined;
  if (by === undefined) return walked(trail, core, move.to);
  const after = executed(walked(trail, core, by.from), by.move);
  return by.move === move ? after : walked(after, by.move.to, move.to);
}

/** Two trails lead to the same hypothesis, of which the first is kept. */
export function mergeTrails(kept: Trail | undefined, other: Trail | undefined): void {
  if (kept === undefined || other === undefined || kept === other) return;
  kept.ways.push({ before: other, from: undefined, to: undefined, move: undefined });
}

/** What was taken between a hypothesis before and one after. */
interface Passage {
  sure: TakenSet;
  perhaps: TakenSet;
}
type Passages = Map<number, Passage>;

/** What an observation has led to. */
export function stepTo(hypotheses: readonly Hypothesis[], cores: Cores): Step {
  const trails = trailsTo(hypotheses);
  const all = new Map<Trail, Passages>();
  // Ways may lead in circles: what is sure shrinks, and what is possible grows, until nothing changes any more.
  for (let changed = true; changed; ) {
    changed = false;
    for (const trail of trails) {
      const before = all.get(trail);
      const now = passagesTo(trail, all, cores);
      if (before !== undefined && areEqual(before, now)) continue;
      all.set(trail, now);
      changed = true;
    }
  }
  return hypotheses.map(({ trail }): readonly Edge[] => {
    const passages = trail === undefined ? undefined : all.get(trail);
    return [...(passages ?? [])].map(([origin, { sure, perhaps }]) => ({ origin, sure, perhaps }));
  });
}

/** All trails on the way to these hypotheses, those before others first as far as there is an order. */
function trailsTo(hypotheses: readonly Hypothesis[]): Set<Trail> {
  const ordered = new Set<Trail>();
  const met = new Set<Trail>();
  const todo = hypotheses.flatMap(({ trail }) => (trail === undefined ? [] : [trail]));
  for (let one = todo.at(-1); one !== undefined; one = todo.at(-1)) {
    if (met.has(one)) {
      ordered.add(one);
      todo.pop();
      continue;
    }
    met.add(one);
    for (const { before } of one.ways) if (!met.has(before)) todo.push(before);
  }
  return ordered;
}

function passagesTo({ origin, ways }: Trail, known: ReadonlyMap<Trail, Passages>, cores: Cores): Passages {
  const result: Passages = new Map();
  if (origin !== undefined) result.set(origin, { sure: empty, perhaps: empty });
  for (const way of ways) {
    const { sure, perhaps } = stretch(way, cores);
    for (const [from, before] of known.get(way.before) ?? []) {
      const [certain, possible] = [join(before.sure, sure), join(before.perhaps, perhaps)];
      const same = result.get(from);
      if (same === undefined) result.set(from, { sure: certain, perhaps: possible });
      else {
        same.sure = meet(same.sure, certain);
        same.perhaps = join(same.perhaps, possible);
      }
    }
  }
  return result;
}

const sameSet = (one: TakenSet, other: TakenSet) => one.elements.size === other.elements.size;

/** Later ones only shrink what is sure and grow what is possible: their sizes tell. */
const areEqual = (before: Passages, now: Passages): boolean =>
  before.size === now.size &&
  [...now].every(([origin, { sure, perhaps }]) => {
    const same = before.get(origin);
    return same !== undefined && sameSet(same.sure, sure) && sameSet(same.perhaps, perhaps);
  });

interface Stretch {
  readonly sure: TakenSet;
  readonly perhaps: TakenSet;
}

const nothing: Stretch = { sure: empty, perhaps: empty };

const ofMoves = new WeakMap<Move, Stretch>();

/** What is taken with a move; nothing where a reply leaves. */
function stretchOf(move: Move): Stretch {
  let known = ofMoves.get(move);
  if (known === undefined) {
    const { taken } = move;
    const set = taken === undefined ? empty : setOfOne(taken);
    known = { sure: set, perhaps: set };
    ofMoves.set(move, known);
  }
  return known;
}

function stretch({ from, to, move }: Way, cores: Cores): Stretch {
  if (move !== undefined) return stretchOf(move);
  return from === undefined || to === undefined ? nothing : (waysFrom(from, cores).get(to) ?? nothing);
}

const known = new WeakMap<Core, ReadonlyMap<Core, Stretch>>();

/** For every core that is reached without putting out more than one thing: what is on every way there, and what on some. */
function waysFrom(start: Core, cores: Cores): ReadonlyMap<Core, Stretch> {
  const before = known.get(start);
  if (before !== undefined) return before;
  const calm = new Set(cores.reach(start).calm);
  const ways = new Map<Core, Stretch>([[start, nothing]]);
  const todo = new Set([start]);
  for (const core of todo) {
    todo.delete(core);
    const here = ways.get(core);
    if (here === undefined || !calm.has(core)) continue;
    for (const move of cores.moves(core)) {
      const { to } = move;
      const { sure: step } = stretchOf(move);
      const [sure, perhaps] = [join(here.sure, step), join(here.perhaps, step)];
      const there = ways.get(to);
      const both =
        there === undefined
          ? { sure, perhaps }
          : { sure: to === start ? empty : meet(there.sure, sure), perhaps: join(there.perhaps, perhaps) };
      if (there !== undefined && sameSet(both.sure, there.sure) && sameSet(both.perhaps, there.perhaps)) continue;
      ways.set(to, both);
      todo.add(to);
    }
  }
  known.set(start, ways);
  return ways;
}
