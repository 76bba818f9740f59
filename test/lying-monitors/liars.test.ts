/** Each lie is caught by the requirement that forbids it; what a monitor is free to do is not. */
import { expect } from 'chai';
import type Mocha from 'mocha';
import { exitCodes } from '../../oracle/exit-codes.js';
import { isFailure } from '../../oracle/verdict.js';
import { chapters } from '../../suites/index.js';
import { type RequirementTest, runSuite } from '../../suites/run.js';
import { type Planned, select, sideBySide } from '../../suites/schedule.js';
import { realQemu } from '../targets/real-qemu.js';
import { lies } from './lies.js';
import { lyingTarget } from './lying-target.js';
import { variations } from './variations.js';

/** The lie, and the requirement that must catch it. */
const caughtBy: Readonly<Record<string, string>> = {
  'line-feed-only': 'QMP-TRANS-05',
  'lines-split': 'QMP-TRANS-06',
  'raw-utf8': 'QMP-OUT-01',
  'integers-rounded': 'QMP-OUT-04',
  'greeting-without-version': 'QMP-GREET-02',
  'greeting-capabilities-object': 'QMP-GREET-04',
  'greeting-with-more': 'QMP-GREET-02',
  'greeting-version-strings': 'QMP-GREET-03',
  'greeting-twice-different': 'QMP-GREET-01',
  'version-contradicts-greeting': 'QMP-GREET-03.query',
  'not-json': 'QMP-CMD-03',
  'null-id-dropped': 'QMP-REPLY-04',
  'id-number-to-string': 'QMP-REPLY-04',
  'id-lost-in-errors': 'QMP-REPLY-04',
  'id-invented': 'QMP-REPLY-06',
  'unknown-command-succeeds': 'QMP-CMD-05',
  'names-ignore-case': 'QMP-CMD-05',
  'reply-twice': 'QMP-REPLY-08',
  'reply-missing-without-id': 'QMP-CMD-03',
  'replies-out-of-order': 'QMP-REPLY-09',
  'error-class-wrong': 'QMP-ERR-05',
  'error-class-invented': 'QMP-CMD-05',
  'error-with-more': 'QMP-REPLY-03',
  'error-desc-object': 'QMP-REPLY-03',
  'error-and-return': 'QMP-REPLY-03',
  'reply-with-more': 'QMP-REPLY-01',
  'return-missing': 'QMP-EVT-07',
  'return-null': 'QMP-BASE-07',
  'negotiation-optional': 'QMP-NEG-01',
  'negotiation-twice': 'QMP-NEG-10',
  'negotiation-unknown-capability': 'QMP-NEG-05',
  'floats-accepted': 'QMP-ARG-05',
  'nulls-accepted': 'QMP-ARG-22',
  'unknown-argument-accepted': 'QMP-ARG-02',
  'unknown-envelope-member-accepted': 'QMP-CMD-06',
  'missing-argument-accepted': 'QMP-ARG-01',
  'batch-accepted': 'QMP-CMD-12',
  'running-for-ever': 'QMP-BASE-07',
  'timestamp-float': 'QMP-EVT-02',
  'timestamp-missing': 'QMP-EVT-01',
  'timestamp-milliseconds': 'QMP-EVT-02',
  'timestamp-overflow': 'QMP-EVT-02',
  'event-with-empty-data': 'QMP-EVT-01',
  'event-with-id': 'QMP-EVT-01',
  'event-before-negotiation': 'QMP-GREET-01',
  'stop-without-event': 'QMP-EVT-07',
  'stop-event-late': 'QMP-EVT-07',
  'resume-twice': 'QMP-EVT-08',
  'resume-while-running': 'QMP-EVT-09',
  'setup-missing': 'QMP-EVT-24',
  'setup-late': 'QMP-EVT-24',
  'failed-twice': 'QMP-EVT-24',
  'failed-missing': 'QMP-EVT-24',
  'status-shouted': 'QMP-EVT-24',
  'pass-missing': 'QMP-EVT-20.unix',
  'pass-from-zero': 'QMP-EVT-20.unix',
  'migration-events-uncalled': 'QMP-EVT-24.off',
  'parameter-lost': 'MIG-CMD-SPAR-02.downtime-limit',
  'parameter-clamped': 'MIG-CMD-SPAR-02.downtime-limit',
  'parameters-partly-set': 'MIG-CMD-SPAR-03',
  'default-wrong': 'MIG-CMD-QPAR-02',
  'parameter-hidden': 'MIG-CMD-QPAR-01.members',
  'parameter-hostname-hidden': 'MIG-CMD-QPAR-01.members',
  'parameter-as-string': 'MIG-CMD-QPAR-01.types',
  'parameter-unknown-shown': 'MIG-CMD-QPAR-01.members',
  'capabilities-reversed': 'MIG-CMD-QCAP-01.order',
  'capability-twice': 'MIG-CMD-QCAP-01.names',
  'capability-missing': 'MIG-CMD-QCAP-01.names',
  'capability-state-number': 'MIG-CMD-QCAP-01.shape',
  'capabilities-partly-set': 'MIG-CMD-SCAP-09.refused',
  'capabilities-first-wins': 'MIG-CMD-SCAP-04.last-wins',
  'capability-event': 'MIG-CMD-SCAP-10',
  'status-none': 'MIG-CMD-QMIG-01.idle',
  'status-empty-after-failure': 'MIG-CMD-QMIG-03.failed',
  'error-desc-missing': 'MIG-CMD-QMIG-03.failed',
  'ram-remaining-float': 'MIG-CMD-QMIG-03.integers',
  'ram-normal-bytes-wrong': 'MIG-CMD-INV-01',
  'total-time-growing': 'MIG-CMD-INV-04',
  'cancel-refused': 'MIG-CMD-CAN-02.none',
  'continue-anything': 'MIG-CMD-CONT-01.none',
  'bad-uri-accepted': 'MIG-CMD-MIG-30',
};

/** A piece of each chapter, for the variations. */
const pieces = [
  'QMP-NEG-0*',
  'QMP-REPLY-*',
  'QMP-EVT-01',
  'QMP-EVT-08',
  'QMP-EVT-24',
  'QMP-ARG-03',
  'MIG-CMD-Q*',
  'MIG-CMD-SCAP-04.*',
];

describe('lying monitors', () => {
  let qemu: string;
  const outcomes = new Map<string, ReturnType<typeof run>>();
  before(function () {
    qemu = realQemu(this);
    // Three at a time, begun now: each mostly waits for processes to start.
    const rows = Object.entries(caughtBy);
    const runs = sideBySide(rows, 3, ([lie, id]) => run(lie, exactly([id])));
    for (const [i, [lie]] of rows.entries()) outcomes.set(lie, runs[i] as ReturnType<typeof run>);
  });
  // So that a filter on one test leaves no run of another behind.
  after(() => Promise.allSettled(outcomes.values()));

  const run = async (lie: string, planned: readonly Planned[]) => {
    const failures = new Map<string, string>();
    class Reporter {
      constructor(runner: Mocha.Runner) {
        runner.on('test end', ({ outcome }: RequirementTest) => {
          if (outcome === undefined || outcome.verdict.kind === 'conforms') return;
          const { kind, reason, divergence } = outcome.verdict;
          const why = divergence === undefined ? reason : `${divergence.expected.join(', or ')}; got ${divergence.got}`;
          if (isFailure(outcome.verdict)) failures.set(outcome.id, `${kind}: ${why}`);
        });
      }
    }
    const footer = await runSuite({
      target: lyingTarget(lie, qemu),
      planned,
      jobs: 2,
      seed: 0,
      strictDesc: false,
      strict: false,
      tool: 'test',
      reproduce: () => '',
      reporter: Reporter as unknown as Mocha.ReporterConstructor,
      sink: () => undefined,
    });
    return { exitCode: footer.exitCode, failures };
  };

  /** Just these rows, without their further tests. */
  const exactly = (ids: readonly string[]) =>
    select(chapters, ids).filter(({ requirement }) => ids.includes(requirement.id));

  for (const [lie, id] of Object.entries(caughtBy)) {
    it(`${id} catches one that ${lies[lie]?.says}`, async () => {
      const { exitCode, failures } = await (outcomes.get(lie) as ReturnType<typeof run>);
      expect([...failures.keys()]).to.deep.equal([id]);
      expect(exitCode).to.equal(exitCodes.divergences);
    });
  }

  it('are all bound to a requirement', () => {
    expect(Object.keys(variations).length).to.be.at.least(21);
    const bound = [...Object.keys(caughtBy), ...Object.keys(variations)];
    expect(bound.sort()).to.deep.equal(Object.keys(lies).sort());
    expect(Object.keys(caughtBy).length).to.be.at.least(25);
  });

  it('do not catch the wrong one: without a lie every requirement of the table holds', async () => {
    const { exitCode, failures } = await run('truth', exactly([...new Set(Object.values(caughtBy))]));
    expect(Object.fromEntries(failures)).to.deep.equal({});
    expect(exitCode).to.equal(exitCodes.conforms);
  });

  for (const [name, { says }] of Object.entries(variations)) {
    if (name === 'truth') continue;
    it(`are not those that differ as they may: one that ${says}`, async () => {
      const { exitCode, failures } = await run(name, select(chapters, pieces));
      expect(Object.fromEntries(failures)).to.deep.equal({});
      expect(exitCode).to.equal(exitCodes.conforms);
    });
  }
});
