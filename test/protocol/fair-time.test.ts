import { expect } from 'chai';
import type { Clock } from '../../protocol/clock.js';
import { afterFairTime, FairDeadline, type Starved } from '../../protocol/fair-time.js';
import { Presence } from '../../protocol/presence.js';

/** A clock whose timers fire late by so many milliseconds, one after the other. */
function busy(...late: number[]): { readonly clock: Clock; readonly run: () => void; readonly waited: number[] } {
  let now = 0;
  let next: (() => void) | undefined;
  const waited: number[] = [];
  const clock: Clock = {
    now: () => now,
    after(ms, callback) {
      waited.push(ms);
      next = () => {
        now += ms + (late.shift() ?? 0);
        callback();
      };
      return () => {
        next = undefined;
      };
    },
    soon: () => undefined,
  };
  const run = () => {
    for (let one = next; one !== undefined; one = next) {
      next = undefined;
      one();
    }
  };
  return { clock, run, waited };
}

describe('a deadline for others', () => {
  const passed = (...late: number[]): readonly number[] => {
    const { clock, run, waited } = busy(...late);
    let times = 0;
    afterFairTime(clock, 1000, () => times++);
    run();
    expect(times).to.equal(1);
    return waited;
  };

  it('passes when its time is over', () => {
    expect(passed()).to.deep.equal([1000]);
    expect(passed(20)).to.deep.equal([1000]);
  });

  it('is longer by the time in which nobody listened, at most as long again', () => {
    expect(passed(300)).to.deep.equal([1000, 300]);
    expect(passed(7000, 200)).to.deep.equal([1000, 1000, 200]);
  });

  it('passes in the end though nobody ever listens', () => {
    expect(passed(...Array.from({ length: 20 }, () => 5000))).to.have.length(8);
  });

  it('can be called off while it is made longer', () => {
    const { clock, run } = busy(300);
    let times = 0;
    const cancel = afterFairTime(clock, 1000, () => times++);
    cancel();
    run();
    expect(times).to.equal(0);
  });
});

describe('a deadline in a process that was away', () => {
  it('does not count that time, wherever it lay', () => {
    const { clock, run } = busy();
    // From 300 to 3300 nobody was there.
    const away: Clock = { ...clock, absent: () => Math.min(3000, Math.max(0, clock.now() - 300)) };
    let at = -1;
    afterFairTime(away, 1000, () => {
      at = clock.now();
    });
    run();
    expect(at).to.equal(4000);
    const deadline = new FairDeadline(away, 1000);
    expect(deadline.left).to.equal(1000);
    expect(deadline.passed).to.equal(false);
  });

  it('is known from timers that came late', () => {
    const presence = new Presence(0);
    presence.came(52);
    presence.came(105);
    expect(presence.absent(160)).to.equal(0);
    expect(presence.absent(3155)).to.equal(3000);
    presence.came(3155);
    presence.came(3206);
    expect(presence.absent(3250)).to.equal(3000);
  });
});

describe('a deadline for somebody who may get no processor', () => {
  /** Passes at which time, where so much of each millisecond goes by with him waiting for a processor? */
  const passes = (share: number, until = Number.POSITIVE_INFINITY, ms = 1000): number => {
    const { clock, run } = busy();
    let at = -1;
    afterFairTime(
      clock,
      ms,
      () => {
        at = clock.now();
      },
      () => share * Math.min(clock.now(), until),
    );
    run();
    return at;
  };

  it('passes a moment later where he got what he wanted', () => {
    expect(passes(0)).to.equal(1100);
    expect(passes(0, undefined, 5000)).to.equal(5200);
  });

  it('is longer by what he lost on the way, from a quarter of a second on', () => {
    expect(passes(0.1)).to.equal(1175);
    // Until 950: 0.9 of 700 ms.
    expect(passes(0.9, 950)).to.equal(1730);
  });

  it('is longer as long as he does not, at most eight times as long', () => {
    expect(passes(0.9, 2450)).to.equal(3080);
    expect(passes(0.9)).to.equal(8000);
  });

  it('tells how long it was where it was longer', () => {
    const told = (share: number): number => {
      const { clock, run } = busy();
      let length = -1;
      const starved: Starved = () => share * clock.now();
      afterFairTime(
        clock,
        1000,
        (it) => {
          length = it;
        },
        starved,
      );
      run();
      return length;
    };
    expect(told(0)).to.equal(1000);
    expect(told(0.9)).to.equal(8000);
  });

  it('is the same for what is asked for again and again', () => {
    let now = 0;
    const clock: Clock = { now: () => now, after: () => () => undefined, soon: () => undefined };
    const deadline = new FairDeadline(clock, 1000, () => Math.min(now, 1500));
    const seen = Array.from({ length: 60 }, () => {
      const passed = deadline.passed;
      now += 50;
      return passed;
    });
    expect(seen.indexOf(true) * 50).to.equal(2350);
    expect(new FairDeadline(clock, 0).passed).to.equal(true);
  });
});
