/**
 * Keeps plain instances of a target warm: starting one costs from 25 ms (QEMU) upwards, reconnecting to a living one under
 * 3 ms. Only instances that are known to be as new are given out again.
 */
import type { Instance, StartOptions, Target } from './target.js';

export class InstancePool {
  private readonly idle: Instance[] = [];
  private readonly starting = new Set<Promise<Instance | undefined>>();
  private closed = false;

  /** @param warm how many unused plain instances to hold ready */
  constructor(
    readonly target: Target,
    private readonly warm: number,
  ) {}

  /** Begins to start instances up to the warm number. */
  fill(): void {
    if (this.target.lacks('start') !== undefined) return;
    while (!this.closed && this.idle.length + this.starting.size < this.warm) {
      const start = this.target.start().then(
        async (instance) => {
          this.starting.delete(start);
          if (this.closed) {
            await instance.dispose();
            return undefined;
          }
          this.idle.push(instance);
          return instance;
        },
        () => {
          // The next acquire starts one itself and tells why it cannot be done.
          this.starting.delete(start);
          return undefined;
        },
      );
      this.starting.add(start);
    }
  }

  /** A plain instance, or a new one with the given options. @throws TargetError */
  async acquire(options: StartOptions = {}): Promise<Instance> {
    if (Object.keys(options).length > 0) return this.target.start(options);
    for (;;) {
      const ready = this.idle.shift();
      if (ready === undefined) break;
      if (ready.exit === undefined) {
        this.fill();
        return ready;
      }
      await ready.dispose();
    }
    const first = this.starting.values().next().value;
    const started = first === undefined ? undefined : await first;
    const at = started === undefined ? -1 : this.idle.indexOf(started);
    if (at >= 0 && started?.exit === undefined) {
      this.idle.splice(at, 1);
      this.fill();
      return started as Instance;
    }
    return this.target.start();
  }

  /** Takes an instance back. `pristine`: nothing was changed in it, so that it may serve again. */
  async release(instance: Instance, pristine: boolean): Promise<void> {
    const plain = Object.keys(instance.options).length === 0;
    // An instance that we did not start is the only one there is.
    const only = this.target.lacks('start') !== undefined;
    if (!this.closed && (pristine || only) && plain && instance.exit === undefined) this.idle.unshift(instance);
    else await instance.dispose();
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.starting);
    await Promise.all(this.idle.map((instance) => instance.dispose()));
    this.idle.length = 0;
  }
}
