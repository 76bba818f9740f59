import { expect } from 'chai';
import { InstancePool } from '../../targets/pool.js';
import type { ExitStatus, Instance, StartOptions, Target } from '../../targets/target.js';

/** A target that counts, and starts when told to. */
class CountingTarget {
  readonly made: (Instance & { disposed: boolean; exit: ExitStatus | undefined; options: StartOptions })[] = [];
  fails = false;
  gate: Promise<void> = Promise.resolve();
  disposing: Promise<void> = Promise.resolve();

  constructor(private readonly startable = true) {}

  get alive(): number {
    return this.made.filter(({ disposed }) => !disposed).length;
  }

  readonly target: Target = {
    name: 'counting',
    description: '',
    lacks: (ability) => (ability === 'start' && !this.startable ? 'it runs already' : undefined),
    start: async (options: StartOptions = {}) => {
      await this.gate;
      if (this.fails) throw new Error('cannot');
      const instance = {
        options,
        exit: undefined,
        disposed: false,
        dispose: async () => {
          await this.disposing;
          instance.disposed = true;
        },
      } as unknown as (typeof this.made)[number];
      this.made.push(instance);
      return instance;
    },
    close: async () => undefined,
  };
}

/** Lets everything that can go on go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('pool of instances', () => {
  it('holds as many ready as it was told, and refills', async () => {
    const counting = new CountingTarget();
    const pool = new InstancePool(counting.target, 2);
    pool.fill();
    await settle();
    expect(counting.made).to.have.length(2);
    await pool.acquire();
    await settle();
    expect(counting.made).to.have.length(3);
    await pool.close();
  });

  it('gives the most worn of those that will do', async () => {
    const counting = new CountingTarget();
    const pool = new InstancePool(counting.target, 0);
    const conditions = ['new', 'migrated', 'worn'] as const;
    const all = await Promise.all(conditions.map(() => pool.acquire()));
    for (const [i, condition] of conditions.entries()) await pool.release(all[i] as Instance, condition);
    for (const i of [2, 1, 0]) expect(await pool.acquire({}, 'worn')).to.equal(all[i]);
    for (const [i, condition] of conditions.entries()) await pool.release(all[i] as Instance, condition);
    expect(await pool.acquire({}, 'new')).to.equal(all[0]);
    expect(await pool.acquire({}, 'migrated')).to.equal(all[1]);
    expect(await pool.acquire({}, 'migrated')).to.equal(counting.made[3]);
    expect(pool.conditionOf(all[2] as Instance)).to.equal('worn');
    await pool.close();
  });

  it('gives an instance to one at a time', async () => {
    const counting = new CountingTarget();
    const pool = new InstancePool(counting.target, 2);
    pool.fill();
    const taken = await Promise.all(Array.from({ length: 6 }, () => pool.acquire()));
    expect(new Set(taken).size).to.equal(6);
    await pool.close();
  });

  it('gives out again what comes back as it was, and nothing else', async () => {
    const counting = new CountingTarget();
    const pool = new InstancePool(counting.target, 0);
    const first = await pool.acquire();
    await pool.release(first, 'new');
    expect(await pool.acquire()).to.equal(first);
    await pool.release(first, undefined);
    await settle();
    expect(counting.made[0]?.disposed).to.equal(true);
    const second = await pool.acquire();
    expect(second).not.to.equal(first);
    await pool.release(second, 'new');
    await pool.close();
    expect(counting.alive).to.equal(0);
  });

  it('never gives out a dead instance', async () => {
    const counting = new CountingTarget();
    const pool = new InstancePool(counting.target, 0);
    const first = await pool.acquire();
    await pool.release(first, 'new');
    (first as { exit: ExitStatus }).exit = { code: 1, signal: null };
    expect(await pool.acquire()).not.to.equal(first);
    expect(counting.made[0]?.disposed).to.equal(true);
    const second = await pool.acquire();
    (second as { exit: ExitStatus }).exit = { code: 1, signal: null };
    await pool.release(second, 'new');
    await settle();
    expect(counting.made[2]?.disposed).to.equal(true);
    await pool.close();
  });

  it('waits for the end of an instance when it is closed, and not before', async () => {
    const counting = new CountingTarget();
    const pool = new InstancePool(counting.target, 0);
    let end: () => void = () => undefined;
    counting.disposing = new Promise((resolve) => {
      end = resolve;
    });
    await pool.release(await pool.acquire(), undefined);
    expect(await pool.acquire()).not.to.equal(counting.made[0]);
    let closed = false;
    const closing = pool.close().then(() => {
      closed = true;
    });
    await settle();
    expect(closed).to.equal(false);
    end();
    await closing;
    expect(counting.made[0]?.disposed).to.equal(true);
  });

  it('gives an instance with options to those who ask for the same machine', async () => {
    const counting = new CountingTarget();
    const pool = new InstancePool(counting.target, 0);
    const special = await pool.acquire({ paused: true });
    expect(special.options).to.deep.equal({ paused: true });
    await pool.release(special, 'new');
    expect(await pool.acquire()).not.to.equal(special);
    expect(await pool.acquire({ paused: true, memory: 32 })).not.to.equal(special);
    expect(await pool.acquire({ memory: 16, paused: true })).to.equal(special);
    await pool.close();
  });

  it('gives one that has migrated only to those who do not mind, and to them first', async () => {
    const counting = new CountingTarget();
    const pool = new InstancePool(counting.target, 0);
    const first = await pool.acquire();
    const second = await pool.acquire();
    expect(pool.conditionOf(first)).to.equal(undefined);
    await pool.release(first, 'migrated');
    await pool.release(second, 'new');
    expect(pool.conditionOf(first)).to.equal('migrated');
    expect(await pool.acquire({}, 'migrated')).to.equal(first);
    await pool.release(first, 'migrated');
    expect(await pool.acquire()).to.equal(second);
    expect(await pool.acquire()).not.to.equal(first);
    await pool.close();
  });

  it('keeps so many, and lets go of the one that was not needed for longest', async () => {
    const counting = new CountingTarget();
    const pool = new InstancePool(counting.target, 0);
    const all = await Promise.all(Array.from({ length: 40 }, () => pool.acquire()));
    for (const one of all) await pool.release(one, 'migrated');
    await settle();
    expect(counting.alive).to.equal(24);
    expect(counting.made.slice(0, 16).every(({ disposed }) => disposed)).to.equal(true);
    await pool.close();
    expect(counting.alive).to.equal(0);
  });

  it('keeps few, and holds none ready, of machines whose guests run', async () => {
    const counting = new CountingTarget();
    const pool = new InstancePool(counting.target, 3);
    pool.sparing();
    pool.fill();
    const all = await Promise.all(Array.from({ length: 5 }, () => pool.acquire()));
    expect(counting.made).to.have.length(5);
    for (const one of all) await pool.release(one, 'migrated');
    await settle();
    expect(counting.alive).to.equal(2);
    await pool.close();
    expect(counting.alive).to.equal(0);
  });

  it('keeps the only instance of a target that cannot start another', async () => {
    const counting = new CountingTarget(false);
    const pool = new InstancePool(counting.target, 3);
    pool.fill();
    const only = await pool.acquire();
    await pool.release(only, undefined);
    expect(await pool.acquire()).to.equal(only);
    expect(counting.made).to.have.length(1);
    await pool.release(only, undefined);
    await pool.close();
    expect(counting.alive).to.equal(0);
  });

  it('tells the one who asks why nothing starts, and recovers', async () => {
    const counting = new CountingTarget();
    counting.fails = true;
    const pool = new InstancePool(counting.target, 1);
    pool.fill();
    await settle();
    const error = await pool.acquire().catch((error: Error) => error);
    expect((error as Error).message).to.equal('cannot');
    counting.fails = false;
    expect((await pool.acquire()).exit).to.equal(undefined);
    await pool.close();
  });

  it('closes with what was still starting, and waits for its end', async () => {
    const counting = new CountingTarget();
    let open: () => void = () => undefined;
    counting.gate = new Promise((resolve) => {
      open = resolve;
    });
    counting.disposing = new Promise((resolve) => setTimeout(resolve, 20));
    const pool = new InstancePool(counting.target, 2);
    pool.fill();
    const closed = pool.close();
    open();
    await closed;
    expect(counting.made).to.have.length(2);
    expect(counting.alive).to.equal(0);
    pool.fill();
    await settle();
    expect(counting.made).to.have.length(2);
  });

  it('disposes of what comes back after it was closed', async () => {
    const counting = new CountingTarget();
    const pool = new InstancePool(counting.target, 0);
    const late = await pool.acquire();
    await pool.close();
    await pool.release(late, 'new');
    expect(counting.alive).to.equal(0);
  });
});
