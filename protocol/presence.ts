/** When this process came to its timers: what it waits for may have happened while it did not, and lies unread. */

/** Milliseconds between two looks. */
export const beat = 50;
/** Milliseconds by which a timer of a process that has time for it may be late. */
const usual = 10;

export class Presence {
  private lost = 0;

  /** @param last milliseconds, when it was there first */
  constructor(private last: number) {}

  /** The timer that calls each {@link beat} has called. */
  came(now: number): void {
    this.lost += this.late(now);
    this.last = now;
  }

  /** Milliseconds in which it was not there, in all; only differences count. */
  absent(now: number): number {
    return this.lost + this.late(now);
  }

  private late(now: number): number {
    const late = now - this.last - beat;
    return late > usual ? late : 0;
  }
}

let ours: Presence | undefined;

/** Milliseconds in which this process was stopped, had no processor, or was busy; counted from the first call on. */
export function absence(): number {
  const now = performance.now();
  if (ours === undefined) {
    const presence = new Presence(now);
    ours = presence;
    setInterval(() => presence.came(performance.now()), beat).unref();
  }
  return ours.absent(now);
}
