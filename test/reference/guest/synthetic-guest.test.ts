import { expect } from 'chai';
import type { GuestOptions } from '../../../reference/guest/guest-options.js';
import { SyntheticGuest } from '../../../reference/guest/synthetic-guest.js';
import type { Clock } from '../../../reference/migration/host.js';
import { createGuestRam, type GuestRam, pageSize } from '../../../reference/ram/guest-ram.js';
import { MigrationBitmap } from '../../../reference/ram/migration-bitmap.js';
import { isZeroPage } from '../../../reference/ram/zero-page.js';

/** Time that passes when it is told to. */
class TestClock implements Clock {
  #time = 0;
  #alarms: { readonly at: number; readonly ring: () => void }[] = [];

  now(): number {
    return this.#time;
  }
  after(ms: number, ring: () => void): () => void {
    const alarm = { at: this.#time + ms, ring };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((one) => one !== alarm);
    };
  }
  soon(callback: () => void): void {
    this.after(0, callback);
  }
  advance(ms: number): void {
    const end = this.#time + ms;
    for (;;) {
      const next = this.#alarms.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#alarms = this.#alarms.filter((one) => one !== next);
      this.#time = next.at;
      next.ring();
    }
    this.#time = end;
  }
  get waiting(): number {
    return this.#alarms.length;
  }
}

interface Setting {
  readonly clock: TestClock;
  readonly ram: GuestRam;
  readonly guest: SyntheticGuest;
  executing: boolean;
  /** Pages dirtied since the last call. */
  dirtied(): number;
}

function setting(options: GuestOptions): Setting {
  const clock = new TestClock();
  const ram = createGuestRam([
    { name: 'ram', size: 64 * pageSize },
    { name: 'more', size: 64 * pageSize },
  ]);
  ram.logging = true;
  const bitmap = new MigrationBitmap(ram);
  const all: Setting = {
    clock,
    ram,
    executing: true,
    guest: new SyntheticGuest({ ram, clock, executing: () => all.executing }, options),
    dirtied: () => {
      const fresh = bitmap.sync();
      for (const block of ram.blocks) bitmap.of(block).clearAll();
      return fresh;
    },
  };
  all.guest.start();
  return all;
}

describe('synthetic guest', () => {
  it('writes at its rate, whatever the length of its bursts', () => {
    const { clock, guest } = setting({ rate: 730, pattern: 'counter' });
    clock.advance(10_010);
    expect(guest.written).to.be.within(7290, 7310);
  });

  it('stays within its pages and marks each of them', () => {
    const { clock, ram, dirtied } = setting({ rate: 1000, pages: 8, from: 60 * pageSize, pattern: 'counter' });
    clock.advance(1000);
    expect(dirtied()).to.equal(8);
    const touched = ram.blocks.map(({ bytes }) =>
      Array.from({ length: 64 }, (_, page) => page).filter((page) => !isZeroPage(bytes, page * pageSize)),
    );
    expect(touched).to.deep.equal([
      [60, 61, 62, 63],
      [0, 1, 2, 3],
    ]);
  });

  it('stops and goes on with the machine, and owes nothing for the time between', () => {
    const all = setting({ rate: 1000, pattern: 'counter' });
    all.clock.advance(1000);
    const before = all.guest.written;
    all.executing = false;
    all.clock.advance(5000);
    expect(all.guest.written).to.equal(before);
    all.executing = true;
    all.clock.advance(1000);
    expect(all.guest.written - before).to.be.within(960, 1000);
  });

  for (const percent of [20, 50, 99]) {
    it(`is slowed down by ${percent} percent`, () => {
      const { clock, guest } = setting({ rate: 10_000, pattern: 'counter' });
      clock.advance(10);
      guest.throttle(percent);
      clock.advance(10_000);
      expect(guest.written / 100_000).to.be.closeTo(1 - percent / 100, 0.005);
      guest.throttle(0);
      const before = guest.written;
      clock.advance(1000);
      expect(guest.written - before).to.be.within(9900, 10_100);
    });
  }

  it('leaves most of a page alone in `counter`, and none of it in `noise`', () => {
    const changed = (pattern: GuestOptions['pattern']) => {
      const { clock, ram } = setting({ rate: 100, pages: 4, pattern });
      clock.advance(1000);
      const before = Buffer.from(ram.blocks[0]!.bytes);
      clock.advance(1000);
      const after = ram.blocks[0]!.bytes;
      return before.subarray(0, 4 * pageSize).filter((byte, at) => byte !== after[at]).length;
    };
    expect(changed('counter')).to.be.within(4, 32);
    expect(changed('noise')).to.be.greaterThan(4 * pageSize * 0.98);
  });

  it('scatters its writes evenly', () => {
    const { clock, ram } = setting({ rate: 20_000, pattern: 'scatter' });
    clock.advance(1000);
    const dirty = ram.blocks.flatMap(({ dirtyLog }) => dirtyLog.count);
    expect(dirty[0]).to.equal(64);
    expect(dirty[1]).to.equal(64);
  });

  it('empties pages every second round in `zero`', () => {
    const { clock, ram } = setting({ rate: 1000, pages: 100, pattern: 'zero' });
    clock.advance(160);
    const empty = Array.from({ length: 64 }, (_, page) => page).filter((page) =>
      isZeroPage(ram.blocks[0]!.bytes, page * pageSize),
    );
    expect(empty.length).to.be.within(40, 60);
  });

  it('leaves no alarm behind', () => {
    const { clock, guest } = setting({ rate: 1, pattern: 'counter' });
    guest.stop();
    expect(clock.waiting).to.equal(0);
  });

  it('refuses pages outside RAM', () => {
    expect(() => setting({ rate: 1, pages: 129, pattern: 'counter' })).to.throw(RangeError, '128 pages');
    expect(() => setting({ rate: 1, from: 100, pattern: 'counter' })).to.throw(RangeError);
  });
});
