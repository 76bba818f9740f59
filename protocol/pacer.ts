/** For targets with a rate limit: actions in order, at least an interval apart. */
export class Pacer {
  private readonly queue: (() => void)[] = [];
  private nextSlot = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param interval milliseconds between two actions at least; 0 for none */
  constructor(private readonly interval: number) {}

  /** Milliseconds until everything that was asked for has been done. */
  get backlog(): number {
    if (this.queue.length === 0) return 0;
    return Math.max(0, this.nextSlot - performance.now()) + (this.queue.length - 1) * this.interval;
  }

  /** Runs `action` at once, or when its turn has come. */
  run(action: () => void): void {
    if (this.interval === 0) {
      action();
      return;
    }
    this.queue.push(action);
    this.pump();
  }

  /** Runs at once what has not been done, so that nobody waits for it in vain. */
  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const action of this.queue.splice(0)) action();
  }

  private pump(): void {
    while (this.timer === undefined) {
      const next = this.queue[0];
      if (next === undefined) return;
      const wait = this.nextSlot - performance.now();
      if (wait > 0) {
        // One timer for all: several of different length may fire in another order than they were set in.
        this.timer = setTimeout(() => {
          this.timer = undefined;
          this.pump();
        }, Math.ceil(wait));
        return;
      }
      this.queue.shift();
      this.nextSlot = performance.now() + this.interval;
      next();
    }
  }
}
