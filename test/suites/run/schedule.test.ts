import { expect } from 'chai';
import fc from 'fast-check';
import { type Chapter, ChapterBuilder } from '../../../suites/requirement.js';
import { order, type Planned, SelectorError, select, shardOf, sideBySide } from '../../../suites/schedule.js';

const nothing = async () => undefined;
const chapters: readonly Chapter[] = [
  new ChapterBuilder(['QMP protocol', '3 Negotiation'], 'a.md §3')
    .must('QMP-NEG-01', 'one', nothing)
    .must('QMP-NEG-10', 'ten', nothing, { tags: ['racy'] })
    .done(),
  new ChapterBuilder(['QMP protocol', '8 Arguments'], 'a.md §8')
    .must('QMP-ARG-06.boolean', 'a', nothing)
    .should('QMP-ARG-06.null', 'b', nothing)
    .info('QMP-ARG-060', 'c', nothing, { tags: ['Racy'] })
    .done(),
];
const ids = (planned: readonly Planned[]) => planned.map(({ requirement }) => requirement.id);
const all = ids(select(chapters, []));

describe('selection', () => {
  const cases: [string[], string[], string[]][] = [
    [[], [], all],
    [['QMP-NEG-01'], [], ['QMP-NEG-01']],
    [['qmp-neg-*'], [], ['QMP-NEG-01', 'QMP-NEG-10']],
    [['QMP-ARG-06'], [], ['QMP-ARG-06.boolean', 'QMP-ARG-06.null']],
    [['QMP-ARG-06.null'], [], ['QMP-ARG-06.null']],
    [['QMP-ARG-06?'], [], ['QMP-ARG-060']],
    [['racy'], [], ['QMP-NEG-10', 'QMP-ARG-060']],
    [['8 Arguments'], [], ['QMP-ARG-06.boolean', 'QMP-ARG-06.null', 'QMP-ARG-060']],
    [['QMP protocol'], ['QMP-ARG-*'], ['QMP-NEG-01', 'QMP-NEG-10']],
    [['QMP-ARG-060', 'QMP-NEG-01', 'QMP-NEG-0*'], [], ['QMP-NEG-01', 'QMP-ARG-060']],
    [[], ['racy', 'QMP-ARG-06'], ['QMP-NEG-01']],
    [['QMP-NEG-01, 8 Arguments'], ['QMP-ARG-06,qmp-arg-06.null'], ['QMP-NEG-01', 'QMP-ARG-060']],
    [['QMP-{NEG,ARG}-06*,QMP-NEG-10'], [], ['QMP-NEG-10', 'QMP-ARG-06.boolean', 'QMP-ARG-06.null', 'QMP-ARG-060']],
  ];
  for (const [only, skip, expected] of cases) {
    it(`of ${only.join(' ') || 'everything'}${skip.length > 0 ? ` without ${skip.join(' ')}` : ''}`, () => {
      expect(ids(select(chapters, only, skip))).to.deep.equal(expected);
    });
  }

  it('that matches nothing has a suggestion, also what is to be skipped', () => {
    for (const args of [[['QMP-NGE-01']], [[], ['qmp-nge-01']]] as [string[], string[]?][]) {
      expect(() => select(chapters, ...args)).to.throw(
        SelectorError,
        /'.*' matches no requirement; did you mean 'QMP-NEG-01'\?/i,
      );
    }
    expect(() => select(chapters, ['QMP-NEG-01', ''])).to.throw(SelectorError, /a selector is empty/);
    expect(() => select(chapters, ['QMP-NEG'])).to.throw(SelectorError);
    expect(() => select(chapters, ['QMP-NEG-01,QMP-NGE-01'])).to.throw(
      SelectorError,
      /'QMP-NGE-01' matches no requirement/,
    );
    expect(() => select(chapters, ['QMP-NEG-01,'])).to.throw(SelectorError, /a selector is empty/);
  });

  it('may leave nothing', () => {
    expect(select(chapters, ['QMP-NEG-01'], ['QMP-*'])).to.deep.equal([]);
  });
});

describe('shards', () => {
  it('hold every requirement once, whatever their number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), (count) => {
        const planned = select(chapters, []);
        const parts = Array.from({ length: count }, (_, i) => shardOf(planned, i + 1, count));
        expect(ids(parts.flat()).sort()).to.deep.equal([...all].sort());
        const sizes = parts.map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(1);
      }),
    );
  });
});

describe('order', () => {
  const planned = select(chapters, []);

  it('is that of the specification without a seed', () => {
    expect(ids(order(planned, 0))).to.deep.equal(all);
  });

  it('is a permutation that keeps chapters together, the same for the same seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), (seed) => {
        const shuffled = ids(order(planned, seed));
        expect(ids(order(planned, seed))).to.deep.equal(shuffled);
        expect([...shuffled].sort()).to.deep.equal([...all].sort());
        expect(
          shuffled.map((id) => id.slice(0, 7)).filter((chapter, i, list) => chapter !== list[i - 1]),
        ).to.have.length(2);
      }),
    );
  });

  it('is pinned, because a seed in an old report must keep its meaning', () => {
    const pinned = ['QMP-NEG-10', 'QMP-NEG-01', 'QMP-ARG-06.boolean', 'QMP-ARG-06.null', 'QMP-ARG-060'];
    expect(ids(order(planned, 42))).to.deep.equal(pinned);
  });

  it('differs between seeds', () => {
    const orders = new Set(Array.from({ length: 20 }, (_, i) => ids(order(planned, i + 1)).join()));
    expect(orders.size).to.be.greaterThan(5);
  });
});

describe('side by side', () => {
  it('begins in order, at most so many at once, and gives each its own result', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 3 }), { maxLength: 12 }),
        fc.integer({ min: 0, max: 5 }),
        async (ticks, jobs) => {
          let running = 0;
          let most = 0;
          const begun: number[] = [];
          const results = sideBySide([...ticks.keys()], jobs, async (i) => {
            begun.push(i);
            most = Math.max(most, ++running);
            for (let tick = 0; tick < (ticks[i] as number); tick++)
              await new Promise((resolve) => setImmediate(resolve));
            running--;
            return i * 2;
          });
          expect(await Promise.all(results)).to.deep.equal(ticks.map((_, i) => i * 2));
          expect(begun).to.deep.equal([...ticks.keys()]);
          expect(most).to.be.at.most(Math.max(1, jobs));
          expect(most).to.equal(Math.min(Math.max(1, jobs), ticks.length) === 0 ? 0 : most);
        },
      ),
    );
  });

  it('begins early with what lasts, spread among the others, and everything once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (long) => {
        const begun = async (jobs: number) => {
          const order: number[] = [];
          const work = async (i: number) => order.push(i);
          await Promise.all(sideBySide([...long.keys()], jobs, work, (i) => long[i] === true));
          return order;
        };
        expect(await begun(1)).to.deep.equal([...long.keys()]);
        const order = await begun(2);
        expect([...order].sort((a, b) => a - b)).to.deep.equal([...long.keys()]);
        for (const kind of [true, false]) {
          const those = order.filter((i) => long[i] === kind);
          expect(those).to.deep.equal([...those].sort((a, b) => a - b));
        }
        const few = long.filter((one) => one).length <= long.length / 3;
        if (few) for (const i of order.slice(Math.ceil((2 * long.length) / 3) + 1)) expect(long[i]).to.equal(false);
      }),
    );
  });

  it('uses all its places', async () => {
    let running = 0;
    let most = 0;
    await Promise.all(
      sideBySide([1, 2, 3, 4, 5], 3, async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
      }),
    );
    expect(most).to.equal(3);
  });

  it('goes on after a failure, thrown at once or later', async () => {
    const results = sideBySide([0, 1, 2], 1, (i): Promise<number> => {
      if (i === 0) throw new Error('at once');
      return i === 1 ? Promise.reject(new Error('later')) : Promise.resolve(i);
    });
    // Nobody looks for a while: that must not end the process.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const settled = await Promise.allSettled(results);
    expect(settled.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected', 'fulfilled']);
  });
});

describe('chapters', () => {
  it('give their needs to every requirement', () => {
    const [requirement] = new ChapterBuilder(['x'], 'x', {
      abilities: ['start'],
      unless: () => undefined,
    })
      .must('X', 'x', nothing, { needs: { abilities: ['incoming'], commands: ['migrate'], unless: () => 'because' } })
      .done().requirements;
    expect(requirement?.needs).to.deep.include({ abilities: ['start', 'incoming'], commands: ['migrate'] });
    expect(requirement?.needs?.unless?.({} as never)).to.equal('because');
    expect(requirement?.spec).to.equal('x');
  });
});
