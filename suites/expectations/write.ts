/** Begins an expectations file from what a run has shown. */
import type { RequirementEnded, RunHeader } from '../../oracle/run-events.js';
import { standing } from '../../oracle/standing.js';
import type { Expectation } from './file.js';

/** Days for which a new entry holds: long enough to look into it, too short to be forgotten. */
const days = 90;

/** The text of a file in which everything that counts against the target is known-failing. */
export function writeExpectations(header: RunHeader, outcomes: readonly RequirementEnded[]): string {
  const began = new Date(header.began);
  const expires = new Date(began.getTime() + days * 86_400_000).toISOString().slice(0, 10);
  const seen = `seen on ${header.began.slice(0, 10)} with ${header.product} ${header.productVersion}; say why`;
  const entries = outcomes.flatMap((outcome): Expectation[] => {
    const counts = ['failed', 'warning', 'expected'].includes(standing(outcome, header.strict));
    const { expectation, signature } = outcome;
    if (signature === undefined || !counts) return [];
    if (expectation?.state === 'met') {
      const { kind, reason, ticket, expires: until, signature: wanted } = expectation;
      return [
        {
          id: outcome.id,
          kind,
          ...(wanted === undefined ? {} : { signature: wanted }),
          reason,
          ...(ticket === undefined ? {} : { ticket }),
          ...(until === undefined ? {} : { expires: until }),
        },
      ];
    }
    return [{ id: outcome.id, kind: 'known-failing', signature, reason: seen, expires }];
  });
  return `${JSON.stringify({ version: 1, expectations: entries }, null, 2)}\n`;
}
