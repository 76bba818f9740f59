/** Deadlines for others, in which time that we did not listen is not theirs. */
import type { Clock } from './clock.js';

/** Milliseconds by which a timer of a process that has time for it may be late. */
const usual = 50;
/** A process that never comes to listen must end, too. */
const mostTries = 8;

/**
 * Runs `callback` after `ms` milliseconds. Where this process was busy when they were over, what has come may still lie
 * unread: then as long again as it was busy, at most `ms`.
 * @returns cancels it
 */
export function afterFairTime(clock: Clock, ms: number, callback: () => void): () => void {
  let cancel: () => void = () => undefined;
  const wait = (time: number, tries: number): void => {
    const due = clock.now() + time;
    cancel = clock.after(time, () => {
      const late = clock.now() - due;
      if (late <= usual || tries >= mostTries) callback();
      else wait(Math.min(late, ms), tries + 1);
    });
  };
  wait(ms, 1);
  return () => cancel();
}
