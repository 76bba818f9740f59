/** Holds what came against what was expected. */
import { closest } from 'fastest-levenshtein';
import picomatch from 'picomatch';
import type { Expected, RequirementEnded, Unmatched } from '../../oracle/run-events.js';
import { signatureFits } from '../../oracle/signature.js';
import { isFailure, type Verdict } from '../../oracle/verdict.js';
import type { Expectation, Expectations } from './file.js';

export class ExpectationMatcher {
  private readonly tests: readonly ((id: string) => boolean)[];

  /** @param today `YYYY-MM-DD` in UTC */
  constructor(
    private readonly expectations: Expectations,
    private readonly today: string,
  ) {
    this.tests = expectations.entries.map(({ id }) =>
      id === undefined ? () => false : picomatch(id, { nocase: true, bash: true }),
    );
  }

  /** Entries that speak of no requirement at all, whatever was selected. @param ids of every requirement that there is */
  unmatched(ids: readonly string[]): Unmatched[] {
    const { entries, file, lines } = this.expectations;
    return entries.flatMap((entry, i) => {
      if (entry.kind === 'finding' || ids.some((id) => this.tests[i]?.(id))) return [];
      const near = closest((entry.id ?? '').toUpperCase(), ids);
      const text = `${file}:${lines[i]}: entry ${i + 1}: '${entry.id}' matches no requirement; did you mean '${near}'?`;
      return [{ event: 'unmatched' as const, entry: i + 1, text }];
    });
  }

  /** The outcome, with what the file says of it. The entry whose signature fits goes before others of the same id. */
  judge(outcome: RequirementEnded): RequirementEnded {
    const { signature } = outcome;
    const found = this.expectations.entries
      .map((entry, i) => ({ entry, number: i + 1 }))
      .filter(({ number }) => this.tests[number - 1]?.(outcome.id));
    const best = found.find(({ entry }) => signature !== undefined && fits(entry, signature)) ?? found[0];
    if (best === undefined) return outcome;
    const { kind, reason, ticket, expires, signature: wanted } = best.entry;
    const expectation: Expected = {
      entry: best.number,
      kind,
      state: this.state(best.entry, outcome.verdict, signature),
      reason,
      ...(ticket === undefined ? {} : { ticket }),
      ...(expires === undefined ? {} : { expires }),
      ...(wanted === undefined ? {} : { signature: wanted }),
    };
    return { ...outcome, expectation };
  }

  private state(entry: Expectation, verdict: Verdict, signature: string | undefined): Expected['state'] {
    if (entry.expires !== undefined && entry.expires < this.today) return 'expired';
    const { kind } = verdict;
    if (kind === 'inconclusive' || kind === 'vacuous') return 'unjudged';
    if (kind === 'not-applicable') return entry.kind === 'not-applicable' ? 'met' : 'unjudged';
    if (kind === 'conforms') return entry.kind === 'known-flaky' ? 'met' : 'fixed';
    // A known defect counts as a failure here: whoever lists it wants to hear when it goes.
    if (!isFailure(verdict) && kind !== 'known-defect') return 'unjudged';
    return signature !== undefined && fits(entry, signature) ? 'met' : 'different';
  }
}

const fits = (entry: Expectation, signature: string): boolean =>
  entry.signature === undefined || signatureFits(entry.signature, signature);

/** The day as the file writes it. */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10);
