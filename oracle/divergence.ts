import { AssertionError } from 'chai';
import type { DivergenceReport } from './verdict.js';

/** Thrown by a check that does not hold. */
export class Divergence extends AssertionError<DivergenceReport> {
  constructor(readonly report: DivergenceReport) {
    super(
      `${report.step === undefined ? '' : `${report.step}: `}expected ${report.expected.join(', or ')}; got ${report.got}`,
    );
  }
}
