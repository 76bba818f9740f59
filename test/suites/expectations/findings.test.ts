import { expect } from 'chai';
import { parseExpectations } from '../../../suites/expectations/file.js';
import { ExpectedFindings } from '../../../suites/expectations/findings.js';

const title = 'divergence: success of migrate-continue in outgoing active/iterating';

const expected = (...entries: readonly object[]): ExpectedFindings =>
  new ExpectedFindings(
    parseExpectations(
      JSON.stringify({ version: 1, expectations: entries.map((one) => ({ reason: 'known', ...one })) }),
      'known.json',
    ),
    '2026-06-01',
  );

describe('findings that an expectations file knows', () => {
  it('are known by their id, or by their title with wildcards', () => {
    const byId = expected({ kind: 'finding', signature: '1f2e3d4c' });
    expect(byId.knows('00000000', title)).to.equal(false);
    expect(byId.knows('1f2e3d4c', title)).to.equal(true);
    expect(byId.outdated()).to.deep.equal([]);
    const byTitle = expected({ kind: 'finding', signature: 'divergence: success of migrate-continue *' });
    expect(byTitle.knows('00000000', title)).to.equal(true);
    expect(byTitle.knows('00000000', 'hang: no reply to stop')).to.equal(false);
  });

  it('are told when they were not met, and only they', () => {
    const [line, ...more] = expected(
      { kind: 'known-failing', id: 'MIG-SM-O04' },
      { kind: 'finding', signature: 'hang: *' },
    ).outdated();
    expect(line).to.match(/^known\.json:1: entry 2 \(known\) was not met: nothing is known by 'hang: \*'/);
    expect(more).to.deep.equal([]);
  });

  it('are known to their last day, and told after it', () => {
    const on = (expires: string) => expected({ kind: 'finding', signature: 'divergence: *', expires });
    const last = on('2026-06-01');
    expect([last.knows('0', title), last.outdated()]).to.deep.equal([true, []]);
    const past = on('2026-05-31');
    expect(past.knows('0', title)).to.equal(false);
    expect(past.outdated().join()).to.contain('has expired on 2026-05-31, and what it knows was found');
  });
});
