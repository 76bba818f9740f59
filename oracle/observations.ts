/**
 * What a target was seen to do, for several requirements to judge. Each of them would bring it about in the same way; one
 * migration is looked at by all. Who finds a fault in what was seen together looks again alone: that is what counts.
 */

import type { Transcript } from '../protocol/transcript.js';
import type { Trial } from './trial.js';

/** One that could be made without a fault. */
export interface Observation<T> {
  readonly value: T;
  readonly transcript: Transcript;
  readonly accepted: Trial['accepted'];
}

/** As many are kept: those who share one mostly stand in neighbouring chapters. The streams among them take a MiB or so each. */
const most = 64;

export class Observations {
  private readonly made = new Map<string, Promise<Observation<unknown> | undefined>>();

  /**
   * The observation with this key; `make` brings it about where nobody has yet.
   * @returns undefined when it cannot be shared: then everybody makes their own
   */
  get<T>(key: string, make: () => Promise<Observation<T> | undefined>): Promise<Observation<T> | undefined> {
    const known = this.made.get(key) ?? make();
    // What was asked for last is kept for longest.
    this.made.delete(key);
    this.made.set(key, known);
    const [oldest] = this.made.keys();
    if (this.made.size > most && oldest !== undefined) this.made.delete(oldest);
    return known as Promise<Observation<T> | undefined>;
  }
}
