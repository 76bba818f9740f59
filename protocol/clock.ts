/** Time and turns, so that a simulation can replace both. */
import { absence } from './presence.js';

export interface Clock {
  /** Monotonic, milliseconds, fractional. */
  now(): number;
  /** Runs `callback` once after `ms` milliseconds; the result cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** Runs `callback` once everything that is ready now has had its turn. */
  soon(callback: () => void): void;
  /** Milliseconds in which we did not come to our timers, in all; only differences count. Absent where that cannot be. */
  absent?(): number;
}

/** The host's monotonic clock and event loop. */
export const hostClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  soon(callback) {
    setImmediate(callback);
  },
  absent: absence,
};

/** Resolves when {@link Clock.soon} would have called. */
export const turn = (clock: Clock): Promise<void> => new Promise((resolve) => clock.soon(resolve));
