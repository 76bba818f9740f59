/**
 * Decisions for a walk, read one after the other. A walk that is driven by a tape is a function of it: the same tape gives
 * the same scenario on every machine, and a shorter tape gives a shorter scenario, which is how scenarios shrink.
 */
import fc from 'fast-check';

export class Tape {
  private at = 0;

  constructor(private readonly decisions: readonly number[]) {}

  /** True when every decision has been read. */
  get ended(): boolean {
    return this.at >= this.decisions.length;
  }

  /** A number from 0 to `below` - 1; 0 after the end. */
  number(below: number): number {
    const decision = this.decisions[this.at++] ?? 0;
    return below <= 1 ? 0 : decision % below;
  }

  pick<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    return list[this.number(list.length)] as T;
  }

  /** True in `of` of 100 decisions. */
  chance(of: number): boolean {
    return this.number(100) < of;
  }

  /** One of the entries, by their weights. */
  weighted<T>(entries: readonly (readonly [weight: number, value: T])[]): T {
    const sum = entries.reduce((total, [weight]) => total + weight, 0);
    let left = this.number(sum);
    for (const [weight, value] of entries) {
      if (left < weight) return value;
      left -= weight;
    }
    return entries[0]?.[1] as T;
  }
}

/** One of the names of a table of weights. */
export const fromTable = <T extends string>(tape: Tape, table: Readonly<Record<T, number>>): T =>
  tape.weighted((Object.entries(table) as [T, number][]).map(([name, weight]) => [weight, name]));

/** Tapes of at most `length` decisions. */
export const tapes = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat({ max: 2 ** 30 }), { minLength: 8, maxLength: length, size: 'max' });
