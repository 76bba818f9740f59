/** A campaign once it is under way: its commands a second, and the parts of them by source of cases. */
import { Campaign, type CampaignOptions } from '../../campaign/campaign.js';
import { Corpus } from '../../campaign/corpus.js';
import { KnownFindings } from '../../campaign/known.js';
import type { CaseSource } from '../../generators/sources.js';
import type { TargetFacts } from '../../targets/facts.js';
import type { Scenario } from '../../targets/scenario.js';
import type { Target } from '../../targets/target.js';

/** What the cases of one source were. */
export interface Part {
  readonly cases: number;
  readonly commands: number;
  /** Milliseconds of the jobs that ran them. */
  readonly time: number;
}

export interface Measured {
  /** Commands a second. */
  readonly rate: number;
  readonly parts: ReadonlyMap<string, Part>;
  readonly scenarios: readonly Scenario[];
  /** For a campaign that goes on here: everything that was reached, from the beginning on. */
  readonly end: NonNullable<CampaignOptions['after']>;
}

export interface Course {
  readonly target: Target;
  readonly facts: TargetFacts;
  /** The target as it was named. */
  readonly name: string;
  readonly jobs: number;
  readonly seed: number;
  readonly sources: readonly CaseSource[];
  /** Where an earlier campaign has ended. */
  readonly after?: NonNullable<CampaignOptions['after']>;
  /** Milliseconds before it is measured. */
  readonly warmUp: number;
  /** Milliseconds that are measured. */
  readonly time: number;
}

/** Its first seconds go to starting processes and to states of the model that are worked out once. */
export async function underWay({ name, warmUp, time, ...course }: Course): Promise<Measured> {
  const parts = new Map<string, Part>();
  const scenarios: Scenario[] = [];
  let commands = 0;
  let [first, last] = [0, 0];
  const options: CampaignOptions = {
    ...course,
    time: time + warmUp,
    corpus: new Corpus(),
    known: new KnownFindings(),
    strictDesc: false,
    shrinkBudget: 1000,
    reuse: true,
    crew: { target: name, strictDesc: false, reuse: true },
    files: () => [],
    sink: () => undefined,
    onCase: ({ source }, scenario, result) => {
      const now = campaign.standing.inThisRun;
      if (now < warmUp || now > warmUp + time) return;
      if (first === 0) {
        // What it sent was sent before.
        first = now;
        return;
      }
      last = now;
      commands += result.commands;
      const part = parts.get(source.name) ?? { cases: 0, commands: 0, time: 0 };
      parts.set(source.name, {
        cases: part.cases + 1,
        commands: part.commands + result.commands,
        time: part.time + result.duration,
      });
      scenarios.push(scenario);
    },
    signal: new AbortController().signal,
  };
  const campaign = new Campaign(options);
  await campaign.run();
  if (last <= first) throw new Error('the campaign ended before it was warm');
  const { cases } = campaign.standing;
  const end = { next: (course.after?.next ?? 0) + cases, reached: [...campaign.coverage.reached.keys()] };
  return { rate: commands / ((last - first) / 1000), parts, scenarios, end };
}
