import { expect } from 'chai';
import { exitCodes } from '../../oracle/exit-codes.js';
import type { RunEvent, RunHeader } from '../../oracle/run-events.js';
import { mergeShards } from '../../reports/merge.js';
import { readRunEvents } from '../../reports/ndjson.js';
import { PlanNotMet } from '../../reports/stream-error.js';
import { diverged, outcome, stream } from './events.js';

const shard = (index: number, more: Partial<RunHeader> = {}, exitCode = 0) => ({
  file: `${index}.ndjson`,
  events: stream([outcome(exitCode === 0 ? 'conforms' : 'divergence', { id: `A-${index}` })], {
    header: { shard: { index, count: 3, total: 3 }, reproduce: `qmpspec run --shard ${index}/3 A-*`, ...more },
    footer: { exitCode },
  }),
});

describe('shards', () => {
  it('together are the run', () => {
    const merged = mergeShards([shard(2, {}, 1), shard(3), shard(1)]);
    // A reader finds nothing wrong with it.
    const text = merged.map((event) => `${JSON.stringify(event)}\n`).join('');
    expect([...readRunEvents(text)]).to.deep.equal(merged);
    expect(merged[0]).to.include({ planned: 3, reproduce: 'qmpspec run A-*' }).and.not.have.property('shard');
    const ids = merged.flatMap((event) => (event.event === 'requirement' ? [event.id] : []));
    expect(ids).to.deep.equal(['A-1', 'A-2', 'A-3']);
    expect(merged.at(-1)).to.include({ planned: 3, ran: 3, exitCode: exitCodes.divergences });
  });

  it('of which one holds nothing that applies end as the others do', () => {
    const { file, events } = shard(1);
    const idle = events.map((event) => (event.event === 'footer' ? { ...event, exitCode: 4 } : event));
    expect(mergeShards([{ file, events: idle }, shard(2), shard(3)]).at(-1)).to.include({ exitCode: 0 });
  });

  it('tell an entry that fits nothing once', () => {
    const unmatched: RunEvent = { event: 'unmatched', entry: 1, text: 'known.json:4: entry 1' };
    const told = [shard(1), shard(2), shard(3)].map(({ file, events: [first, ...rest] }) => ({
      file,
      events: [first as RunEvent, unmatched, ...rest],
    }));
    expect(mergeShards(told).filter(({ event }) => event === 'unmatched')).to.have.length(1);
  });

  const faults: readonly (readonly [string, RegExp, ...ReturnType<typeof shard>[]])[] = [
    ['of which one is missing', /^shard 2\/3 is missing$/, shard(1), shard(3)],
    [
      'of which one comes twice',
      /^shard 2\/3 comes twice: 2\.ndjson, 2\.ndjson$/,
      shard(1),
      shard(2),
      shard(2),
      shard(3),
    ],
    ['of two seeds', /seed differs: 1\.ndjson has 42, 2\.ndjson has 7$/, shard(1), shard(2, { seed: 7 }), shard(3)],
    ['of two divisions', /divide another selection$/, shard(1), shard(2, { shard: { index: 2, count: 4, total: 3 } })],
    [
      'with a whole run among them',
      /^all\.ndjson is no shard/,
      shard(1),
      { file: 'all.ndjson', events: stream([diverged()]) },
    ],
    [
      'that do not hold everything',
      /^9 requirements were planned in all shards, 1 /,
      shard(1, { shard: { index: 1, count: 1, total: 9 } }),
    ],
  ];
  for (const [name, message, ...runs] of faults) {
    it(`${name} are no run`, () => {
      expect(() => mergeShards(runs)).to.throw(PlanNotMet, message);
    });
  }
});
