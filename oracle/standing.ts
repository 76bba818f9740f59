/** How an outcome counts: the verdict seen together with the level, `--strict` and the expectations file. */
import type { RequirementEnded } from './run-events.js';
import { isFailure } from './verdict.js';

export type Standing =
  | 'passed'
  | 'failed'
  /** A SHOULD that was not met. */
  | 'warning'
  /** A fact about the target that differs from the usual one. */
  | 'note'
  | 'known'
  /** It went as the expectations file says: a failure that is known, a requirement that does not concern the target. */
  | 'expected'
  /** The expectations file says that it would go wrong, or stands on it no longer, and it passed: the entry must go. */
  | 'outdated'
  | 'not-applicable'
  | 'inconclusive'
  | 'vacuous';

/** The one rule that reports and the exit code of a run follow. */
export function standing(
  outcome: Pick<RequirementEnded, 'verdict' | 'level' | 'expectation'>,
  strict = false,
): Standing {
  const { verdict, level, expectation } = outcome;
  const { kind } = verdict;
  if (expectation?.state === 'met') {
    return kind === 'conforms' ? 'passed' : kind === 'not-applicable' ? kind : 'expected';
  }
  if (expectation?.state === 'fixed') return 'outdated';
  if (isFailure(verdict)) {
    if (level === 'INFO') return 'note';
    return level === 'SHOULD' && !strict ? 'warning' : 'failed';
  }
  // An entry for what does not concern the target fits nothing either.
  const idle = expectation?.state === 'unjudged' && kind === 'not-applicable';
  if (expectation?.state === 'expired' || idle) return 'outdated';
  switch (kind) {
    case 'known-defect':
      return strict ? 'failed' : 'known';
    case 'not-applicable':
      return strict ? 'failed' : 'not-applicable';
    case 'inconclusive':
    case 'vacuous':
      return kind;
    default:
      return 'passed';
  }
}
