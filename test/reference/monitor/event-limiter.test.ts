import { expect } from 'chai';
import { protocolRules } from '../../../reference/dialects/protocol.js';
import type { Clock } from '../../../reference/migration/host.js';
import { EventLimiter, type QmpEvent } from '../../../reference/monitor/event-limiter.js';

/** A clock that stands until told to go on. */
class ManualClock implements Clock {
  #now = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];
  now = () => this.#now;
  after(ms: number, callback: () => void) {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  soon(callback: () => void) {
    this.after(0, callback);
  }
  advance(ms: number) {
    this.#now += ms;
    for (const timer of this.#timers.filter(({ at }) => at <= this.#now)) {
      this.#timers = this.#timers.filter((other) => other !== timer);
      timer.callback();
    }
  }
}

function setup(dialect: '3.0' | '10.0' = '3.0') {
  const clock = new ManualClock();
  const sent: unknown[] = [];
  const limiter = new EventLimiter(protocolRules[dialect].limitedEvents, clock, ({ data }) => sent.push(data?.n));
  let n = 0;
  const raise = (event: string, data: object = {}) =>
    limiter.raise({ timestamp: { seconds: 0, microseconds: 0 }, event, data: { n: ++n, ...data } } satisfies QmpEvent);
  return { clock, sent, raise };
}

describe('QMP-EVT-30..33: rate limiting', () => {
  it('QMP-EVT-31: the first at once, then the latest at the end of each window', () => {
    const { clock, sent, raise } = setup();
    for (let times = 0; times < 4; times++) raise('RTC_CHANGE');
    expect(sent).to.deep.equal([1]);
    clock.advance(500);
    raise('RTC_CHANGE');
    expect(sent).to.deep.equal([1]);
    clock.advance(500);
    expect(sent).to.deep.equal([1, 5]);
    clock.advance(600);
    raise('RTC_CHANGE');
    expect(sent).to.deep.equal([1, 5]);
    clock.advance(400);
    expect(sent).to.deep.equal([1, 5, 6]);
    clock.advance(1000);
    raise('RTC_CHANGE');
    expect(sent).to.deep.equal([1, 5, 6, 7]);
  });

  it('QMP-EVT-30: instances are limited apart', () => {
    const { sent, raise } = setup();
    raise('VSERPORT_CHANGE', { id: 'a' });
    raise('VSERPORT_CHANGE', { id: 'b' });
    raise('VSERPORT_CHANGE', { id: 'a' });
    expect(sent).to.deep.equal([1, 2]);
  });

  it('QMP-EVT-33: others are not limited', () => {
    const { sent, raise } = setup();
    for (const event of ['MIGRATION', 'MIGRATION', 'STOP', 'STOP', 'BLOCK_IO_ERROR', 'BLOCK_IO_ERROR']) raise(event);
    expect(sent).to.deep.equal([1, 2, 3, 4, 5, 6]);
  });

  it('QMP-D-48: an I/O error that stops the guest is never held back', () => {
    const { sent, raise } = setup('10.0');
    for (const action of ['report', 'report', 'stop', 'stop']) raise('BLOCK_IO_ERROR', { action });
    expect(sent).to.deep.equal([1, 3, 4]);
  });
});
