/**
 * What an observation leaves of a set of hypotheses, worked out once for all equal sets: the first time, everything is noted
 * that was asked of the observation and of the commands that wait, and what was left in the end; the next time the same
 * questions are asked, and nothing is searched for. Only for sets that differ in their cores and in how far they are with the
 * commands, and while nothing runs outside the order of the first connection.
 */
import type { ModelState } from '../../reference/model/index.js';
import type { Core, Cores } from './core.js';
import type { Step } from './history.js';
import { type Hypothesis, hypothesis } from './hypothesis.js';
import { type Answer, answerTo, areSame, inGeneral, type Question } from './question.js';
import type { Queue } from './queue.js';
import type { Seen } from './search.js';
import type { Tuning } from './tuning.js';

/** A question, and what follows from each answer to it. */
class Asked {
  private yes: Next | undefined;
  private no: Next | undefined;
  private others: Map<string, Next> | undefined;

  constructor(readonly question: Question) {}

  after(answer: Answer): Next | undefined {
    if (typeof answer === 'string') return this.others?.get(answer);
    return answer ? this.yes : this.no;
  }

  put(answer: Answer, next: Next): void {
    if (answer === true) this.yes = next;
    else if (answer === false) this.no = next;
    else {
      // Arguments drawn at random make every command another one.
      if (this.others === undefined || this.others.size >= mostAnswers) this.others = new Map();
      this.others.set(answer, next);
    }
  }
}

/** What is left in the end. */
class Left {
  constructor(
    readonly place: Place,
    /** Commands by which the foremost hypothesis is further than the foremost one before. */
    readonly further: number,
    /** Absent where it stays as it is. */
    readonly tuning: Tuning | undefined,
    readonly pass: 'kept' | 'told' | 'unknown',
    /** What was taken on the way; absent where that was not kept. */
    readonly step: Step | undefined,
  ) {}
}

type Next = Asked | Left;

/** Hypotheses as far as they differ. */
class Place {
  /** What is asked first, by the kind of the observation. */
  readonly beginnings: (Next | undefined)[] = [];
  /** States with the tuning that they were last asked for with. */
  private shown: { readonly tuning: Tuning; readonly states: readonly ModelState[] } | undefined;

  constructor(
    readonly cores: readonly Core[],
    /** Commands that another hypothesis has executed, and this one has not. */
    readonly behind: readonly number[],
  ) {}

  states(tuning: Tuning): readonly ModelState[] {
    if (this.shown?.tuning !== tuning) this.shown = { tuning, states: this.cores.map(({ node }) => node.with(tuning)) };
    return this.shown.states;
  }
}

/** Places kept, and answers of one question; more than a long campaign needs at a time. */
const mostPlaces = 20_000;
const mostAnswers = 200;
/** Larger sets are too rare to come again. */
const largest = 100;

export class Places {
  private static readonly all = new WeakMap<Cores, Places>();
  private known = new Map<string, Place>();

  static of(cores: Cores): Places {
    const places = Places.all.get(cores) ?? new Places();
    Places.all.set(cores, places);
    return places;
  }

  place(hypotheses: readonly Hypothesis[], executed: number): Place {
    let key = '';
    for (const one of hypotheses) key += `${one.core.number},${executed - one.executed} `;
    let place = this.known.get(key);
    if (place === undefined) {
      if (this.known.size >= mostPlaces) this.known = new Map();
      const behind = hypotheses.map((one) => executed - one.executed);
      place = new Place(
        hypotheses.map(({ core }) => core),
        behind,
      );
      this.known.set(key, place);
    }
    return place;
  }
}

/** A place, and what its hypotheses have in common. */
interface Spot {
  readonly place: Place;
  /** Commands that the foremost hypothesis has executed. */
  readonly executed: number;
  readonly tuning: Tuning;
  readonly pass: number | undefined;
}

/** Where a process may be at some moment. */
export class Position {
  private shown: readonly ModelState[] | undefined;

  private constructor(
    private readonly places: Places,
    private readonly queue: Queue,
    private list: readonly Hypothesis[] | undefined,
    /** Absent until it is asked for; null when the hypotheses differ in more than their cores. */
    private spot: Spot | null | undefined,
  ) {}

  static of(hypotheses: readonly Hypothesis[], places: Places, queue: Queue): Position {
    return new Position(places, queue, hypotheses, undefined);
  }

  get hypotheses(): readonly Hypothesis[] {
    this.list ??= this.spot ? hypothesesAt(this.spot) : [];
    return this.list;
  }

  /** Those of the hypotheses, one for each. */
  get cores(): readonly Core[] {
    return this.spot ? this.spot.place.cores : this.hypotheses.map(({ core }) => core);
  }

  /** Whole states of the hypotheses, one for each. */
  get states(): readonly ModelState[] {
    const { spot } = this;
    if (spot) return spot.place.states(spot.tuning);
    this.shown ??= this.hypotheses.map(({ core, tuning }) => core.node.with(tuning));
    return this.shown;
  }

  /**
   * What an observation leaves, if that is known.
   * @param traced what was taken on the way must be known, too
   */
  after(
    seen: Seen,
    strictDesc: boolean,
    traced: boolean,
  ): { readonly position: Position; readonly step: Step | undefined } | undefined {
    const spot = this.plainSpot();
    if (spot === undefined) return undefined;
    const { queue } = this;
    const { executed, pass, tuning } = spot;
    const asking = { seen, queue, from: executed, tuning, pass, strictDesc };
    let next = spot.place.beginnings[beginningOf(seen, strictDesc, pass)];
    while (next instanceof Asked) next = next.after(answerTo(next.question, asking));
    if (next === undefined || (traced && next.step === undefined)) return undefined;
    const now = next.pass === 'kept' ? pass : next.pass === 'told' ? toldPass(seen) : undefined;
    const there = {
      place: next.place,
      executed: executed + next.further,
      tuning: next.tuning ?? tuning,
      pass: now,
    };
    return { position: new Position(this.places, queue, undefined, there), step: next.step };
  }

  /** Keeps what an observation has left, and what was asked on the way. */
  learn(
    seen: Seen,
    strictDesc: boolean,
    asked: readonly (readonly [Question, Answer])[],
    next: readonly Hypothesis[],
    step: Step | undefined,
  ): void {
    const spot = next.length > 0 ? this.plainSpot() : undefined;
    const then = spot === undefined ? null : Position.of(next, this.places, this.queue).find();
    if (spot === undefined || then === null) return;
    const told = seen.kind === 'event' && seen.event === 'MIGRATION_PASS';
    const pass = told ? 'told' : then.pass === spot.pass ? 'kept' : then.pass === undefined ? 'unknown' : undefined;
    if (pass === undefined) return;
    const tuning = then.tuning === spot.tuning ? undefined : then.tuning;
    const left = new Left(then.place, then.executed - spot.executed, tuning, pass, step);
    const { beginnings } = spot.place;
    const index = beginningOf(seen, strictDesc, spot.pass);
    let put = (one: Next): void => {
      beginnings[index] = one;
    };
    let at = beginnings[index];
    for (const [given, answer] of asked) {
      const question = inGeneral(given, spot.executed, spot.tuning);
      // Of equal sets the same is asked, unless the search has forgotten what it had met before.
      if (!(at instanceof Asked) || !areSame(at.question, question)) {
        at = new Asked(question);
        put(at);
      }
      const from: Asked = at;
      at = from.after(answer);
      put = (one) => from.put(answer, one);
    }
    put(left);
  }

  /** The spot, if its hypotheses have one and nothing else plays a part. */
  private plainSpot(): Spot | undefined {
    if (!this.queue.isPlain) return undefined;
    this.spot ??= this.spot === null ? null : this.find();
    return this.spot ?? undefined;
  }

  /** What the hypotheses have in common; null when they differ in more than their cores and in their last command. */
  private find(): Spot | null {
    const list = this.hypotheses;
    const [first] = list;
    if (first === undefined || list.length > largest) return null;
    const { tuning, pass } = first;
    let executed = 0;
    for (const one of list) {
      const like = one.tuning === tuning && one.pass === pass && one.done.length === 0;
      if (!like) return null;
      executed = Math.max(executed, one.executed);
    }
    return { place: this.places.place(list, executed), executed, tuning, pass };
  }
}

const hypothesesAt = ({ place: { cores, behind }, executed, tuning, pass }: Spot): Hypothesis[] =>
  cores.map((core, i) => hypothesis(core, tuning, executed - (behind[i] as number), [], pass));

const toldPass = (seen: Seen): number | undefined => (seen.kind === 'event' ? Number(seen.data.pass) : undefined);

/** Observations of one number, at one place, are asked the same things first. */
const beginningOf = (seen: Seen, strictDesc: boolean, pass: number | undefined): number =>
  4 * kindOf(seen) + (strictDesc ? 2 : 0) + (pass === undefined ? 1 : 0);

function kindOf(seen: Seen): number {
  switch (seen.kind) {
    case 'reply':
      return 0;
    case 'exit':
      return 1;
    case 'event':
      return seen.event === 'MIGRATION' ? 2 : seen.event === 'MIGRATION_PASS' ? 3 : 4;
  }
}
