import { expect } from 'chai';
import type { Clock } from '../../protocol/clock.js';
import { afterFairTime } from '../../protocol/fair-time.js';

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
