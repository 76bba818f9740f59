/**
 * A migration that hangs costs all the time that its scenario waits for another status. That a release hangs there, as it is known
 * to, is worth being seen a few times; from then on nobody waits long for that status to go away.
 */
import type { Patience } from '../oracle/patience.js';
import type { Symptom } from './symptom.js';

/** Cases in which a known defect keeps a status, after which one more says nothing new. */
const enough = 3;

/** Milliseconds that are still waited: a status that only passes is gone by then, on a busy machine too. */
const short = 600;

export class Weary implements Patience {
  private readonly times = new Map<string, number>();
  private stayed = new Set<string>();

  of(query: string, shown: string): number {
    return (this.times.get(`${query} ${shown}`) ?? 0) < enough ? Number.POSITIVE_INFINITY : short;
  }

  ranOut(query: string, shown: string): void {
    this.stayed.add(`${query} ${shown}`);
  }

  /** What a case that is over has shown: where a known defect was all that it showed, its waits were in vain for that. */
  learn(symptoms: readonly Symptom[]): void {
    const known = symptoms.length > 0 && symptoms.every(({ kind }) => kind === 'known-defect');
    for (const status of known ? this.stayed : []) this.times.set(status, (this.times.get(status) ?? 0) + 1);
    this.stayed = new Set();
  }
}
