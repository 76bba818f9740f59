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

/** Milliseconds after which it is noted how long those who are waited for have had no processor: few waits come to that. */
const firstLook = 250;

/** Milliseconds that somebody is watched who is late, to see whether it is that he gets no processor. */
const watchFor = (ms: number): number => Math.min(200, Math.max(20, ms / 10));

/** Milliseconds on a clock, without those in which we did not come to our timers. */
const present = (clock: Clock): number => clock.now() - (clock.absent?.() ?? 0);

interface Look {
  readonly at: number;
  readonly starved: number;
}

/** A deadline for what is asked for again and again. Time in which we were not there does not count. */
export class FairDeadline {
  private readonly began: number;
  private due: number;
  private readonly last: number;
  private moments = 0;
  private first: Look | undefined;
  private seen: Look | undefined;
  private stretched = false;

  /** @param ms milliseconds from now */
  constructor(
    private readonly clock: Clock,
    private readonly ms: number,
    private readonly starved?: Starved,
  ) {
    this.began = present(clock);
    this.due = this.began + ms;
    this.last = this.began + ms * mostStretched;
  }

  /**
   * Milliseconds that it has come to: those that were asked for, or more where it was made longer than by the moment in which
   * everybody is watched.
   */
  get length(): number {
    return this.stretched || this.moments > 1 ? this.due - this.began : this.ms;
  }

  /** Milliseconds until it may have passed, or is to be asked {@link passed} for the first time. */
  get left(): number {
    const looks = this.starved !== undefined && this.first === undefined && this.ms > 2 * firstLook;
    return Math.max(0, (looks ? this.began + firstLook : this.due) - present(this.clock));
  }

  /**
   * Its time is over, also without what those who are waited for spent waiting for a processor. Who is then seen to wait for
   * one gets more, as long as he does; anybody else is watched for a moment and gets no more than that. At most eight times as
   * much in all.
   */
  get passed(): boolean {
    const now = present(this.clock);
    if (this.starved === undefined || now >= this.last) return now >= this.due;
    if (now < this.due && (this.first !== undefined || now < this.began + firstLook)) return false;
    const starved = this.starved();
    if (now < this.due) {
      this.first = { at: now, starved };
      return false;
    }
    const { first, seen } = this;
    if (first !== undefined && seen === undefined) {
      const due = this.began + this.ms + Math.min(now - first.at, starved - first.starved);
      if (due - now > firstLook / 10) {
        this.due = Math.min(due, this.last);
        this.stretched = true;
        return false;
      }
    }
    if (seen !== undefined && starved - seen.starved < heldUp * (now - seen.at)) return true;
    this.seen = { at: now, starved };
    this.moments++;
    this.due = Math.min(now + watchFor(this.ms), this.last);
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
  wait(deadline.left, 1);
  return () => cancel();
}
