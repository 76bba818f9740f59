/** What a client asks of a process whose migration holds its guest, carried out when the migration has ended (QMP-BUG-09). */
import { expect } from 'chai';
import { withPutOff } from '../../campaign/put-off.js';
import type { Symptom } from '../../campaign/symptom.js';
import { defectsOf } from '../../oracle/known-defects.js';

const late: Symptom = {
  kind: 'divergence',
  subject: 'success of query-migrate (pre-switchover)',
  rows: ['QMP-EVT-12'],
  state: 'outgoing pre-switchover, run state finish-migrate',
  expected: ['event SHUTDOWN'],
  got: 'reply …',
};

/** What such a symptom of a release is told as. */
const told = (minor: number, symptom: Symptom, major = 4): string | undefined =>
  withPutOff([symptom], defectsOf({ major, minor }))[0]?.defect;

describe('what a migration puts off', () => {
  it('is known of the releases that do so', () => {
    expect(told(2, late)).to.equal('QMP-BUG-09');
    expect(told(2, { ...late, expected: ['event MIGRATION failed', 'event RESET'] })).to.equal('QMP-BUG-09');
    expect(told(2, late, 5)).to.equal(undefined);
  });

  it('is nothing that is missing elsewhere, and nothing else that is missing there', () => {
    expect(told(2, { ...late, state: 'outgoing active, run state running' })).to.equal(undefined);
    expect(told(2, { ...late, expected: ['event STOP'] })).to.equal(undefined);
    expect(told(2, { ...late, kind: 'hang' })).to.equal(undefined);
  });
});
