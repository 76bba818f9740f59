/**
 * Quiet by deadline, seen in the times of a transcript. What a monitor must do by itself is overdue once nothing has stirred
 * for a while although the process answered all along: time in which it showed no life may have been a busy machine's, and
 * counts for little. (Quiet by a fence needs no clock: its reply has to come behind all that was put out before it.)
 */

/** Milliseconds between two signs of life that count at most: nobody asks more often than our own waiting steps do. */
const mostBetween = 250;
/** Milliseconds of silence that are enough in a process of ours: small guests, no disks, peers of our own. */
const ofOurs = 2000;
/** The same for any other process: stopping a large guest with slow disks takes its time. */
const ofOthers = 10_000;

export class Silence {
  /** Milliseconds of silence so far. */
  private length = 0;
  private lastSign: number | undefined;

  constructor(private readonly ours: boolean) {}

  /** Something happened that others may follow from: here, at the peer, or in another process. */
  stir(): void {
    this.length = 0;
    this.lastSign = undefined;
  }

  /**
   * The process answered.
   * @param time milliseconds
   * @returns whether the silence has lasted long enough
   */
  answered(time: number): boolean {
    if (this.lastSign !== undefined) this.length += Math.min(time - this.lastSign, mostBetween);
    this.lastSign = time;
    return this.length >= (this.ours ? ofOurs : ofOthers);
  }
}
