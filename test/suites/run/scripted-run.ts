/** Runs of requirements on a scripted target, for the tests of what a run reports. */
import { expect } from 'chai';
import type Mocha from 'mocha';
import type { RequirementEnded, RunEvent, RunFooter } from '../../../oracle/run-events.js';
import type { Trial } from '../../../oracle/trial.js';
import { type Chapter, ChapterBuilder, type Needs } from '../../../suites/requirement.js';
import { type RequirementTest, type RunOptions, runSuite } from '../../../suites/run.js';
import { select } from '../../../suites/schedule.js';
import { ScriptedTarget } from '../../oracle/scripted-target.js';

export const holds = async (t: Trial) => t.check(true, 'x', 'x');
export const fails = async (t: Trial) => t.check(false, 'x', (await t.connect()).log[0]);
export const empty = async () => undefined;
export const broken = async () => {
  throw new TypeError('oops');
};
export const chapter = () => new ChapterBuilder(['Outer', 'Inner'], 'spec.md §1');

export interface Outcome {
  readonly footer: RunFooter;
  readonly events: RunEvent[];
  readonly outcomes: RequirementEnded[];
  /** Id, verdict and mocha's state of each, in the order of mocha. */
  readonly tests: [string | undefined, string | undefined, string | undefined][];
}

export const run = async (
  one: Chapter,
  more: Partial<RunOptions> = {},
  target = new ScriptedTarget(),
): Promise<Outcome> => {
  const events: RunEvent[] = [];
  const outcomes: RequirementEnded[] = [];
  const tests: Outcome['tests'] = [];
  class Reporter {
    constructor(runner: Mocha.Runner) {
      runner.on('test end', (test: RequirementTest) => {
        if (test.outcome !== undefined) outcomes.push(test.outcome);
        tests.push([test.outcome?.id, test.outcome?.verdict.kind, test.isPending() ? 'pending' : test.state]);
      });
    }
  }
  const footer = await runSuite({
    target,
    planned: select([one], []),
    jobs: 2,
    seed: 0,
    strictDesc: false,
    strict: false,
    tool: 'test',
    reproduce: (id) => `run ${id ?? 'all'}`,
    reporter: Reporter as unknown as Mocha.ReporterConstructor,
    sink: (event) => events.push(event),
    ...more,
  });
  expect(target.instances.every(({ disposed }) => disposed)).to.equal(true);
  return { footer, events, outcomes, tests };
};
export const needing = (needs: Needs) => ({ needs });
