/** A campaign: lanes that run scenario after scenario, guided by what is new, until time, runs or patience are over. */

import type { CaseSource } from '../generators/sources.js';
import { ScenarioError } from '../oracle/scenario-error.js';
import { referencePackage } from '../reference/dialects/dialect.js';
import type { TargetFacts } from '../targets/facts.js';
import type { Scenario } from '../targets/scenario.js';
import { type Target, TargetError } from '../targets/target.js';
import { type Attempt, attempt, tried } from './attempt.js';
import type { CaseFile } from './case-file.js';
import { type CaseResult, type CaseRunner, runsHere } from './case-runner.js';
import type { RunFresh } from './confirm.js';
import type { Corpus } from './corpus.js';
import { Coverage, type CoverageKey } from './coverage.js';
import { crewOf, WorkerLost } from './crew/crew.js';
import type { CrewOrders } from './crew/messages.js';
import { withEnd } from './epilogue.js';
import type { CampaignEvent, Standing } from './events.js';
import { Findings, failsCampaign } from './findings.js';
import { type FolderFile, StorageError } from './folder.js';
import type { KnownFindings } from './known.js';
import { Lane, longestLife } from './lane.js';
import { type PlannedCase, Schedule } from './schedule.js';
import { Shelf } from './shelf.js';
import type { Progress, Store } from './store.js';

export interface CampaignOptions {
  readonly target: Target;
  readonly facts: TargetFacts;
  readonly seed: number;
  /** Scenarios side by side. */
  readonly jobs: number;
  /** Milliseconds; no limit when absent. */
  readonly time?: number;
  /** Cases; no limit when absent. */
  readonly runs?: number;
  readonly sources: readonly CaseSource[];
  readonly corpus: Corpus;
  /** Goes on behind another campaign, with the number of its next case and what was reached. */
  readonly after?: { readonly next: number; readonly reached: Iterable<CoverageKey> };
  readonly known: KnownFindings;
  readonly store?: Store;
  readonly strictDesc: boolean;
  /** Milliseconds to shrink one finding. */
  readonly shrinkBudget: number;
  /** Milliseconds by which that is measured; real time when absent. */
  readonly spent?: () => number;
  /** End at the first finding that is not known. */
  readonly untilFirst?: boolean;
  /** Processes serve several scenarios. */
  readonly reuse: boolean;
  /** Runs every scenario, in the place of lanes; a simulation has its own way. */
  readonly runner?: RunFresh;
  /** Cases are run by processes of their own, which need this to find the target; in this one when absent. */
  readonly crew?: CrewOrders;
  /** Run every case, in the place of lanes of its own, and stay for another campaign. */
  readonly lent?: readonly CaseRunner[];
  readonly files: (file: CaseFile, shown: Attempt | undefined) => readonly FolderFile[];
  readonly sink: (event: CampaignEvent) => void;
  /** Told of each case that was run. */
  readonly onCase?: (planned: PlannedCase, scenario: Scenario, result: CaseResult) => void;
  readonly signal: AbortSignal;
}

/** Failed starts in a row after which the target counts as gone, and the pause before each new try in milliseconds. */
const patience = [100, 500, 2000, 5000];

/** Milliseconds, and part of the time of the campaign, that may be spent on what was seen when its time is over. */
const grace = { least: 15_000, part: 0.1 };

/** Milliseconds between two lines of the log. */
const logInterval = 2000;
/** Milliseconds between two reports of how it stands. */
const statusInterval = 500;

export class Campaign {
  readonly coverage = new Coverage();
  readonly findings: Findings;
  private readonly schedule: Schedule;
  private readonly lanes: readonly CaseRunner[];
  private next = 0;
  private cases = 0;
  private commands = 0;
  private earlier = 0;
  private began = 0;
  private failedStarts = 0;
  /** When the target is started again after a failed start. */
  private tryAgain = 0;
  private readonly passedOver = new Set<string>();
  private fault: Error | undefined;
  private unlogged: CoverageKey[] = [];
  private limit: number;

  constructor(private readonly options: CampaignOptions) {
    const { facts, seed, sources, corpus, store, jobs, target, strictDesc } = options;
    const reached = (key: string): boolean => this.coverage.reached.has(`transition|${key}`);
    const guest = facts.package === referencePackage;
    const surroundings = { dialect: facts.dialect, schema: facts.schema, guest };
    this.schedule = new Schedule(seed, sources, surroundings, corpus, reached, options.runner === undefined);
    const how = { target, facts, strictDesc };
    const reuse = options.reuse && target.lacks('start') === undefined;
    const { runner, crew } = options;
    const shelf = new Shelf();
    const here = () => runsHere(runner === undefined ? new Lane(how, reuse, shelf) : laneOf(runner));
    this.lanes = options.lent ?? (crew === undefined ? Array.from({ length: jobs }, here) : crewOf(crew, jobs));
    if (options.after !== undefined) {
      this.next = options.after.next;
      this.coverage.add(options.after.reached);
    }
    const recalled = store?.recall();
    if (recalled !== undefined) {
      ({ next: this.next, cases: this.cases, commands: this.commands, duration: this.earlier } = recalled.progress);
      this.coverage.add(recalled.keys);
    }
    this.limit = options.runs === undefined ? Number.POSITIVE_INFINITY : this.next + options.runs;
    this.findings = new Findings({
      target: target.name,
      facts,
      known: options.known,
      shrinkBudget: options.shrinkBudget,
      ...(options.spent === undefined ? {} : { spent: options.spent }),
      files: options.files,
      ...(store === undefined ? {} : { store }),
      run: (scenario) => tried(runner ?? ((one) => attempt(one, how)), scenario),
      runRepeatedly: (scenario) => tried(runner ?? ((one) => repeatedly(new Lane(how, reuse), one)), scenario),
      onFinding: (finding) => options.sink({ event: 'finding', finding }),
      going: () => this.mayLookInto,
    });
  }

  /** How it stands. */
  get standing(): Standing {
    const { time, runs } = this.options;
    const elapsed = this.began === 0 ? 0 : performance.now() - this.began;
    const found = [...this.findings.found.values()];
    return {
      cases: this.cases,
      commands: this.commands,
      elapsed: this.earlier + elapsed,
      inThisRun: elapsed,
      transitions: this.coverage.count('transition'),
      novelties: this.coverage.reached.size,
      corpus: this.options.corpus.size,
      findings: found.filter(failsCampaign).length,
      known: found.filter(({ known }) => known).length,
      unconfirmed: found.filter((one) => !one.known && !failsCampaign(one)).length,
      open: this.findings.open,
      ...(time === undefined ? {} : { timeLeft: Math.max(0, time - elapsed) }),
      ...(runs === undefined ? {} : { runsLeft: Math.max(0, this.limit - this.next) }),
    };
  }

  /** Runs to the end. Faults of target and storage are thrown after everything that was found is safe. */
  async run(): Promise<Standing> {
    const { store, sink, corpus } = this.options;
    this.began = performance.now();
    store?.log.add({ event: store.resumed ? 'resume' : 'begin', at: new Date().toISOString(), next: this.next });
    const log = setInterval(() => this.guarded(() => this.logProgress()), logInterval);
    const status = setInterval(() => sink({ event: 'status', standing: this.standing }), statusInterval);
    try {
      this.findings.resume();
      this.options.signal.addEventListener('abort', this.stop);
      const slots = this.lanes.flatMap((lane) => Array.from({ length: lane.depth }, () => lane));
      await Promise.all(slots.map((lane) => this.work(lane)));
      if (this.fault === undefined) await this.findings.drained();
    } finally {
      clearInterval(log);
      clearInterval(status);
      this.options.signal.removeEventListener('abort', this.stop);
      const closed = this.options.lent === undefined ? await Promise.all(this.lanes.map((lane) => lane.close())) : [];
      for (const text of new Set([...closed, this.options.target.remark])) {
        if (text !== undefined) sink({ event: 'note', text });
      }
    }
    this.guarded(() => {
      corpus.minimise();
      this.logProgress();
      store?.log.add({ event: 'end', at: new Date().toISOString() });
    });
    if (this.fault !== undefined) throw this.fault;
    return this.standing;
  }

  private get going(): boolean {
    const { time, signal, untilFirst } = this.options;
    if (signal.aborted || this.fault !== undefined || this.next >= this.limit) return false;
    if (untilFirst && [...this.findings.found.values()].some(failsCampaign)) return false;
    return time === undefined || performance.now() - this.began < time;
  }

  /** What was seen is looked into until some time after the end; what is kept in a folder can wait for another run. */
  private get mayLookInto(): boolean {
    const { time, signal } = this.options;
    if (this.fault !== undefined || signal.aborted) return false;
    if (time === undefined) return true;
    return performance.now() - this.began < time + Math.max(grace.least, time * grace.part);
  }

  private readonly stop = (): void => {
    if (this.options.lent !== undefined) return;
    for (const lane of this.lanes) lane.stop();
  };

  private async work(lane: CaseRunner): Promise<void> {
    while (this.going) {
      const planned = this.schedule.plan(this.next++);
      const scenario = withEnd(planned.scenario);
      try {
        const result = await lane.run(scenario);
        if (result === undefined) continue;
        this.failedStarts = 0;
        this.guarded(() => this.digest(planned, scenario, result));
      } catch (error) {
        if (error instanceof TargetError || error instanceof WorkerLost) {
          // It was not run: another one is.
          this.limit++;
          await this.endure(error);
        } else if (error instanceof ScenarioError) this.passOver(planned, error);
        else this.fault ??= error as Error;
      }
    }
  }

  /** Why a case cannot be run is told once: it is mostly the same for many. */
  private passOver({ index, source }: PlannedCase, { message }: ScenarioError): void {
    if (this.passedOver.has(message)) return;
    this.passedOver.add(message);
    this.options.sink({ event: 'note', text: `case ${index} (${source.name}) cannot be run: ${message}` });
  }

  private digest(planned: PlannedCase, scenario: Scenario, result: CaseResult): void {
    const { corpus, seed } = this.options;
    this.cases++;
    this.commands += result.commands;
    const { keys, evidence } = result;
    const fresh = this.coverage.add(keys);
    this.unlogged.push(...fresh);
    this.schedule.learn(planned, { novel: fresh.length > 0, duration: result.duration });
    this.options.onCase?.(planned, scenario, result);
    const [symptom] = result.symptoms;
    if (symptom !== undefined) {
      this.findings.take({
        symptom,
        scenario,
        origin: { source: planned.source.name, seed, index: planned.index },
        ...(evidence === undefined ? {} : { evidence }),
      });
    }
    if (fresh.length === 0) return;
    corpus.add({
      corpus: 1,
      source: planned.source.name,
      tape: planned.tape,
      keys,
      scenario: planned.scenario,
    });
  }

  /** A target that cannot be started may be out of something that comes back. */
  private async endure(error: TargetError | WorkerLost): Promise<void> {
    const now = performance.now();
    // What fails meanwhile, side by side, is the same failure.
    if (now >= this.tryAgain) {
      const pause = patience[this.failedStarts++];
      if (pause === undefined) {
        this.fault ??= error;
        return;
      }
      this.tryAgain = now + pause;
      this.options.sink({ event: 'note', text: `${error.message}; trying again in ${pause} ms` });
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, this.tryAgain - now);
      const { signal } = this.options;
      function done() {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done);
    });
  }

  /** A fault of the storage ends the campaign; it is told once everything else is in order. */
  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof StorageError && this.fault === undefined) {
        this.options.sink({ event: 'note', text: `${error.message}: the campaign ends here` });
      }
      this.fault ??= error as Error;
    }
  }

  private logProgress(): void {
    const { store } = this.options;
    if (store === undefined) return;
    const { next, cases, commands } = this;
    const duration = Math.round(this.standing.elapsed);
    const progress: Progress & { event: string; keys: readonly CoverageKey[] } = {
      event: 'progress',
      next,
      cases,
      commands,
      duration,
      keys: this.unlogged,
    };
    store.log.add({ ...progress });
    this.unlogged = [];
  }
}

const laneOf = (run: RunFresh): Pick<Lane, 'run' | 'close'> => ({
  run: async (scenario: Scenario) => ({ ...(await run(scenario)), history: [] }),
  close: async () => undefined,
});

/** The same scenario for the life of one process; the last attempt speaks for all. */
async function repeatedly(lane: Lane, scenario: Scenario): Promise<Attempt> {
  try {
    let last: Attempt = await lane.run(scenario);
    for (let n = 1; n < longestLife && last.symptoms.length === 0; n++) last = await lane.run(scenario);
    return last;
  } finally {
    await lane.close();
  }
}
