/** How an outcome counts: the verdict seen together with the level and `--strict`. */
import type { Level } from '../oracle/run-events.js';
import { isFailure, type Verdict } from '../oracle/verdict.js';

export type Standing =
  | 'passed'
  | 'failed'
  /** A SHOULD that was not met. */
  | 'warning'
  /** A fact about the target that differs from the usual one. */
  | 'note'
  | 'known'
  | 'not-applicable'
  | 'inconclusive'
  | 'vacuous';

/** The same rule as the exit code of a run follows. */
export function standing(outcome: { readonly verdict: Verdict; readonly level: Level }, strict = false): Standing {
  const { verdict, level } = outcome;
  if (isFailure(verdict)) {
    if (level === 'INFO') return 'note';
    return level === 'SHOULD' && !strict ? 'warning' : 'failed';
  }
  switch (verdict.kind) {
    case 'known-defect':
      return strict ? 'failed' : 'known';
    case 'not-applicable':
      return strict ? 'failed' : 'not-applicable';
    case 'inconclusive':
    case 'vacuous':
      return verdict.kind;
    default:
      return 'passed';
  }
}
