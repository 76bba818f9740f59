/**
 * Sets of transitions, each once: what is added to one, and what two have in common, is worked out once, since a process does
 * the same thing again and again. Most of what is added is there already, which is seen without making anything.
 */
import { placeKey, type Taken, takenKey } from './transition-name.js';

/** A transition as sets know it. */
interface Element {
  /** Equal for those that look the same from outside; a set has one of each. */
  readonly place: number;
  readonly key: string;
  /** Two numbers by chance: those of a set are theirs, one laid over the other, so that sets are found whatever their order. */
  readonly high: number;
  readonly low: number;
  readonly taken: Taken;
}

type Members = ReadonlyMap<number, Element>;

/** Equal sets are the same object, unless they were made at very different times. */
export class TakenSet {
  private list: readonly Taken[] | undefined;

  constructor(
    /** By place. */
    readonly elements: Members,
    readonly high: number,
    readonly low: number,
  ) {}

  /** In an order that depends on nothing but what they are. */
  get all(): readonly Taken[] {
    this.list ??= [...this.elements.values()].sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ taken }) => taken);
    return this.list;
  }
}

export const empty = new TakenSet(new Map(), 0, 0);

/** Elements, sets and answers kept; more than a long campaign needs at a time. */
const most = 50_000;

const places = new Map<string, number>();
let elements = new Map<string, Element>();
let sets = new Map<number, TakenSet>();
let chance = 1;

/** The next one of numbers that are as good as drawn by chance, of so many bits. */
function drawn(bits: number): number {
  chance = (chance + 0x6d2b79f5) | 0;
  let mixed = Math.imul(chance ^ (chance >>> 15), chance | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> (32 - bits);
}

/** Numbers by which sets are found. */
const nameOf = (high: number, low: number): number => high * 2 ** 31 + low;

/** The set of all of `members` and `others`, none of which are there; it is made where there is none yet. */
function setOf(members: Members, others: readonly Element[], high: number, low: number): TakenSet {
  const name = nameOf(high, low);
  const known = sets.get(name);
  if (known !== undefined && holds(known, members, others)) return known;
  const all = new Map(members);
  for (const one of others) all.set(one.place, one);
  const set = new TakenSet(all, high, low);
  if (sets.size >= most) sets = new Map();
  sets.set(name, set);
  return set;
}

/** Whether a set has just these. */
function holds({ elements: own }: TakenSet, members: Members, others: readonly Element[]): boolean {
  if (own.size !== members.size + others.length) return false;
  for (const one of others) if (own.get(one.place) !== one) return false;
  for (const one of members.values()) if (own.get(one.place) !== one) return false;
  return true;
}

/** The set of one transition. */
export function setOfOne(taken: Taken): TakenSet {
  const key = takenKey(taken);
  let element = elements.get(key);
  if (element === undefined) {
    if (elements.size >= most) elements = new Map();
    const where = placeKey(taken);
    const place = places.get(where) ?? places.size;
    places.set(where, place);
    element = { place, key, high: drawn(21), low: drawn(31), taken };
    elements.set(key, element);
  }
  return setOf(empty.elements, [element], element.high, element.low);
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

/** Sets as small as this are looked through faster than an answer is found. */
const few = 6;

const isWithin = (small: TakenSet, large: TakenSet): boolean => {
  if (small.elements.size > large.elements.size) return false;
  for (const place of small.elements.keys()) if (!large.elements.has(place)) return false;
  return true;
};

function joined(first: TakenSet, second: TakenSet): TakenSet {
  const others: Element[] = [];
  let { high, low } = first;
  for (const one of second.elements.values()) {
    if (first.elements.has(one.place)) continue;
    others.push(one);
    high ^= one.high;
    low ^= one.low;
  }
  return others.length === 0 ? first : setOf(first.elements, others, high, low);
}

function met(first: TakenSet, second: TakenSet): TakenSet {
  if (isWithin(first, second)) return first;
  const both: Element[] = [];
  let [high, low] = [0, 0];
  for (const one of first.elements.values()) {
    if (!second.elements.has(one.place)) continue;
    both.push(one);
    high ^= one.high;
    low ^= one.low;
  }
  return both.length === 0 ? empty : setOf(empty.elements, both, high, low);
}

const joins = new Answers(joined);
const meets = new Answers(met);

/** What is in one of them; where both have the like, what the first one has. */
export function join(first: TakenSet, second: TakenSet): TakenSet {
  if (first === second || second === empty) return first;
  if (first === empty) return second;
  return second.elements.size <= few && isWithin(second, first) ? first : joins.of(first, second);
}

/** What the first one has and the second one has the like of. */
export function meet(first: TakenSet, second: TakenSet): TakenSet {
  if (first === second || first === empty) return first;
  return second === empty ? second : meets.of(first, second);
}
