/**
 * Runs requirements under mocha. They run side by side in our own lanes; mocha awaits them in order, so that its tree, its
 * hooks and its reporter see an ordinary run.
 */
import Mocha from 'mocha';
import { wholeConversation } from '../oracle/by-model.js';
import { exitCodes } from '../oracle/exit-codes.js';
import { Observations } from '../oracle/observations.js';
import type { RequirementEnded, RunFooter, RunHeader, RunSink, Shard } from '../oracle/run-events.js';
import { runEventsVersion } from '../oracle/run-events.js';
import { standing } from '../oracle/standing.js';
import { isFailure, type Verdict, type VerdictKind } from '../oracle/verdict.js';
import { DeadlinePassed, Disconnected } from '../protocol/errors.js';
import type { DialectName } from '../reference/dialects/dialect.js';
import { learnFacts, type TargetFacts, withPageSize } from '../targets/facts.js';
import { isOurMachine } from '../targets/machine.js';
import { InstancePool } from '../targets/pool.js';
import { endIsTold, probe } from '../targets/probe.js';
import { describeExit, hintOfEnd, type Instance, type Target, TargetError } from '../targets/target.js';
import { notApplicable } from './applicability.js';
import { type Conduct, conduct, endedEvent } from './conduct.js';
import { diedYoung } from './died-young.js';
import type { Expectations } from './expectations/file.js';
import { dayOf, ExpectationMatcher } from './expectations/match.js';
import { type Planned, sideBySide } from './schedule.js';
import { Unheard } from './unheard.js';
import { withoutMigrationNote } from './without-migration.js';

export interface RunOptions {
  readonly target: Target;
  /** What runs, in this order. */
  readonly planned: readonly Planned[];
  readonly dialect?: DialectName;
  readonly jobs: number;
  readonly seed: number;
  readonly strictDesc: boolean;
  /** "not applicable" and SHOULD count as failures too. */
  readonly strict: boolean;
  /** What is known to go wrong; `known` are the ids of every requirement that there is, selected or not. */
  readonly expected?: { readonly file: Expectations; readonly known: readonly string[] };
  /** Which part of the selection `planned` is. */
  readonly shard?: Shard;
  /** Nothing begins any more once a requirement has failed. */
  readonly failFast?: boolean;
  /** Name and version of this program. */
  readonly tool: string;
  /** The command that repeats the run; `id` narrows it to one requirement. */
  readonly reproduce: (id?: string) => string;
  /** The mocha reporter that turns mocha's events into ours. */
  readonly reporter: Mocha.ReporterConstructor;
  readonly sink: RunSink;
  /** Ends the run early: what has not begun is reported as inconclusive. */
  readonly signal?: AbortSignal;
}

/** The mocha test of a requirement carries what is to be reported of it. */
export type RequirementTest = Mocha.Test & { outcome?: RequirementEnded };

/** @throws TargetError when the target cannot be run at all. */
export async function runSuite(options: RunOptions): Promise<RunFooter> {
  const began = performance.now();
  const { target, planned, sink } = options;
  // What runs already is one monitor, which serves one client at a time.
  const jobs = target.lacks('start') === undefined ? options.jobs : 1;
  const pool = new InstancePool(target, Math.min(Math.ceil(jobs / 2), planned.length));
  try {
    const { facts, remark } = await firstLook(pool, options);
    const matcher =
      options.expected === undefined ? undefined : new ExpectationMatcher(options.expected.file, dayOf(new Date()));
    const unmatched = matcher?.unmatched(options.expected?.known ?? []) ?? [];
    sink(header(options, facts, unmatched.length));
    for (const one of unmatched) sink(one);
    if (remark !== undefined) sink({ event: 'note', text: remark });
    if (!isOurMachine(facts)) pool.sparing();
    pool.fill();
    const run = new Run(options, pool, facts, matcher);
    const outcomes = sideBySide(
      planned,
      jobs,
      (one) => run.one(one),
      ({ requirement }) => requirement.lasting === true,
    );
    await underMocha(options, outcomes);
    const last = await run.lastLook();
    if (target.remark !== undefined) sink({ event: 'note', text: target.remark });
    const footer = foot(options, await Promise.all(outcomes), run.aborted ?? last, {
      duration: performance.now() - began,
      unmatched: unmatched.length,
    });
    sink(footer);
    return footer;
  } finally {
    await pool.close();
    await target.close();
  }
}

interface FirstLook {
  readonly facts: TargetFacts;
  /** What the first instance did that a second one did not. */
  readonly remark?: string;
}

/**
 * The control probe before anything else, and what the target says of itself. What only one process did, which may end in
 * the moment in which it begins to listen, is told and does not end the run: it would be found by the requirements.
 */
async function firstLook(pool: InstancePool, options: RunOptions): Promise<FirstLook> {
  const { target } = options;
  const first = await pool.acquire();
  try {
    return { facts: await lookAt(first, pool, options) };
  } catch (error) {
    if (!(error instanceof TargetError) || target.lacks('start') !== undefined) throw error;
    const again = async () => lookAt(await pool.acquire(), pool, options);
    const facts = await again().catch(() => Promise.reject(error));
    return { facts, remark: `at the first look ${error.message}; another instance does` };
  }
}

async function lookAt(instance: Instance, pool: InstancePool, options: RunOptions): Promise<TargetFacts> {
  const result = await probe(instance);
  if (result.health !== 'healthy' && result.health !== 'slow') {
    await instance.dispose();
    const hint = instance.exit === undefined ? '' : hintOfEnd(instance.exit);
    throw new TargetError(`${options.target.name} does not answer as a QMP monitor: ${result.detail}${hint}`);
  }
  try {
    const facts = await withPageSize(options.target, await learnFacts(instance, options.dialect));
    await pool.release(instance, 'new');
    return facts;
  } catch (error) {
    const exit = error instanceof Disconnected ? await instance.exited(endIsTold).catch(() => undefined) : undefined;
    await instance.dispose();
    if (!(error instanceof DeadlinePassed || error instanceof Disconnected)) throw error;
    const end = exit === undefined ? '' : ` (${describeExit(exit)})`;
    throw new TargetError(`${options.target.name} does not say what it is: ${error.message}${end}`);
  }
}

class Run {
  /** Why the run cannot go on. */
  aborted: string | undefined;
  private readonly shared = new Observations();
  private readonly unheard = new Unheard();
  /** The failure after which nothing begins any more. */
  private firstFailure: string | undefined;

  constructor(
    private readonly options: RunOptions,
    private readonly pool: InstancePool,
    private readonly facts: TargetFacts,
    private readonly matcher: ExpectationMatcher | undefined,
  ) {}

  /** Never rejects: a fault of ours is a verdict of one requirement, not the end of the run. */
  async one(planned: Planned): Promise<RequirementEnded> {
    const report = (verdict: RequirementEnded['verdict']) =>
      endedEvent(planned.requirement, planned.chapter, { verdict, duration: 0, checks: 0 }, () => '');
    try {
      const ended = await this.attempt(planned, report);
      const judged = this.matcher?.judge(ended) ?? ended;
      const { failFast, strict } = this.options;
      if (failFast && standing(judged, strict) === 'failed') this.firstFailure ??= judged.id;
      return judged;
    } catch (error) {
      return report({ kind: 'inconclusive', reason: `the requirement itself failed: ${(error as Error).stack}` });
    }
  }

  private async attempt(
    { requirement, chapter }: Planned,
    report: (verdict: RequirementEnded['verdict']) => RequirementEnded,
  ): Promise<RequirementEnded> {
    const { options, facts } = this;
    if (options.signal?.aborted) return report({ kind: 'inconclusive', reason: 'the run was interrupted' });
    if (this.firstFailure !== undefined) {
      return report({ kind: 'inconclusive', reason: `not begun: ${this.firstFailure} had failed (--fail-fast)` });
    }
    if (this.aborted !== undefined) return report({ kind: 'inconclusive', reason: this.aborted });
    const why = notApplicable(requirement, options.target, facts);
    if (why !== undefined) return report({ kind: 'not-applicable', reason: why });
    options.sink({ event: 'started', id: requirement.id });
    const { strictDesc, seed } = options;
    const settings = { facts, pool: this.pool, strictDesc, seed, shared: this.shared };
    let result = await conduct(requirement, settings);
    // What an instance was used for before must not decide, nor what threads of it did once in a rare order.
    const words = holds(result.verdict) ? undefined : onceMore(result);
    if (words !== undefined) {
      const before = result.verdict;
      result = await conduct(requirement, { ...settings, fresh: true });
      if (holds(result.verdict)) options.sink({ event: 'note', text: words(requirement.id, before) });
    }
    for (const dialect of facts.readings ?? []) {
      if (!['divergence', 'hang'].includes(result.verdict.kind) || result.fatal !== undefined) break;
      const other = { ...facts, dialect };
      const reason = notApplicable(requirement, options.target, other);
      if (reason !== undefined) return report({ kind: 'not-applicable', reason });
      const again = await conduct(requirement, { ...settings, facts: other });
      if (!isFailure(again.verdict)) result = again;
    }
    if (result.fatal !== undefined) this.aborted ??= result.fatal;
    const silent = this.unheard.remark(result.verdict, result.transcript.entries);
    if (silent !== undefined) options.sink({ event: 'note', text: silent });
    return endedEvent(requirement, chapter, result, () => options.reproduce(requirement.id));
  }

  /** The control probe after everything: a target that was left broken must not end green. */
  async lastLook(): Promise<string | undefined> {
    if (this.aborted !== undefined || this.options.signal?.aborted) return undefined;
    try {
      const instance = await this.pool.acquire();
      const result = await probe(instance);
      await this.pool.release(instance, 'new');
      return result.health === 'dead' || result.health === 'wedged' ? `after the run: ${result.detail}` : undefined;
    } catch (error) {
      return `after the run: ${(error as Error).message}`;
    }
  }
}

/** What is said of a requirement that holds when it is run once more; undefined where its failure stands. */
function onceMore({ reused, verdict, transcript }: Conduct): ((id: string, before: Verdict) => string) | undefined {
  if (reused) return onlyReused;
  if (verdict.divergence?.step === wholeConversation) return onlyOnce;
  return diedYoung(verdict, transcript) ? onlyYoung : undefined;
}

const onlyReused = (id: string, { divergence, reason, kind }: Verdict): string =>
  `${id} holds on a fresh instance of its own, and not on one that had served before: ${divergence?.got ?? reason ?? kind}`;

const onlyOnce = (id: string, { divergence }: Verdict): string =>
  `${id} was once unlike the model, and not again: expected ${divergence?.expected.join(', or ')}; got ${divergence?.got}`;

const holds = ({ kind }: Verdict): boolean => ['conforms', 'known-defect', 'not-applicable'].includes(kind);

const onlyYoung = (id: string, { reason }: Verdict): string =>
  `${id} lost a process that had just been started, and not again: ${reason}`;

const blockedNote = ({ blocked }: TargetFacts): string | undefined =>
  blocked === undefined ? undefined : `it cannot be migrated, and what needs that is not judged: ${blocked.join('; ')}`;

function header(options: RunOptions, facts: TargetFacts, unmatched: number): RunHeader {
  return {
    event: 'header',
    version: runEventsVersion,
    tool: options.tool,
    target: options.target.name,
    description: options.target.description,
    product: facts.product,
    productVersion: facts.version,
    dialect: facts.dialect.name,
    notes: [facts.dialectNote, facts.schemaNote, blockedNote(facts), withoutMigrationNote(facts)].filter(
      (note) => note !== undefined,
    ),
    seed: options.seed,
    jobs: options.jobs,
    strict: options.strict,
    planned: options.planned.length,
    began: new Date().toISOString(),
    reproduce: options.reproduce(),
    ...(options.shard === undefined ? {} : { shard: options.shard }),
    ...(unmatched === 0 ? {} : { unmatched }),
  };
}

/** Lets mocha walk the tree of chapters; resolves when it has. */
function underMocha(options: RunOptions, outcomes: readonly Promise<RequirementEnded>[]): Promise<void> {
  const mocha = new Mocha({
    timeout: 0,
    reporter: options.reporter,
    reporterOptions: { sink: options.sink },
  });
  const suites = new Map<string, Mocha.Suite>();
  const suiteFor = (path: readonly string[]): Mocha.Suite => {
    if (path.length === 0) return mocha.suite;
    const key = path.join('\n');
    const known = suites.get(key);
    if (known !== undefined) return known;
    const made = Mocha.Suite.create(suiteFor(path.slice(0, -1)), path.at(-1) as string);
    suites.set(key, made);
    return made;
  };
  options.planned.forEach(({ requirement, chapter }, i) => {
    const test: RequirementTest = new Mocha.Test(
      `${requirement.title} [${requirement.id}]`,
      async function (this: Mocha.Context) {
        const outcome = await (outcomes[i] as Promise<RequirementEnded>);
        test.outcome = outcome;
        if (outcome.verdict.kind === 'conforms' || outcome.verdict.kind === 'known-defect') return;
        if (outcome.verdict.kind === 'not-applicable') this.skip();
        throw new Error(outcome.verdict.reason ?? outcome.verdict.divergence?.got ?? outcome.verdict.kind);
      },
    );
    suiteFor(chapter).addTest(test);
  });
  return new Promise((resolve) => {
    const runner = mocha.run(() => {
      // Its handlers of uncaught errors would otherwise stay for the life of this process.
      runner.dispose();
      resolve();
    });
  });
}

function foot(
  options: RunOptions,
  outcomes: readonly RequirementEnded[],
  aborted: string | undefined,
  { duration, unmatched }: { duration: number; unmatched: number },
): RunFooter {
  const counts: Partial<Record<VerdictKind, number>> = {};
  for (const { verdict } of outcomes) counts[verdict.kind] = (counts[verdict.kind] ?? 0) + 1;
  return {
    event: 'footer',
    counts,
    planned: options.planned.length,
    ran: outcomes.length,
    duration: Math.round(duration),
    ...(aborted === undefined ? {} : { aborted }),
    exitCode: exitCodeOf(options, outcomes, { aborted, unmatched }),
  };
}

function exitCodeOf(
  { strict, signal, planned }: RunOptions,
  outcomes: readonly RequirementEnded[],
  { aborted, unmatched }: { aborted: string | undefined; unmatched: number },
): number {
  const standings = new Set(outcomes.map((outcome) => standing(outcome, strict)));
  if (signal?.aborted) return exitCodes.interrupted;
  if (standings.has('failed')) return exitCodes.divergences;
  if (aborted !== undefined) return exitCodes.target;
  if (outcomes.length !== planned.length) return exitCodes.planNotMet;
  if (standings.has('vacuous')) return exitCodes.vacuous;
  if (standings.has('inconclusive')) return exitCodes.inconclusive;
  if (unmatched > 0 || standings.has('outdated')) return exitCodes.expectations;
  if (![...standings].some((one) => one !== 'not-applicable')) return exitCodes.nothingSelected;
  return exitCodes.conforms;
}
