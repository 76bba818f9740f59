import { expect } from 'chai';
import Mocha from 'mocha';
import type { RunEvent } from '../../oracle/run-events.js';
import { EventReporter } from '../../reports/mocha-reporter.js';
import type { RequirementTest } from '../../suites/run.js';
import { diverged, outcome, passed } from './events.js';

/** Runs tests under mocha as a run of requirements does, and gives the events. */
function run(make: (suite: Mocha.Suite) => void): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  const mocha = new Mocha({
    timeout: 0,
    reporter: EventReporter,
    reporterOptions: { sink: (event: RunEvent) => events.push(event) },
  });
  make(Mocha.Suite.create(mocha.suite, 'chapter'));
  return new Promise((resolve) => {
    mocha.run(() => resolve(events));
  });
}

describe('mocha reporter', () => {
  it('reports the outcome of each test, in order, whether it passed, failed or was skipped', async () => {
    const outcomes = [passed(), diverged(), outcome('not-applicable', { verdict: { reason: 'no xbzrle' } })];
    const events = await run((suite) => {
      for (const one of outcomes) {
        const test: RequirementTest = new Mocha.Test(one.title, function (this: Mocha.Context) {
          test.outcome = one;
          if (one.verdict.kind === 'not-applicable') this.skip();
          if (one.verdict.kind === 'divergence') throw new Error('it failed');
        });
        suite.addTest(test);
      }
    });
    expect(events).to.deep.equal(outcomes);
  });

  it('reports a test that ended without an outcome, and never as passed', async () => {
    const events = await run((suite) => {
      const broken = () => {
        throw new Error('boom');
      };
      suite.addTest(new Mocha.Test('it works [QMP-X-01]', broken));
    });
    expect(events).to.have.length(1);
    expect(events[0]).to.include({ event: 'requirement', id: 'QMP-X-01', title: 'it works' });
    expect(events[0]).to.have.nested.property('verdict.kind', 'inconclusive');
    expect(events[0]).to.have.nested.property('verdict.reason', 'a fault of this program: boom');
  });
});
