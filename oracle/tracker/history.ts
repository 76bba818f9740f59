/**
 * The transitions of the model that a process took, as far as it is known: for each hypothesis those on every way to it, and
 * those on some. What one observation adds is a step, which stays with what is remembered of the observation.
 */
import { empty, join, meet, type TakenSet } from './taken-set.js';
import type { Taken } from './transition-name.js';

/** What was taken on the ways from a hypothesis before an observation to one after it. */
export interface Edge {
  /** Number of the hypothesis before. */
  readonly origin: number;
  readonly sure: TakenSet;
  readonly perhaps: TakenSet;
}

/** For each hypothesis after an observation, the ways to it. */
export type Step = readonly (readonly Edge[])[];

/** What was taken on every way to the present hypotheses, and what on some. */
export interface Transitions {
  readonly sure: readonly Taken[];
  readonly possible: readonly Taken[];
}

/** Of one hypothesis. */
interface Known {
  readonly sure: TakenSet;
  readonly possible: TakenSet;
}

const nothing: Known = { sure: empty, possible: empty };

export class History {
  private now: readonly Known[];

  /** @param hypotheses how many there are */
  constructor(hypotheses: number) {
    this.now = Array.from({ length: hypotheses }, () => nothing);
  }

  add(step: Step): void {
    const { now: before } = this;
    this.now = step.map((edges) => {
      let sure: TakenSet | undefined;
      let possible: TakenSet = empty;
      for (const edge of edges) {
        const known = before[edge.origin] ?? nothing;
        const certain = join(known.sure, edge.sure);
        sure = sure === undefined ? certain : meet(sure, certain);
        possible = join(possible, join(known.possible, edge.perhaps));
      }
      return { sure: sure ?? empty, possible };
    });
  }

  /** From here on nothing is known but what is known of all hypotheses, of which there are as many. */
  gather(hypotheses: number): void {
    const all = { sure: this.sure, possible: this.possible };
    this.now = Array.from({ length: hypotheses }, () => all);
  }

  get transitions(): Transitions {
    return { sure: this.sure.all, possible: this.possible.all };
  }

  private get sure(): TakenSet {
    const [first = nothing, ...others] = this.now;
    return others.reduce((set, one) => meet(set, one.sure), first.sure);
  }

  private get possible(): TakenSet {
    return this.now.reduce((set, one) => join(set, one.possible), empty);
  }
}
