/** The mocha reporter: what mocha announces becomes the run's own events. It prints nothing; the reports do. */
import Mocha from 'mocha';
import type { RequirementEnded, RunSink } from '../oracle/run-events.js';
import type { RequirementTest } from '../suites/run.js';

export class EventReporter extends Mocha.reporters.Base {
  private readonly causes = new Map<Mocha.Test, unknown>();

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const { sink } = options.reporterOptions as { sink: RunSink };
    runner.on('fail', (test, error) => this.causes.set(test, error));
    runner.on('test end', (test: RequirementTest) => sink(test.outcome ?? this.lost(test)));
  }

  /** A test that mocha ended before its requirement was: something threw outside of every requirement. */
  private lost(test: Mocha.Test): RequirementEnded {
    const [, title = test.title, id = ''] = /^(.*) \[(.*)\]$/s.exec(test.title) ?? [];
    const error = this.causes.get(test);
    const reason = error instanceof Error ? error.message : String(error ?? 'mocha ended it early');
    return {
      event: 'requirement',
      id,
      level: 'MUST',
      title,
      spec: '',
      chapter: test.titlePath().slice(0, -1),
      verdict: { kind: 'inconclusive', reason: `a fault of this program: ${reason}` },
      duration: test.duration ?? 0,
      checks: 0,
    };
  }
}
