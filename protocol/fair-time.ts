/** Deadlines for others, in which time that we did not listen, or that they had no processor, is not theirs. */
import type { Clock } from './clock.js';

/**
 * Milliseconds that those who are waited for could have run and had no processor, in all; only differences count. Absent where
 * nothing is known of them.
 */
export type Starved = () => number;

/** Milliseconds by which a timer of a process that has time for it may be late. */
const usual = 50;
/** A process that never comes to listen must end, too. */
const mostTries = 8;
/** Who waits for a processor for less than this part of the time is not held up by it. */
const heldUp = 0.2;
/** Times a deadline that one for somebody who gets no processor can become at most. */
const mostStretched = 8;

/** Milliseconds that somebody is watched who is late, to see whether it is that he gets no processor. */
const watchFor = (ms: number): number => Math.min(200, Math.max(20, ms / 10));

/** A deadline for what is asked for again and again. */
export class FairDeadline {
  private readonly began: number;
  private due: number;
  private readonly last: number;
  private moments = 0;
  private seen: { readonly at: number; readonly starved: number } | undefined;

  /** @param ms milliseconds from now */
  constructor(
    private readonly clock: Clock,
    private readonly ms: number,
    private readonly starved?: Starved,
  ) {
    this.began = clock.now();
    this.due = this.began + ms;
    this.last = this.began + ms * mostStretched;
  }

  /**
   * Milliseconds that it has come to: those that were asked for, or more where it was made longer than by the moment in which
   * everybody is watched.
   */
  get length(): number {
    return this.moments > 1 ? this.due - this.began : this.ms;
  }

  /** Milliseconds until it may have passed. */
  get left(): number {
    return Math.max(0, this.due - this.clock.now());
  }

  /**
   * Its time is over. Those who are then seen to wait for a processor get more, as long as they do and at most eight times
   * as much in all; anybody else is watched for a moment and gets no more than that.
   */
  get passed(): boolean {
    const now = this.clock.now();
    if (now < this.due) return false;
    if (this.starved === undefined || now >= this.last) return true;
    const starved = this.starved();
    const { seen } = this;
    if (seen !== undefined && starved - seen.starved < heldUp * (now - seen.at)) return true;
    this.seen = { at: now, starved };
    this.moments++;
    this.due = now + watchFor(this.ms);
    return false;
  }
}

/**
 * Runs `callback` after `ms` milliseconds. Where this process was busy when they were over, what has come may still lie
 * unread: then as long again as it was busy, at most `ms`. Where those who are waited for had no processor, as
 * {@link FairDeadline} has it.
 * @param callback is told the {@link FairDeadline.length} that it came to
 * @returns cancels it
 */
export function afterFairTime(
  clock: Clock,
  ms: number,
  callback: (length: number) => void,
  starved?: Starved,
): () => void {
  const deadline = new FairDeadline(clock, ms, starved);
  let cancel: () => void = () => undefined;
  const wait = (time: number, tries: number): void => {
    const due = clock.now() + time;
    cancel = clock.after(time, () => {
      const late = clock.now() - due;
      if (late > usual && tries < mostTries) wait(Math.min(late, ms), tries + 1);
      else if (deadline.passed) callback(deadline.length);
      else wait(deadline.left, 1);
    });
  };
  wait(ms, 1);
  return () => cancel();
}
