/** The suite against the reference in this process, with something planted: the same run as `qmpspec run`, one after another. */
import type { RequirementEnded, RunEvent } from '../oracle/run-events.js';
import { standing } from '../oracle/standing.js';
import { isFailure } from '../oracle/verdict.js';
import type { DialectName } from '../reference/dialects/dialect.js';
import { EventReporter } from '../reports/mocha-reporter.js';
import { runSuite } from '../suites/run.js';
import type { Planned } from '../suites/schedule.js';
import { referenceTarget } from '../targets/executable.js';
import { InProcessTarget } from '../targets/in-process/target.js';
import { type Target, TargetError } from '../targets/target.js';
import { lyingReference, lyingTarget } from '../test/lying-monitors/lying-target.js';

/** Milliseconds that a reply or an event may take: what does not come costs this once. */
const deadline = 1500;
/** The same where nothing is wrong: what is honest has time, however busy the host is. */
const patience = 15_000;

/** What is planted; nothing: the honest reference. */
export interface Subject {
  readonly fault?: string;
  readonly variation?: string;
  /** The baseline when absent. */
  readonly dialect?: DialectName;
  /** As a process of its own, for what this process cannot show: real sockets, descriptors, the end of a process. */
  readonly process?: true;
  /** With all the time that an honest one has: what fails then does not fail because the host is busy. */
  readonly patient?: true;
  /** Program of a QEMU: what is planted is told by a relay between it and the suite. */
  readonly qemu?: string;
}

/** As the relay calls it. */
function lieOf(fault: string | undefined, variation: string | undefined): string {
  if (fault === undefined) return variation === undefined ? 'truth' : `vary:${variation}`;
  return fault.startsWith('lie:') ? fault.slice('lie:'.length) : `fault:${fault}`;
}

function targetOf({ fault, variation, dialect, process: separate, patient, qemu }: Subject): Target {
  const usual = fault === undefined || patient ? patience : deadline;
  if (qemu !== undefined) {
    return lyingTarget(lieOf(fault, variation), qemu);
  }
  if (fault?.startsWith('lie:')) return lyingReference(lieOf(fault, variation), usual);
  if (!separate) {
    return new InProcessTarget({
      deadline: usual,
      ...(dialect === undefined ? {} : { dialect }),
      ...(fault === undefined ? {} : { faults: [fault] }),
      ...(variation === undefined ? {} : { variations: [variation] }),
    });
  }
  const planted = [
    ...(dialect === undefined ? [] : ['--dialect', dialect]),
    ...(fault === undefined ? [] : ['--fault', fault]),
    ...(variation === undefined ? [] : ['--vary', variation]),
  ];
  return referenceTarget('reference', planted, { deadline: Math.min(2 * usual, patience) });
}

export interface TrialRun {
  /** What failed, in the order of the plan. */
  readonly failed: readonly RequirementEnded[];
  /** How many were judged at all. */
  readonly judged: number;
  readonly passed: readonly string[];
  /** What could not be judged here, or does not concern the target. */
  readonly unjudged: readonly string[];
  /** Why the target could not be run at all. */
  readonly refused?: string;
}

/** @param failFast nothing begins any more once a requirement has failed */
export async function trialRun(
  subject: Subject,
  planned: readonly Planned[],
  { jobs, failFast }: { readonly jobs: number; readonly failFast: boolean },
): Promise<TrialRun> {
  const ended: RequirementEnded[] = [];
  try {
    await runSuite({
      target: targetOf(subject),
      planned,
      jobs,
      failFast,
      seed: 0,
      strict: false,
      strictDesc: false,
      tool: 'selftest',
      reproduce: () => '',
      reporter: EventReporter,
      sink: (event: RunEvent) => {
        if (event.event === 'requirement') ended.push(event);
      },
    });
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return { failed: [], judged: 0, passed: [], unjudged: [], refused: error.message };
  }
  const isJudged = ({ verdict }: RequirementEnded) =>
    verdict.kind !== 'not-applicable' && verdict.kind !== 'inconclusive';
  const judged = ended.filter(isJudged);
  return {
    failed: judged.filter((one) => isFailure(one.verdict) && standing(one, false) === 'failed'),
    judged: judged.length,
    passed: judged.filter(({ verdict }) => verdict.kind === 'conforms').map(({ id }) => id),
    unjudged: ended.filter((one) => !isJudged(one)).map(({ id }) => id),
  };
}
