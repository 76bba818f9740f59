/** A piece of a campaign, the same cases each time: how many commands a second so many jobs get through a target with them. */
import { Campaign } from '../../campaign/campaign.js';
import type { CaseRunner } from '../../campaign/case-runner.js';
import { Corpus, type CorpusEntry } from '../../campaign/corpus.js';
import { type Course, type Lead, usual } from './lead.js';
import { type Busy, busyIn } from './processor-time.js';

/** What the cases of one source were. */
export interface Part {
  readonly cases: number;
  readonly commands: number;
  /** Milliseconds of the jobs that ran them. */
  readonly time: number;
}

export interface Stretch {
  /** Commands a second. */
  readonly rate: number;
  readonly commands: number;
  /** Milliseconds until the last of the cases was over. */
  readonly time: number;
  readonly parts: ReadonlyMap<string, Part>;
  readonly busy: Busy | undefined;
}

interface Ran {
  readonly source: string;
  readonly began: number;
  readonly ended: number;
  readonly commands: number;
}

/** The list is gone through so many times at most, so that no job is idle while another one runs the last case that counts. */
const times = 3;

/**
 * Runs the cases, and behind them the first ones again until the last of them is over. What a case sent counts by the part of its
 * time that lies before that moment: no job waits at the end, and none is cut off.
 */
export async function stretch(course: Course, crew: readonly CaseRunner[], lead: Lead): Promise<Stretch> {
  const { cases, reached } = lead;
  const corpus = new Corpus();
  for (let n = 0; n < times * cases.length; n++) {
    const entry = cases[n % cases.length] as CorpusEntry;
    corpus.parents.push({ name: `${n}`, entry, picked: 0, fruitful: 0 });
  }
  const ran: Ran[] = [];
  const end = new AbortController();
  /** Of the cases that count. */
  let open = cases.length;
  let over = 0;
  let busy: Busy | undefined;
  const since = busyIn();
  const campaign = new Campaign({
    ...usual(course, crew),
    corpus,
    runs: times * cases.length,
    after: { next: 0, reached },
    signal: end.signal,
    onCase: ({ index, source }, _, { commands, duration }) => {
      const ended = campaign.standing.inThisRun;
      ran.push({ source: source.name, began: ended - duration, ended, commands });
      if (index >= cases.length || --open > 0) return;
      over = ended;
      busy = busyIn(since);
      end.abort();
    },
  });
  await campaign.run();
  if (ran.length === 0) throw new Error('none of the cases that are measured could be run again');
  if (over === 0) {
    // One of them could not: then all that were run count.
    over = campaign.standing.inThisRun;
    busy = busyIn(since);
  }
  const parts = new Map<string, Part>();
  let commands = 0;
  for (const one of ran) {
    const time = Math.min(one.ended, over) - Math.max(0, one.began);
    if (time <= 0) continue;
    const own = (one.commands * time) / (one.ended - one.began);
    commands += own;
    const part = parts.get(one.source) ?? { cases: 0, commands: 0, time: 0 };
    parts.set(one.source, { cases: part.cases + 1, commands: part.commands + own, time: part.time + time });
  }
  return { rate: commands / (over / 1000), commands, time: over, parts, busy };
}
