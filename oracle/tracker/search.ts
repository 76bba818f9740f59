/** Looks for what an observation leaves of a set of hypotheses. */
import { type Front, frontsOf } from './closure.js';
import { type Core, type Cores, type Execution, keyWith } from './core.js';
import { type Emission, idMatches, latest, matches } from './emission.js';
import { after, at, Hypotheses, type Hypothesis, hypothesis } from './hypothesis.js';
import type { Observation } from './observation.js';
import { isMigration, maySwap, passNumber } from './order.js';
import type { Question } from './question.js';
import type { Queue } from './queue.js';
import { mergeTrails, onward, walked } from './trail.js';
import type { Tuning } from './tuning.js';

/** More hypotheses than this mean that the model is too loose to judge: the search says so instead of running on. */
export const mostHypotheses = 20000;

export type Seen = Exclude<Observation, { kind: 'quiet' }>;

/** Told of everything that a search looks at in what may differ, and of what it found there. */
export type Asked = (question: Question, answer: boolean | string) => void;

export class Search {
  /** What was looked at of the order in the present search. */
  private asked: Asked | undefined;
  private looked: { readonly number: number; readonly tuning: Tuning }[] = [];

  constructor(
    private readonly cores: Cores,
    private readonly queue: Queue,
    private readonly strictDesc: boolean,
  ) {}

  /**
   * What is left of a set when this is seen; empty when nothing permits it.
   * @param asked is told everything that was looked at in the observation and in the order of commands, one after the other
   */
  after(set: readonly Hypothesis[], seen: Seen, asked?: Asked): readonly Hypothesis[] {
    this.asked = asked;
    this.looked = [];
    const found = new Hypotheses();
    const fits = this.matcher(seen);
    const swaps = seen.kind === 'reply' || (seen.kind === 'event' && seen.event === 'MIGRATION');
    const keep = (one: Hypothesis, index: number): boolean => {
      const left = this.consume(one, index, seen, fits);
      if (left === undefined) return false;
      const same = found.add(left);
      if (same !== undefined) mergeTrails(same.trail, left.trail);
      return true;
    };
    const wanted = (first: Emission): boolean => fits(first) || (swaps && isMigration(first));
    this.fronts(set, 0, wanted, (front) => {
      const [first] = front.core.pending;
      if (keep(front, 0) || !swaps || first === undefined || !isMigration(first)) return;
      // A neighbour of other origin may have overtaken the front (MIG-SM-E02).
      const second = (candidate: Hypothesis) => {
        if (maySwap(candidate.core.pending)) keep(candidate, 1);
      };
      if (front.core.pending.length > 1) second(front);
      // Only what a command has put out can overtake a step, and here is none.
      else if (first.origin === 'step' && front.core.held === undefined && !this.waits(front)) return;
      else this.fronts([front], 1, fits, second);
    });
    this.asked = undefined;
    return found.all;
  }

  /**
   * Visits every hypothesis that has just put out more than `pending` unseen things, starting from `set`.
   * @param wanted whether one is of use that puts this out
   */
  fronts(
    set: readonly Hypothesis[],
    pending: number,
    wanted: (emission: Emission) => boolean,
    visit: (front: Hypothesis) => void,
  ): void {
    const visited = new Hypotheses();
    const first = (one: Hypothesis): boolean => {
      const same = visited.add(one);
      if (same !== undefined) {
        mergeTrails(same.trail, one.trail);
        return false;
      }
      if (visited.size > mostHypotheses) throw new Error(`the model permits more than ${mostHypotheses} continuations`);
      return true;
    };
    const todo = [...set];
    for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
      const out = one.core.pending[pending];
      if (out !== undefined) {
        if (wanted(out) && first(one)) visit(one);
        continue;
      }
      if (this.queue.isPlain) {
        const waiting = this.inOrder(one.executed, one.tuning);
        const ways: Front[] = [];
        const goesOn = frontsOf(this.cores, one.core, waiting, one.tuning, wanted, ways);
        if (!goesOn || this.inOrder(one.executed + 1, one.tuning) === undefined) {
          for (const way of ways) {
            const front = after(one, way);
            if (first(front)) visit(front);
          }
          continue;
        }
      }
      const { calm, fronts } = this.cores.reach(one.core);
      const there = new Set<Core>();
      for (const move of fronts) {
        if (move.first === undefined || !wanted(move.first) || there.has(move.to)) continue;
        there.add(move.to);
        const front = { ...at(one, move.to), trail: walked(one.trail, one.core, move.to) };
        if (first(front)) visit(front);
      }
      if (!this.waits(one)) continue;
      for (const core of calm) {
        const here = { ...at(one, core), trail: walked(one.trail, one.core, core) };
        if (first(here)) todo.push(...this.queue.executions(this.cores, here, core, wanted));
      }
    }
  }

  /** A command of the first connection: which one it is plays a part from here on. */
  private inOrder(number: number, tuning: Tuning): Execution | undefined {
    const execution = this.queue.inOrder(number);
    if (this.asked !== undefined && !this.looked.some((one) => one.number === number && one.tuning === tuning)) {
      this.looked.push({ number, tuning });
      this.asked({ ask: 'command', number, tuning }, execution === undefined ? '' : keyWith(execution, tuning));
    }
    return execution;
  }

  private waits(one: Hypothesis): boolean {
    return this.queue.isPlain ? this.inOrder(one.executed, one.tuning) !== undefined : this.queue.waits(one);
  }

  /** Whether an emission, its id apart, is the observation: each emission is looked at once. */
  private matcher(seen: Observation): (emission: Emission) => boolean {
    // They are few: to look through them is faster than a map.
    const looked: Emission[] = [];
    const fitting: boolean[] = [];
    return (emission) => {
      if (emission.output.kind !== seen.kind) return false;
      const known = fitting[looked.indexOf(emission)];
      if (known !== undefined) return known;
      const fits = matches(emission, seen, this.strictDesc);
      this.asked?.(emission, fits);
      looked.push(emission);
      fitting.push(fits);
      return fits;
    };
  }

  /** What is left when the pending output at `index` is the observation. */
  private consume(
    one: Hypothesis,
    index: number,
    seen: Observation,
    fits: (emission: Emission) => boolean,
  ): Hypothesis | undefined {
    const emission = one.core.pending[index];
    if (emission === undefined || !fits(emission)) return undefined;
    if (seen.kind === 'reply') {
      const same = idMatches(this.queue.idOf(one, emission.command), seen.id);
      this.asked?.({ ask: 'id', number: emission.command === latest ? one.executed - 1 : undefined }, same);
      if (!same) return undefined;
    }
    let { pass } = one;
    if (seen.kind === 'event' && seen.event === 'MIGRATION_PASS') {
      const number = passNumber(seen.data.pass, pass, emission.rows);
      this.asked?.({ ask: 'pass', rows: emission.rows, counted: pass !== undefined }, number !== undefined);
      if (number === undefined) return undefined;
      pass = number;
    }
    const { tuning, executed, done, trail } = one;
    return hypothesis(this.cores.without(one.core, index), tuning, executed, done, pass, onward(trail));
  }
}
