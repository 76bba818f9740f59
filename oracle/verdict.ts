/** What is said of one requirement or scenario at the end. */

export type VerdictKind =
  /** The target did what is permitted. */
  | 'conforms'
  /** It did something else. */
  | 'divergence'
  /** It did something else that released monitors of its version are known to do. */
  | 'known-defect'
  /** The process died. */
  | 'crash'
  /** It stopped answering. */
  | 'hang'
  /** It sent something that is not QMP. */
  | 'garbage'
  /** Repeated runs disagree. */
  | 'flaky'
  /** Nothing can be said. */
  | 'inconclusive'
  /** The requirement does not concern this target. */
  | 'not-applicable'
  /** The requirement ran to its end without checking anything: a fault of the requirement, not of the target. */
  | 'vacuous';

export interface DivergenceReport {
  /** Every permitted outcome, in words. */
  readonly expected: readonly string[];
  /** What came instead. */
  readonly got: string;
  /** What was being looked at, in words; absent where expected and got say it all. */
  readonly step?: string;
  /** Number of the transcript entry that diverged, where there is one. */
  readonly entry?: number;
}

export interface Verdict {
  readonly kind: VerdictKind;
  /** One line: why not applicable, why inconclusive, which defect, how it died. */
  readonly reason?: string;
  readonly divergence?: DivergenceReport;
  /** Name of the row of known defects, for example `MIG-DEF-14`. */
  readonly defect?: string;
}

/** Verdicts that speak against the target. */
export const isFailure = (verdict: Verdict): boolean =>
  verdict.kind === 'divergence' ||
  verdict.kind === 'crash' ||
  verdict.kind === 'hang' ||
  verdict.kind === 'garbage' ||
  verdict.kind === 'flaky';
