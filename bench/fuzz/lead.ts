/** A guided campaign, of whose second half some of the cases are kept: what a campaign is like once it is under way. */
import { Campaign, type CampaignOptions } from '../../campaign/campaign.js';
import type { CaseRunner } from '../../campaign/case-runner.js';
import { Corpus, type CorpusEntry, corpusVersion } from '../../campaign/corpus.js';
import { KnownFindings } from '../../campaign/known.js';
import type { CaseSource } from '../../generators/sources.js';
import type { TargetFacts } from '../../targets/facts.js';
import type { Target } from '../../targets/target.js';

/** What every campaign here has in common. */
export interface Course {
  readonly target: Target;
  readonly facts: TargetFacts;
  readonly seed: number;
  readonly sources: readonly CaseSource[];
}

export interface Lead {
  /** Commands a second. */
  readonly rate: number;
  /** Evenly out of those of the second half, in their order, without those that showed something: looking into it is done once. */
  readonly cases: readonly CorpusEntry[];
  /** Everything that was reached. */
  readonly reached: readonly string[];
}

/** What a campaign of this bench has beside its time. @param crew runs its cases, and stays */
export const usual = (course: Course, crew: readonly CaseRunner[]): Omit<CampaignOptions, 'corpus'> => ({
  ...course,
  jobs: crew.length,
  lent: crew,
  known: new KnownFindings(),
  strictDesc: false,
  shrinkBudget: 1000,
  reuse: true,
  files: () => [],
  sink: () => undefined,
  signal: new AbortController().signal,
});

/** Fewer cases say too little, however long they take. */
const fewest = 20;

/**
 * A campaign that has its opening behind it: that lasts for half a minute, and is like nothing that comes later.
 * @param time milliseconds
 * @param kept milliseconds of it of which the cases are kept
 */
export async function leadUp(course: Course, crew: readonly CaseRunner[], time: number, kept: number): Promise<Lead> {
  const { sources, facts } = course;
  const next = sources.reduce((sum, { opening }) => sum + (opening?.(facts) ?? 0), 0);
  const ran: CorpusEntry[] = [];
  let early = 0;
  let commands = 0;
  const campaign = new Campaign({
    ...usual(course, crew),
    time,
    after: { next, reached: [] },
    corpus: new Corpus(),
    onCase: ({ source, tape }, scenario, result) => {
      const now = campaign.standing.inThisRun;
      if (now > time) return;
      commands += result.commands;
      if (result.symptoms.length > 0) return;
      if (now < time / 2) early++;
      ran.push({ corpus: corpusVersion, source: source.name, tape, keys: [], scenario });
    },
  });
  await campaign.run();
  if (ran.length === 0)
    throw new Error('no case of the campaign that goes ahead came to its end: give it a longer --lead');
  const later = ran.slice(Math.max(0, Math.min(early, ran.length - fewest)));
  const wanted = Math.min(later.length, Math.max(fewest, Math.round((later.length * kept) / (time / 2))));
  const cases = Array.from({ length: wanted }, (_, i) => later[Math.floor((i * later.length) / wanted)] as CorpusEntry);
  return { rate: commands / (time / 1000), cases, reached: [...campaign.coverage.reached.keys()] };
}
