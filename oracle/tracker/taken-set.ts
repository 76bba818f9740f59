/**
 * Sets of transitions, each once: what is added to one, and what two have in common, is worked out once, since a process does
 * the same thing again and again.
 */
import { placeKey, type Taken, takenKey } from './transition-name.js';

/** A transition as sets know it. */
interface Element {
  readonly number: number;
  /** Equal for those that look the same from outside; a set has one of each. */
  readonly place: string;
  readonly taken: Taken;
}

/** Equal sets are the same object, unless they were made at very different times. */
export class TakenSet {
  constructor(
    /** By place. */
    readonly elements: ReadonlyMap<string, Element>,
  ) {}

  get all(): Taken[] {
    return [...this.elements.values()].map(({ taken }) => taken);
  }
}

export const empty = new TakenSet(new Map());

/** Elements, sets and answers kept; more than a long campaign needs at a time. */
const most = 50_000;

let elements = new Map<string, Element>();
let sets = new Map<string, TakenSet>();
let counter = 0;

function setOf(members: ReadonlyMap<string, Element>): TakenSet {
  if (members.size === 0) return empty;
  let key = '';
  for (const { number } of members.values()) key += `${number} `;
  let set = sets.get(key);
  if (set === undefined) {
    if (sets.size >= most) sets = new Map();
    set = new TakenSet(members);
    sets.set(key, set);
  }
  return set;
}

/** The set of one transition. */
export function setOfOne(taken: Taken): TakenSet {
  const key = takenKey(taken);
  let element = elements.get(key);
  if (element === undefined) {
    if (elements.size >= most) elements = new Map();
    element = { number: ++counter, place: placeKey(taken), taken };
    elements.set(key, element);
  }
  return setOf(new Map([[element.place, element]]));
}

/** What comes of two sets. */
class Answers {
  private known = new Map<TakenSet, Map<TakenSet, TakenSet>>();
  private count = 0;

  constructor(private readonly compute: (first: TakenSet, second: TakenSet) => TakenSet) {}

  of(first: TakenSet, second: TakenSet): TakenSet {
    let own = this.known.get(first);
    if (own === undefined) {
      own = new Map();
      this.known.set(first, own);
    }
    let answer = own.get(second);
    if (answer === undefined) {
      answer = this.compute(first, second);
      own.set(second, answer);
      if (++this.count >= most) {
        this.known = new Map();
        this.count = 0;
      }
    }
    return answer;
  }
}

const joins = new Answers((first, second) => {
  const members = new Map(first.elements);
  for (const [place, element] of second.elements) if (!members.has(place)) members.set(place, element);
  return members.size === first.elements.size ? first : setOf(members);
});

const meets = new Answers((first, second) => {
  const members = [...first.elements].filter(([place]) => second.elements.has(place));
  return members.length === first.elements.size ? first : setOf(new Map(members));
});

/** What is in one of them; where both have the like, what the first one has. */
export function join(first: TakenSet, second: TakenSet): TakenSet {
  if (first === second || second === empty) return first;
  return first === empty ? second : joins.of(first, second);
}

/** What the first one has and the second one has the like of. */
export function meet(first: TakenSet, second: TakenSet): TakenSet {
  if (first === second || first === empty) return first;
  return second === empty ? second : meets.of(first, second);
}
