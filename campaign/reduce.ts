/**
 * A confirmed scenario made smaller without losing what it shows. What shows itself always is kept so: a smaller scenario that
 * shows it now and then is taken only where nothing reliable is small enough, and no further than runs confirm it.
 */
import type { Scenario } from '../targets/scenario.js';
import { type Confirmation, confirm, type RunFresh, relatedIn, repeatsFor, type Shown } from './confirm.js';
import { glance, shrink } from './shrink.js';
import type { Symptom } from './symptom.js';

export interface Reduced {
  readonly scenario: Scenario;
  /** How often it showed itself, and as what. */
  readonly told: Confirmation & { readonly shown: Shown };
  /** Candidates that were run. */
  readonly tried: number;
  /** No single step can go; false when time ran out before that was known. */
  readonly minimal: boolean;
}

export interface ReduceOptions {
  readonly run: RunFresh;
  /** False once the campaign has been told to end. */
  readonly going: () => boolean;
  /** False once this finding has had its time. */
  readonly inTime: () => boolean;
}

type Reproduced = Pick<Reduced, 'scenario' | 'told'>;

/** Part of the runs in which a scenario has to show it to replace one that always does. */
const worthwhile = 0.3;

/** A smaller scenario that was taken, and what it showed. */
interface Taken {
  readonly scenario: Scenario;
  readonly symptom: Symptom;
}

/** How often what was shrunk to may turn out to have been luck. */
const mostLuck = 6;

/** Makes `scenario` smaller, which showed `symptom` as `first` tells. */
export async function reduce(
  scenario: Scenario,
  symptom: Symptom,
  first: Reproduced['told'],
  { run, going, inTime }: ReduceOptions,
): Promise<Reduced> {
  const time = () => going() && inTime();
  const { rate, shown } = first;
  const repeats = repeatsFor(rate, shown.attempt.duration);
  const always = rate.times === rate.of;
  let best: Reproduced = { scenario, told: first };
  let tried = 0;
  let minimal = false;

  /** @param needed runs out of those that have to show it: all of them, or any one */
  const round = async (needed: 'all' | 'any', least: number): Promise<void> => {
    const known = new Set<string>();
    // What was luck is not tried again: there may be other ways from where it was still sure.
    for (let lucky = 0; lucky < mostLuck && time(); lucky++) {
      const taken: Taken[] = [];
      const shows = async (candidate: Scenario): Promise<boolean> => {
        const related = await shownIn(candidate, needed);
        if (related !== undefined) taken.push({ scenario: candidate, symptom: related });
        return related !== undefined;
      };
      const shrunk = await shrink(best.scenario, { shows, going: time, known });
      tried += shrunk.tried;
      best = await smallest(taken, best, (one) => confirm(one.scenario, one.symptom, run, going), least);
      minimal = best.scenario === shrunk.scenario && shrunk.minimal;
      if (best.scenario === shrunk.scenario) return;
    }
  };

  const shownIn = async (candidate: Scenario, needed: 'all' | 'any'): Promise<Symptom | undefined> => {
    let related: Symptom | undefined;
    for (let left = repeats; left > 0 && going(); left--) {
      related = relatedIn(await run(candidate), symptom);
      // One run settles it: one that shows nothing, or one that shows it.
      if ((related === undefined) === (needed === 'all')) break;
    }
    return related;
  };

  if (always) await round('all', 0);
  if (!always || (best.scenario.steps.length > glance && time())) await round('any', always ? worthwhile : 0);
  return { ...best, tried, minimal };
}

/** The last one that is confirmed: the further they go, the less often they may show it. */
async function smallest(
  taken: readonly Taken[],
  before: Reproduced,
  confirmed: (one: Taken) => Promise<Confirmation>,
  least: number,
): Promise<Reproduced> {
  let best = before;
  let [good, bad] = [-1, taken.length];
  for (let at = bad - 1; at > good && at < bad; at = (good + bad) >> 1) {
    const { scenario } = taken[at] as Taken;
    const { rate, shown } = await confirmed(taken[at] as Taken);
    if (shown === undefined || rate.times < least * rate.of) bad = at;
    else {
      good = at;
      best = { scenario, told: { rate, shown } };
    }
  }
  return best;
}
