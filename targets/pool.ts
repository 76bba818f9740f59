/**
 * Keeps instances of a target: starting one costs from 25 ms (QEMU) upwards, reconnecting to a living one under 3 ms. Plain
 * ones are started ahead. What is given out again is known to be as new, or is asked for as one that has migrated before.
 */
import { stringifyJson } from '../protocol/json.js';
import { type Instance, type StartOptions, type Target, usualMemory } from './target.js';

/**
 * `new`: nothing that a client could see tells it from an instance that has just started. `migrated`: neither does anything
 * but the outcome of earlier migrations in `query-migrate`. `worn`: the same, and things were done to it that may have left
 * traces that a client does not look for: stored descriptors, for example.
 */
export type Condition = 'new' | 'migrated' | 'worn';

/** What will do where one in a condition is asked for, the least first. */
const served: Readonly<Record<Condition, readonly Condition[]>> = {
  new: ['new'],
  migrated: ['migrated', 'new'],
  worn: ['worn', 'migrated', 'new'],
};

/** Instances that lie idle besides the warm ones: each is a process with its memory. */
const mostIdle = 24;
/** The same of machines whose guests run: they take processors from those that are asked something. */
const mostRunning = 2;

interface Idle {
  readonly instance: Instance;
  readonly key: string;
  readonly condition: Condition;
}

export class InstancePool {
  /** What was given back last is last. */
  private readonly idle: Idle[] = [];
  private readonly conditions = new WeakMap<Instance, Condition>();
  private readonly starting = new Set<Promise<Instance | undefined>>();
  private readonly leaving = new Set<Promise<void>>();
  private closed = false;
  private most = mostIdle;

  /** @param warm how many unused plain instances to hold ready */
  constructor(
    readonly target: Target,
    private warm: number,
  ) {}

  /** From now on few lie idle, and none is held ready: of machines whose guests run. */
  sparing(): void {
    this.warm = 0;
    this.most = mostRunning;
  }

  /** Begins to start instances up to the warm number. */
  fill(): void {
    if (this.target.lacks('start') !== undefined) return;
    const ready = this.idle.filter(({ key, condition }) => key === plain && condition === 'new').length;
    for (let missing = this.warm - ready - this.starting.size; !this.closed && missing > 0; missing--) {
      const start = this.target.start().then(
        async (instance) => {
          this.starting.delete(start);
          if (this.closed) {
            await instance.dispose();
            return undefined;
          }
          this.idle.unshift({ instance, key: plain, condition: 'new' });
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

  /**
   * An instance with these options that nobody else has. @throws TargetError, NotOffered
   * @param condition the least that will do
   */
  async acquire(options: StartOptions = {}, condition: Condition = 'new'): Promise<Instance> {
    const key = keyOf(options);
    // What there is only one of is whatever it is.
    const only = this.target.lacks('start') !== undefined;
    let ready: Instance | undefined;
    for (const one of served[only ? 'worn' : condition]) ready ??= await this.take(key, one);
    if (ready !== undefined) {
      if (key === plain) this.fill();
      return ready;
    }
    const first = key === plain ? this.starting.values().next().value : undefined;
    const started = first === undefined ? undefined : await first;
    const at = started === undefined ? -1 : this.idle.findIndex(({ instance }) => instance === started);
    if (at >= 0 && started?.exit === undefined) {
      this.idle.splice(at, 1);
      this.fill();
      return started as Instance;
    }
    return this.target.start(options);
  }

  /** The one that was used last: it has what it needs in memory. */
  private async take(key: string, condition: Condition): Promise<Instance | undefined> {
    for (;;) {
      const at = this.idle.findLastIndex((one) => one.key === key && one.condition === condition);
      const [found] = at < 0 ? [] : this.idle.splice(at, 1);
      if (found === undefined || found.instance.exit === undefined) return found?.instance;
      await found.instance.dispose();
    }
  }

  /** In which condition it was when it was given out; `undefined` for one that has not served before. */
  conditionOf(instance: Instance): Condition | undefined {
    return this.conditions.get(instance);
  }

  /**
   * Takes an instance back. One that is not kept is told to end, which {@link close} waits for: nobody else need.
   * @param condition what it is like now; `undefined`: not to be used again
   */
  async release(instance: Instance, condition: Condition | undefined): Promise<void> {
    // An instance that we did not start is the only one there is.
    const now = condition ?? (this.target.lacks('start') === undefined ? undefined : 'new');
    if (this.closed) return instance.dispose();
    if (now === undefined || instance.exit !== undefined) return this.end(instance);
    this.conditions.set(instance, now);
    this.idle.push({ instance, key: keyOf(instance.options), condition: now });
    if (this.idle.length <= this.most + this.warm) return;
    // Those that anybody can use are kept for longest.
    const at = this.idle.findIndex((one) => one.key !== plain || one.condition !== 'new');
    const [surplus] = this.idle.splice(Math.max(0, at), 1);
    if (surplus !== undefined) this.end(surplus.instance);
  }

  private end(instance: Instance): void {
    const gone = instance.dispose().finally(() => this.leaving.delete(gone));
    this.leaving.add(gone);
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.starting);
    for (const { instance } of this.idle.splice(0)) this.end(instance);
    await Promise.all(this.leaving);
  }
}

/** The same for options that start the same machine. */
function keyOf({ memory = usualMemory, ...options }: StartOptions): string {
  const rest = Object.entries(options).filter(([, value]) => value !== undefined && value !== false);
  return stringifyJson([memory, ...rest.sort(([a], [b]) => (a < b ? -1 : 1))]);
}
const plain = keyOf({});

/** Started as any other, with nothing of its own. */
export const isPlain = (options: StartOptions): boolean => keyOf(options) === plain;
