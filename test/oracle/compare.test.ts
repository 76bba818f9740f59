import { expect } from 'chai';
import pc from 'picocolors';
import { type Alignment, compareTranscripts, unpermitted } from '../../oracle/compare.js';
import type { Judgement } from '../../oracle/judge.js';
import { renderComparison } from '../../reports/comparison.js';

import { capabilityOn, eventsOn, migrateTo, Script } from './tracker/script.js';

const side = (lines: readonly string[]) => {
  const script = new Script().lines(...lines);
  return { transcript: script.transcript, judgement: script.judge('7.2') };
};
const compare = (left: readonly string[], right: readonly string[]) =>
  compareTranscripts(side(left), side(right), { strictDesc: false });
const rowsOf = (left: readonly string[], right: readonly string[]): readonly Alignment[] =>
  compare(left, right).flatMap(({ rows }) => rows);
const odd = (rows: readonly Alignment[]) => rows.filter(({ kind }) => kind !== 'same');

const begin = [eventsOn, '< {}', migrateTo, 'M setup', '< {}', 'P 1', 'M active'];
const end = ['S', 'P 2', 'M completed'];
const info = (status: string, total: number) =>
  `< {"status":"${status}","total-time":${total},"expected-downtime":1,"setup-time":0,"ram":{"total":${total},"page-size":4096}}`;

describe('the comparison of two transcripts', () => {
  it('is alike for the same behaviour with other figures', () => {
    const rows = rowsOf(
      [...begin, '> query-migrate', info('active', 5)],
      [...begin, '> query-migrate', info('active', 7)],
    );
    expect(odd(rows)).to.deep.equal([]);
    expect(rows.length).to.be.greaterThan(8);
  });

  it('calls a reply and an event that changed places moved, and permitted where the model permits both', () => {
    const pause = [capabilityOn('pause-before-switchover'), '< {}'];
    const held = [...pause, ...begin, 'S', 'M pre-switchover', '> migrate-continue {"state":"pre-switchover"}'];
    const rows = odd(rowsOf([...held, 'M device', '< {}'], [...held, '< {}', 'M device']));
    expect(rows.map((row) => [row.kind, row.kind === 'same' ? '' : row.standing])).to.deep.equal([
      ['moved', 'permitted'],
      ['moved', 'permitted'],
    ]);
  });

  it('names the members in which two replies in the same place differ', () => {
    const query = ['> query-status'];
    const [row] = odd(
      rowsOf(
        [...query, '< {"status":"running","running":true,"singlestep":false}'],
        [...query, '< {"status":"paused","running":false,"singlestep":false}'],
      ),
    );
    expect(row?.kind === 'different' && row.members).to.deep.equal([
      { member: 'return.running', left: true, right: false },
      { member: 'return.status', left: 'running', right: 'paused' },
    ]);
  });

  it('says not permitted of the message that diverged, and nothing of those after it', () => {
    const comparisons = compare([...begin, 'M active', ...end], [...begin, ...end]);
    const rows = odd(comparisons.flatMap((one) => one.rows));
    expect(rows.map((row) => row.kind !== 'same' && row.standing)).to.deep.equal(['not-permitted']);
    expect(unpermitted(comparisons)).to.have.lengthOf(1);
    const after = odd(rowsOf([...begin, 'M active', 'S', 'M failed', 'R'], [...begin, ...end]));
    expect(after.map((row) => row.kind !== 'same' && row.standing)).to.include('unjudged');
  });

  it('does not call a known defect a difference against the model', () => {
    const defect: Judgement = { kind: 'known-defect', defects: ['MIG-DEF-01'], observations: 9 };
    const left = { ...side([...begin, 'M failed']), judgement: defect };
    expect(unpermitted(compareTranscripts(left, side([...begin, ...end]), { strictDesc: false }))).to.deep.equal([]);
  });

  it('is shown with long stretches folded, unless all is asked for', () => {
    const comparisons = compare([...begin, 'S', 'P 2', 'M failed', 'R'], [...begin, ...end]);
    const look = { colors: pc.createColors(false), width: 100 };
    const folded = renderComparison(comparisons, ['a', 'b'], { ...look, all: false });
    expect(folded).to.match(/… \d+ messages alike/);
    expect(folded).to.match(/\| .*<- MIGRATION completed +permitted/);
    expect(folded).to.include('data.status: "failed" | "completed"');
    const all = renderComparison(comparisons, ['a', 'b'], { ...look, all: true });
    expect(all).not.to.include('alike');
    expect(all).to.include('-> migrate {"uri":"unix:/run/x"}');
  });
});
