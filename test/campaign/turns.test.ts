import { expect } from 'chai';
import { type Kind, Turns } from '../../campaign/turns.js';

/** Part of the time that bulk gets in the second half of 4000 cases, several of them under way at once. */
function partOfBulk(novel: (n: number) => boolean, duration: Readonly<Record<Kind, number>>, atOnce = 1): number {
  const turns = new Turns();
  const time: Record<Kind, number> = { bulk: 0, exploring: 0 };
  const running: Kind[] = [];
  for (let n = 0; n < 4000; n++) {
    while (running.length < atOnce) {
      const next = turns.next;
      turns.begin(next);
      running.push(next);
    }
    const kind = running.shift() as Kind;
    turns.end(kind, novel(n), duration[kind]);
    if (n >= 2000) time[kind] += duration[kind];
  }
  return time.bulk / (time.bulk + time.exploring);
}

describe('the turns of a campaign', () => {
  it('leave the most of the time to exploring while it finds something', () => {
    expect(partOfBulk(() => true, { bulk: 100, exploring: 1000 })).to.be.closeTo(0.3, 0.02);
    expect(partOfBulk(() => true, { bulk: 500, exploring: 100 })).to.be.closeTo(0.3, 0.02);
  });

  it('give bulk the more, the less is found, and never all', () => {
    expect(partOfBulk((n) => n % 2 === 0, { bulk: 100, exploring: 1000 })).to.be.within(0.3, 0.7);
    expect(partOfBulk(() => false, { bulk: 100, exploring: 1000 })).to.be.closeTo(0.75, 0.03);
  });

  it('count what is under way', () => {
    expect(partOfBulk(() => false, { bulk: 100, exploring: 1000 }, 8)).to.be.closeTo(0.75, 0.04);
  });
});
