/** Runs a scenario again and again to learn how often it shows a symptom. */
import type { Scenario } from '../targets/scenario.js';
import type { Attempt } from './attempt.js';
import type { Rate } from './case-file.js';
import { essence, type Symptom } from './symptom.js';

/** A run that showed it, with the symptom as it was there. */
export interface Shown {
  readonly attempt: Attempt;
  readonly symptom: Symptom;
}

export interface Confirmation {
  readonly rate: Rate;
  /** The first run that showed it. */
  readonly shown?: Shown;
}

/** Runs a scenario on fresh processes. */
export type RunFresh = (scenario: Scenario) => Promise<Attempt>;

/** So many runs when each shows it; twice as many when they disagree. */
const usualRuns = 5;

/** A hang costs its deadline each time, and of a known defect a word is enough. */
const runsOf = ({ kind, defect }: Symptom): number =>
  kind === 'hang' || kind === 'leak' || defect !== undefined ? 2 : usualRuns;

/** The symptom of an attempt that is the same as the wanted one. */
export const sameIn = ({ symptoms }: Attempt, wanted: Symptom): Symptom | undefined =>
  symptoms.find((one) => essence(one) === essence(wanted));

/** Rows that say what may come in nearly every state: that two symptoms share one of them means nothing. */
const everywhere = /^(MIG-CMD-(QMIG|QPAR|QCAP|GEN)-|QMP-)/;

/**
 * The symptom of an attempt that most likely has the same cause: the same, or one of the same kind at another place where the
 * same row was expected. A smaller scenario often shows an event's absence by another message than the larger one did.
 */
export function relatedIn(attempt: Attempt, wanted: Symptom): Symptom | undefined {
  const same = sameIn(attempt, wanted);
  if (same !== undefined || wanted.kind !== 'divergence') return same;
  const telling = wanted.rows.filter((row) => !everywhere.test(row));
  return attempt.symptoms.find(({ kind, rows }) => kind === 'divergence' && rows.some((row) => telling.includes(row)));
}

/** @param going false ends it early, with the runs so far */
export async function confirm(
  scenario: Scenario,
  wanted: Symptom,
  run: RunFresh,
  going: () => boolean = () => true,
): Promise<Confirmation> {
  let shown: Shown | undefined;
  let times = 0;
  let of = 0;
  const first = runsOf(wanted);
  while (of < first || (times < of && of < first * 2)) {
    if (of > 0 && !going()) break;
    const attempt = await run(scenario);
    of++;
    const symptom = sameIn(attempt, wanted);
    if (symptom === undefined) continue;
    times++;
    shown ??= { attempt, symptom };
  }
  return { rate: { times, of }, ...(shown === undefined ? {} : { shown }) };
}

/** Milliseconds of a run that may well be made twice. */
const cheap = 400;

/**
 * Runs after which a symptom of this rate has shown itself with a chance of 95 %. One that always showed itself gets two where
 * they are cheap: a smaller scenario may show it less often.
 */
export function repeatsFor({ times, of }: Rate, duration: number): number {
  if (times >= of) return duration < cheap ? 2 : 1;
  // Half a run more: rates from few runs are guesses, and 0 of 10 is not never.
  const rate = Math.max(times, 0.5) / of;
  // One try a candidate is enough down to a rate of a half; it is tried again while others are.
  if (rate >= 0.5) return 2;
  return Math.min(40, Math.ceil(Math.log(0.05) / Math.log(1 - rate)));
}
