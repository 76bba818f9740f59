/** One thing that the target may be doing: a core, and what counts. */
import type { ModelState } from '../../reference/model/index.js';
import { isBusy, isOn } from '../../reference/model/state.js';
import type { Front } from './closure.js';
import type { Core } from './core.js';
import { followed, type Trail } from './trail.js';
import type { Tuning } from './tuning.js';

export interface Hypothesis {
  readonly core: Core;
  /** Of the core: without its tuning. */
  readonly state: ModelState;
  /** Parameters that decide nothing but what is shown of them. */
  readonly tuning: Tuning;
  /** Commands of the first connection, in band, that have been executed: a prefix of those sent. */
  readonly executed: number;
  /** Commands outside that order that have been executed here and not in every other hypothesis, by index, ascending. */
  readonly done: readonly number[];
  /** Last number of MIGRATION_PASS seen; 0 before the first, `undefined` when some may have gone unseen. */
  readonly pass: number | undefined;
  /** How a search came to it, where that is kept; no part of what it is. */
  readonly trail: Trail | undefined;
}

export const hypothesis = (
  core: Core,
  tuning: Tuning,
  executed = 0,
  done: readonly number[] = [],
  pass: number | undefined = undefined,
  trail: Trail | undefined = undefined,
): Hypothesis => ({ core, state: core.state, tuning, executed, done, pass, trail });

/** The same with another core. */
export const at = ({ tuning, executed, done, pass, trail }: Hypothesis, core: Core): Hypothesis =>
  hypothesis(core, tuning, executed, done, pass, trail);

/**
 * What is known of the number of the last pass after a command: nothing where it switches events on while a migration goes
 * on, as the baseline lets it in COLO, which may have made passes unseen.
 */
export const passAfter = (before: Core, after: Core, pass: number | undefined): number | undefined => {
  const begins = !isOn(before.state, 'events') && isOn(after.state, 'events');
  return begins && isBusy(before.state.out.status) ? undefined : pass;
};

/** What a hypothesis becomes on a way to something put out. */
export function after(one: Hypothesis, way: Front): Hypothesis {
  const { tuning, done, pass } = one;
  const trail = followed(one.trail, one.core, way);
  const { move, executed } = way;
  if (executed === undefined) return hypothesis(move.to, tuning, one.executed, done, pass, trail);
  const told = passAfter(executed.from, executed.move.to, pass);
  return hypothesis(move.to, executed.move.tuning ?? tuning, one.executed + 1, done, told, trail);
}

/** Text that is equal exactly for equal hypotheses. */
const keyOf = ({ core, tuning, executed, done, pass }: Hypothesis): string =>
  `${core.number},${tuning.number},${executed},${pass}${done.length === 0 ? '' : `,${done}`}`;

const equal = (one: Hypothesis, other: Hypothesis): boolean =>
  one.core === other.core &&
  one.tuning === other.tuning &&
  one.executed === other.executed &&
  one.pass === other.pass &&
  (one.done === other.done ||
    (one.done.length === other.done.length && one.done.every((index, i) => index === other.done[i])));

/** So many are compared one by one, which is faster than to make a key for each; mostly there are not more. */
const few = 16;

/** Hypotheses, each once, in the order in which they came. */
export class Hypotheses {
  readonly all: Hypothesis[] = [];
  private byKey: Map<string, Hypothesis> | undefined;

  get size(): number {
    return this.all.length;
  }

  /** Adds it, unless an equal one is there: then that is given back. */
  add(one: Hypothesis): Hypothesis | undefined {
    if (this.byKey === undefined) {
      for (const other of this.all) if (equal(one, other)) return other;
      if (this.all.length === few) this.byKey = new Map(this.all.map((other) => [keyOf(other), other]));
    }
    if (this.byKey !== undefined) {
      const key = keyOf(one);
      const same = this.byKey.get(key);
      if (same !== undefined) return same;
      this.byKey.set(key, one);
    }
    this.all.push(one);
    return undefined;
  }
}
