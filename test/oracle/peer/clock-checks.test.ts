import { expect } from 'chai';
import { wrongClock } from '../../../oracle/peer/clock-checks.js';
import { encodeTimer } from '../../../reference/stream/device-layout.js';

describe('the clock of a machine in its stream', () => {
  const second = 1_000_000_000n;
  it('has run as long as its guest', () => {
    expect(wrongClock(encodeTimer(2n * second, second), true, 1500)).to.equal(undefined);
    expect(wrongClock(encodeTimer(0n, 0n), false, 1500)).to.equal(undefined);
    expect(wrongClock(encodeTimer(0n, 0n), undefined, 1500)).to.equal(undefined);
  });

  it('has not run longer, not backwards, not while the guest stood, and has where it ran', () => {
    for (const [ticks, clock, ran] of [
      [second, 100n * second, true],
      [-1n, second, true],
      [second, -1n, true],
      [20n * second, second, true],
      [0n, 1n, false],
      [1n, 0n, false],
      [0n, 0n, true],
      [0n, second, true],
      [second, 0n, true],
    ] as const)
      expect(wrongClock(encodeTimer(ticks, clock), ran, 1500), `${ticks} ${clock}`).to.match(/^timer counts/);
  });

  it('leaves alone what is not used', () => {
    const body = encodeTimer(second, second);
    body[15] = 1;
    expect(wrongClock(body, true, 1500)).to.match(/not used/);
  });
});
