import { expect } from 'chai';
import type { Verdict } from '../../../oracle/verdict.js';
import { Transcript } from '../../../protocol/transcript.js';
import { Unheard } from '../../../suites/unheard.js';

const inVain: Verdict = {
  kind: 'divergence',
  divergence: { expected: ['event MIGRATION active'], got: 'nothing within 5000 ms' },
};
const other: Verdict = { kind: 'divergence', divergence: { expected: ['event SHUTDOWN'], got: 'nothing within 5 ms' } };
const silent = new Transcript();
silent.add('source', 'received', '{"timestamp": {}, "event": "SHUTDOWN"}');
const telling = new Transcript();
telling.add('source', 'received', '{"timestamp": {}, "event": "MIGRATION", "data": {"status": "setup"}}');

describe('a monitor that sends no events of migrations', () => {
  const remarks = (verdicts: readonly Verdict[], transcript = silent) => {
    const unheard = new Unheard();
    return verdicts.map((verdict) => unheard.remark(verdict, transcript.entries)).filter((one) => one !== undefined);
  };
  const often = Array.from({ length: 9 }, () => inVain);

  it('is remarked on, once, after some requirements have waited for one', () => {
    expect(remarks(often)).to.have.length(1);
    expect(remarks(often)[0]).to.match(/^4 requirements have waited for an event of a migration/);
    expect(remarks(often.slice(0, 3))).to.deep.equal([]);
  });

  it('is not one that has sent such an event, nor one that lacks another', () => {
    expect(remarks(often, telling)).to.deep.equal([]);
    expect(remarks(Array.from({ length: 9 }, () => other))).to.deep.equal([]);
  });
});
