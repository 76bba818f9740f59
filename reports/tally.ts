/** Counts what a run gave, by how it counts, and puts it into one sentence. */
import type { RequirementEnded, RunEvent, RunFooter, RunHeader, Unmatched } from '../oracle/run-events.js';
import { type Standing, standing } from '../oracle/standing.js';
import { plural, printable } from './printable.js';
import { cutOff, type Report } from './report.js';

const words: readonly (readonly [Standing, string])[] = [
  ['passed', 'passed'],
  ['failed', 'failed'],
  ['warning', 'warned'],
  ['note', 'noted'],
  ['known', 'known'],
  ['expected', 'failed as expected'],
  ['outdated', 'no longer as expected'],
  ['not-applicable', 'not applicable'],
  ['inconclusive', 'inconclusive'],
  ['vacuous', 'vacuous'],
];

/** Reasons named in the summary; the rest is in the report. */
const reasonsShown = 3;

/** Keeps everything of a run that a whole-document report needs. */
export class Tally implements Report {
  header: RunHeader | undefined;
  footer: RunFooter | undefined;
  readonly outcomes: RequirementEnded[] = [];
  readonly notes: string[] = [];
  readonly unmatched: Unmatched[] = [];

  take(event: RunEvent): void {
    if (event.event === 'header') this.header = event;
    else if (event.event === 'footer') this.footer = event;
    else if (event.event === 'requirement') this.outcomes.push(event);
    else if (event.event === 'note') this.notes.push(event.text);
    else if (event.event === 'unmatched') this.unmatched.push(event);
  }

  end(): void {}

  get strict(): boolean {
    return this.header?.strict ?? false;
  }

  standing(outcome: RequirementEnded): Standing {
    return standing(outcome, this.strict);
  }

  /** Outcomes of one standing, in the order of the run. */
  of(...wanted: readonly Standing[]): RequirementEnded[] {
    return this.outcomes.filter((outcome) => wanted.includes(this.standing(outcome)));
  }

  /** `312 requirements: 304 passed, 1 failed, 4 known, 3 not applicable (no xbzrle)`. */
  sentence(paint: (text: string, standing: Standing) => string = (text) => text): string {
    const parts = words.flatMap(([kind, word]) => {
      const found = this.of(kind);
      if (found.length === 0) return [];
      const reasons = kind === 'not-applicable' ? ` (${reasonList(found)})` : '';
      return [paint(`${found.length} ${word}`, kind) + reasons];
    });
    const total = plural(this.outcomes.length, 'requirement');
    return parts.length === 0 ? total : `${total}: ${parts.join(', ')}`;
  }
}

/** Why a run must not be believed to its end; `undefined` when it ended in order. */
export const faultOf = ({ footer }: Tally, fault?: string): string | undefined =>
  fault ?? (footer === undefined ? cutOff : footer.aborted);

/** The commonest reasons. */
function reasonList(outcomes: readonly RequirementEnded[]): string {
  const counts = new Map<string, number>();
  for (const { verdict } of outcomes) {
    const reason = printable(verdict.reason ?? 'no reason given');
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const reasons = [...counts].sort(([, a], [, b]) => b - a).map(([reason]) => reason);
  const shown = reasons.slice(0, reasonsShown).join(', ');
  const more = reasons.length - reasonsShown;
  return more > 0 ? `${shown} and ${plural(more, 'more reason')}` : shown;
}
