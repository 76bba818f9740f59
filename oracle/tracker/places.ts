/**
 * What an observation leaves of a set of hypotheses, worked out once for all equal sets: the first time, everything is noted
 * that was asked of the observation and what was left in the end; the next time the same questions are asked, and nothing is
 * searched for. Only for sets that differ in their cores alone, without trails, with at most one command that waits.
 */
import { type Core, type Cores, keyWith } from './core.js';
import { type Emission, idMatches, matches } from './emission.js';
import { type Hypothesis, hypothesis } from './hypothesis.js';
import { passNumber } from './order.js';
import type { Queue } from './queue.js';
import type { Seen } from './search.js';
import type { Tuning } from './tuning.js';

/**
 * Whether the observation is this emission, the id apart; whether its id is that of the command so many back; or whether its
 * number may be that of a pass that these rows permit, after those counted so far or after none that is known.
 */
export type Question = Emission | number | { readonly rows: readonly string[]; readonly counted: boolean };

interface Asked {
  readonly question: Question;
  yes: Answer | undefined;
  no: Answer | undefined;
}

interface Left {
  readonly place: Place;
  /** Commands that no hypothesis has executed. */
  readonly waits: number;
  /** Absent where it stays as it is. */
  readonly tuning: Tuning | undefined;
  readonly pass: 'kept' | 'told' | 'unknown';
}

type Answer = Asked | Left;

/** Hypotheses as far as they differ. */
class Place {
  /** What was asked first, by what was sent last and by the kind of the observation. */
  readonly beginnings = new Map<string, (Answer | undefined)[]>();
  readonly mostBehind: number;

  constructor(
    readonly cores: readonly Core[],
    /** Commands that another hypothesis has executed, and this one has not. */
    readonly behind: readonly number[],
  ) {
    this.mostBehind = Math.max(...behind);
  }
}

/** Places kept, and beginnings of one; more than a long campaign needs at a time. */
const mostPlaces = 20_000;
const mostBeginnings = 200;
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

interface Beginning {
  readonly spot: Spot;
  readonly all: (Answer | undefined)[];
  readonly index: number;
}

/** Where a process may be at some moment. */
export class Position {
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

  /** What an observation leaves, if that is known. */
  after(seen: Seen, strictDesc: boolean): Position | undefined {
    const beginning = this.beginning(seen, strictDesc);
    if (beginning === undefined) return undefined;
    const { all, index } = beginning;
    const { pass, tuning } = beginning.spot;
    let answer = all[index];
    while (answer !== undefined && 'question' in answer) {
      answer = this.holds(answer.question, seen, strictDesc, pass) ? answer.yes : answer.no;
    }
    if (answer === undefined) return undefined;
    const now = answer.pass === 'kept' ? pass : answer.pass === 'told' ? toldPass(seen) : undefined;
    const executed = this.queue.length - answer.waits;
    const spot = { place: answer.place, executed, tuning: answer.tuning ?? tuning, pass: now };
    return new Position(this.places, this.queue, undefined, spot);
  }

  /** Keeps what an observation has left, and what was asked of it on the way. */
  learn(seen: Seen, strictDesc: boolean, asked: readonly [Question, boolean][], next: readonly Hypothesis[]): void {
    const beginning = next.length > 0 ? this.beginning(seen, strictDesc) : undefined;
    const then = beginning === undefined ? null : Position.of(next, this.places, this.queue).find();
    if (beginning === undefined || then === null) return;
    const { all, index, spot } = beginning;
    const told = seen.kind === 'event' && seen.event === 'MIGRATION_PASS';
    const pass = told ? 'told' : then.pass === spot.pass ? 'kept' : then.pass === undefined ? 'unknown' : undefined;
    if (pass === undefined) return;
    const left: Left = {
      place: then.place,
      waits: this.queue.length - then.executed,
      tuning: then.tuning === spot.tuning ? undefined : then.tuning,
      pass,
    };
    let put = (answer: Answer): void => {
      all[index] = answer;
    };
    let at = all[index];
    for (const [question, answer] of asked) {
      if (at === undefined) {
        at = { question, yes: undefined, no: undefined };
        put(at);
      }
      // Of equal sets the same is asked, unless the search has forgotten what it had met before.
      if (!('question' in at) || !isSame(at.question, question)) return;
      const from: Asked = at;
      at = answer ? from.yes : from.no;
      put = (one) => {
        if (answer) from.yes = one;
        else from.no = one;
      };
    }
    put(left);
  }

  private holds(question: Question, seen: Seen, strictDesc: boolean, pass: number | undefined): boolean {
    if (typeof question === 'number') return seen.kind === 'reply' && idMatches(this.queue.idBack(question), seen.id);
    if ('output' in question) return matches(question, seen, strictDesc);
    const before = question.counted ? pass : undefined;
    return seen.kind === 'event' && passNumber(seen.data.pass, before, question.rows) !== undefined;
  }

  /** Where what is asked begins; `undefined` when too much plays a part. */
  private beginning(seen: Seen, strictDesc: boolean): Beginning | undefined {
    this.spot ??= this.spot === null ? null : this.find();
    const { spot, queue } = this;
    if (spot === null || !queue.isPlain) return undefined;
    const { place, executed, pass, tuning } = spot;
    const unseen = queue.length - executed;
    const { last } = queue;
    const waiting = unseen + place.mostBehind;
    if (waiting > 1) return undefined;
    const key = waiting === 0 || last === undefined ? '' : keyWith(last, tuning);
    let all = place.beginnings.get(key);
    if (all === undefined) {
      if (place.beginnings.size >= mostBeginnings) place.beginnings.clear();
      all = [];
      place.beginnings.set(key, all);
    }
    const index = 8 * kindOf(seen) + 4 * unseen + (strictDesc ? 2 : 0) + (pass === undefined ? 1 : 0);
    return { spot, all, index };
  }

  /** What the hypotheses have in common; null when they differ in more than their cores and in their last command. */
  private find(): Spot | null {
    const list = this.hypotheses;
    const [first] = list;
    if (first === undefined || list.length > largest) return null;
    const { tuning, pass } = first;
    let executed = 0;
    for (const one of list) {
      const like = one.tuning === tuning && one.pass === pass && one.done.length === 0 && one.trail === undefined;
      if (!like) return null;
      executed = Math.max(executed, one.executed);
    }
    return { place: this.places.place(list, executed), executed, tuning, pass };
  }
}

const hypothesesAt = ({ place: { cores, behind }, executed, tuning, pass }: Spot): Hypothesis[] =>
  cores.map((core, i) => hypothesis(core, tuning, executed - (behind[i] as number), [], pass));

function isSame(one: Question, other: Question): boolean {
  if (typeof one === 'number' || typeof other === 'number' || 'output' in one || 'output' in other)
    return one === other;
  return one.rows === other.rows && one.counted === other.counted;
}

const toldPass = (seen: Seen): number | undefined => (seen.kind === 'event' ? Number(seen.data.pass) : undefined);

/** Observations of one number are asked the same things first. */
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
