import type { Clock } from '../migration/host.js';

/** The host's monotonic clock. */
export const hostClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
