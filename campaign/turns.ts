/**
 * Whose turn it is: cases that explore, or cases in bulk. What explores mostly waits for migrations, and finds less the longer
 * a campaign lasts; what comes in bulk fills the time. So the part of the time that bulk gets grows as exploring finds less.
 */
import type { CaseSource } from '../generators/sources.js';

export type Kind = 'bulk' | 'exploring';

export const kindOf = ({ bulk }: CaseSource): Kind => (bulk ? 'bulk' : 'exploring');

/** Parts of the time that bulk gets: while every case that explores finds something new, and when none does. */
const part = { least: 0.3, most: 0.75 } as const;

/** Cases over which it is seen how often exploring finds something. */
const memory = 32;

/** Milliseconds of a case, of which nothing is known yet. */
const firstGuess: Readonly<Record<Kind, number>> = { bulk: 200, exploring: 300 };

export class Turns {
  private readonly usual = { ...firstGuess };
  /** Part of the exploring cases, of late, that found something new. */
  private finds = 1;
  /** Milliseconds that bulk is owed; cases that are under way count as long as is usual. */
  private owed = 0;

  /** Whose turn it is. */
  get next(): Kind {
    return this.owed > 0 ? 'bulk' : 'exploring';
  }

  /** A case was planned. */
  begin(kind: Kind): void {
    this.owed += this.debt(kind, this.usual[kind]);
  }

  /** A case is over. @param duration milliseconds */
  end(kind: Kind, novel: boolean, duration: number): void {
    this.owed += this.debt(kind, duration - this.usual[kind]);
    this.usual[kind] += (duration - this.usual[kind]) / memory;
    if (kind === 'exploring') this.finds += ((novel ? 1 : 0) - this.finds) / memory;
  }

  /** By how much the debt grows with so much time. */
  private debt(kind: Kind, time: number): number {
    if (kind === 'bulk') return -time;
    const bulk = part.least + (part.most - part.least) * (1 - this.finds);
    return (time * bulk) / (1 - bulk);
  }
}
