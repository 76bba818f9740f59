/** Each lie is caught by the requirement that forbids it; what a monitor is free to do is not. */
import { expect } from 'chai';
import type Mocha from 'mocha';
import { exitCodes } from '../../oracle/exit-codes.js';
import { isFailure } from '../../oracle/verdict.js';
import { chapters } from '../../suites/index.js';
import { type RequirementTest, runSuite } from '../../suites/run.js';
import { type Planned, select, sideBySide } from '../../suites/schedule.js';
import { realQemu } from '../targets/real-qemu.js';
import { caughtBy } from './caught-by.js';
import { huntedBy } from './hunted-by.js';
import { lies } from './lies.js';
import { lyingTarget } from './lying-target.js';
import { variations } from './variations.js';

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
    const bound = [...Object.keys(caughtBy), ...Object.keys(huntedBy), ...Object.keys(variations)];
    expect(bound.sort()).to.deep.equal(Object.keys(lies).sort());
    expect(Object.keys(caughtBy).length).to.be.at.least(25);
    expect(Object.keys(huntedBy).length).to.be.at.least(40);
    const ids = new Set(select(chapters, []).map(({ requirement }) => requirement.id));
    expect(Object.values({ ...caughtBy, ...huntedBy }).filter((id) => !ids.has(id))).to.deep.equal([]);
  });

  it('do not catch the wrong one: without a lie every requirement of the table holds', async () => {
    const { exitCode, failures } = await run('truth', exactly([...new Set(Object.values(caughtBy))]));
    expect(Object.fromEntries(failures)).to.deep.equal({});
    expect(exitCode).to.equal(exitCodes.conforms);
  });

  for (const [name, { says }] of Object.entries(variations)) {
    if (name.startsWith('truth')) continue;
    it(`are not those that differ as they may: one that ${says}`, async () => {
      let { exitCode, failures } = await run(name, select(chapters, pieces));
      if (failures.size > 0) {
        // What differs does so every time; what a relay on a busy machine does once in a thousand connections is told, and no more.
        console.log(`      again: ${JSON.stringify(Object.fromEntries(failures))}`);
        ({ exitCode, failures } = await run(name, exactly([...failures.keys()])));
      }
      expect(Object.fromEntries(failures)).to.deep.equal({});
      expect(exitCode).to.equal(exitCodes.conforms);
    });
  }
});
