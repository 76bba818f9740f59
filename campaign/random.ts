/** Numbers from a seed: the same on every machine, and each case has its own, so that cases do not depend on each other. */

/** A small generator (mulberry32) of numbers that only have to look random. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** From 0 to 2^32 - 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let word = this.state;
    word = Math.imul(word ^ (word >>> 15), word | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return (word ^ (word >>> 14)) >>> 0;
  }

  /** From 0 to `limit` - 1. */
  below(limit: number): number {
    return limit <= 1 ? 0 : this.next() % limit;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** One of the entries by their weights, of which one at least must be above 0. */
  weighted<T>(entries: readonly (readonly [weight: number, value: T])[]): T {
    const sum = entries.reduce((total, [weight]) => total + weight, 0);
    let left = (this.next() / 2 ** 32) * sum;
    for (const [weight, value] of entries) {
      if (left < weight) return value;
      left -= weight;
    }
    return (entries.findLast(([weight]) => weight > 0) ?? entries[0])?.[1] as T;
  }
}

/** The numbers of one case of a campaign. */
export const randomOf = (seed: number, index: number): Random =>
  new Random(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35));

/** A tape of so many decisions. */
export const freshTape = (random: Random, length: number): number[] =>
  Array.from({ length }, () => random.next() % 2 ** 30);
