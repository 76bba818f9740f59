/** A few faults and variations, as `npm run selftest` takes all. */
import { expect } from 'chai';
import { faults, variations } from '../../reference/faults/index.js';
import { hunt, likely } from '../../selftest/hunt.js';
import { recall } from '../../selftest/memory.js';
import { trialRun } from '../../selftest/trial-run.js';
import { tryVariation } from '../../selftest/try-variation.js';
import { chapters } from '../../suites/index.js';
import { select } from '../../suites/schedule.js';

/** One of each seam. */
const some = [
  'id-lost',
  'stop-twice',
  'default-of-downtime-limit',
  'stream-magic-wrong',
  'guest-runs-through-switch-over',
];

/** What whole runs on a variation once flagged. */
const minded: Readonly<Record<string, readonly string[]>> = {
  'more-blanks': ['QMP-OUT-0*', 'QMP-VEC-34', 'QMP-LEX-09', 'QMP-GREET-03', 'QMP-TRANS-12'],
  'no-blanks': ['QMP-OUT-0*', 'QMP-NUM-02', 'QMP-LIM-01', 'QMP-TRANS-12.long'],
  'escaped-values': ['QMP-LEX-09', 'QMP-STR-03', 'QMP-TRANS-12'],
  'unknown-events': [
    'QMP-CONN-02',
    'QMP-CONN-08',
    'QMP-NEG-15',
    'QMP-RUN-04.quit',
    'QMP-TRANS-16',
    'QMP-TRANS-12.long',
  ],
  'error-texts': ['MIG-CMD-MIG-31.*', 'MIG-SM-O02', 'MIG-SM-O04', 'MIG-SM-O05', 'MIG-CMD-EXEC-02'],
  'schema-renumbered': ['QMP-BASE-05*'],
  'more-commands': ['QMP-BASE-03', 'QMP-BASE-05*', 'QMP-ARG-02', 'QMP-OOB-05', 'QMP-RUN-24'],
  'more-statistics': ['MIG-CMD-MIG-30', 'MIG-CMD-MIG-31.*', 'MIG-SM-O80'],
  'more-parameters': ['MIG-CMD-SPAR-01.same'],
  'status-late': ['MIG-SM-O38.unknown', 'MIG-SM-C07', 'MIG-SM-R12', 'MIG-STR-BAD-01.*'],
};

describe('selftest', () => {
  for (const name of some) {
    it(`kills ${name}: a monitor that ${faults.get(name)?.title}`, async () => {
      const kill = await hunt(name, recall());
      expect(kill.requirement).to.be.a('string');
      expect(kill.why).to.be.a('string');
    }).timeout(60_000);
  }

  for (const variation of ['split-writes', 'members-reversed', 'unknown-events']) {
    it(`does not mind a monitor that ${variations.get(variation)?.title}`, async () => {
      const planned = select(chapters, ['QMP-REPLY-0*', 'QMP-EVT-07', 'MIG-CMD-QMIG-03', 'MIG-SM-O12']);
      const { failed, judged, refused } = await trialRun({ variation }, planned, { jobs: 4, failFast: false });
      expect(refused).to.equal(undefined);
      expect(failed.map(({ id }) => id)).to.deep.equal([]);
      expect(judged).to.be.at.least(8);
    }).timeout(60_000);
  }

  for (const [variation, ids] of Object.entries(minded)) {
    it(`no longer minds a monitor that ${variations.get(variation)?.title}`, async () => {
      const { failed, judged, unjudged, refused } = await tryVariation({ variation }, select(chapters, ids));
      expect(refused).to.equal(undefined);
      expect(failed.map(({ id }) => id)).to.deep.equal([]);
      expect(judged + unjudged.length).to.be.at.least(ids.length);
      expect(judged).to.be.at.least(1);
    }).timeout(60_000);
  }

  it('hunts faults that there are', () => {
    expect(some.filter((name) => !faults.has(name))).to.deep.equal([]);
  });

  it('tries first what killed before, and then what the fault violates', () => {
    const fault = faults.get('stop-twice');
    if (fault === undefined) throw new Error('there is no fault stop-twice');
    const ids = [...likely(fault, ['QMP-EVT-09'])].map(({ requirement }) => requirement.id);
    expect(ids[0]).to.equal('QMP-EVT-09');
    expect(fault.rows.some((row) => ids[1]?.startsWith(row))).to.equal(true);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).to.deep.equal([]);
  });

  it('remembers faults and requirements that there are, and tells of many variations', () => {
    const ids = new Set(select(chapters, []).map(({ requirement }) => requirement.id));
    const known = Object.entries(recall());
    expect(known.filter(([name]) => !faults.has(name))).to.deep.equal([]);
    expect(known.flatMap(([, killers]) => killers).filter((id) => !ids.has(id))).to.deep.equal([]);
    expect(known).to.have.length.of.at.least(100);
    expect(variations.size).to.be.at.least(20);
  });

  it('counts no kill by what fails without the fault, too', async () => {
    const honest = await trialRun({}, select(chapters, ['QMP-REPLY-04*']), { jobs: 2, failFast: false });
    expect(honest.failed.map(({ id }) => id)).to.deep.equal([]);
    expect(honest.passed).to.have.length.of.at.least(1);
  }).timeout(60_000);
});
