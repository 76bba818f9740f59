/** Requirements on a variation: in this process as far as that can be, the others on a process of its own. */
import type { Planned } from '../suites/schedule.js';
import { type Subject, type TrialRun, trialRun } from './trial-run.js';

const side = { jobs: 3, failFast: false } as const;

/**
 * What fails counts when it fails again: first in this process, where an honest reference must hold it, then as a process
 * of its own. What this process cannot show is judged there only.
 */
export async function tryVariation(subject: Subject, planned: readonly Planned[]): Promise<TrialRun> {
  const first = await trialRun(subject, planned, side);
  if (first.refused !== undefined) return first;
  if (subject.qemu !== undefined) return first.failed.length === 0 ? first : repeated(subject, planned, first);
  const failed = new Set(first.failed.map(({ id }) => id));
  const open = new Set([...failed, ...first.unjudged]);
  const rest = planned.filter(({ requirement: { id } }) => open.has(id));
  if (rest.length === 0) return first;
  const second = await trialRun({ ...subject, process: true }, rest, side);
  const odd = planned.filter(({ requirement: { id } }) => failed.has(id) && second.passed.includes(id));
  const honest = odd.length === 0 ? undefined : await trialRun({}, odd, side);
  const here = await repeated(
    subject,
    odd.filter(({ requirement: { id } }) => honest?.passed.includes(id)),
    first,
  );
  return {
    failed: [...here.failed, ...second.failed],
    judged: first.judged - failed.size + second.judged,
    passed: [...first.passed, ...second.passed],
    unjudged: second.unjudged,
    ...(second.refused === undefined ? {} : { refused: second.refused }),
  };
}

/** `first` with what fails once more. */
async function repeated(subject: Subject, planned: readonly Planned[], first: TrialRun): Promise<TrialRun> {
  const failed = new Set(first.failed.map(({ id }) => id));
  const again = planned.filter(({ requirement: { id } }) => failed.has(id));
  if (again.length === 0) return { ...first, failed: [] };
  const second = await trialRun(subject, again, { jobs: 1, failFast: false });
  return { ...first, failed: second.failed };
}

/** What fails with a fault and holds without it. */
export async function failing(subject: Subject, planned: readonly Planned[]): Promise<TrialRun> {
  const first = await trialRun(subject, planned, side);
  const failed = new Set(first.failed.map(({ id }) => id));
  if (failed.size === 0) return first;
  const { fault, ...honest } = subject;
  const suspects = planned.filter(({ requirement: { id } }) => failed.has(id));
  const held = new Set((await trialRun(honest, suspects, side)).passed);
  return { ...first, failed: first.failed.filter(({ id }) => held.has(id)) };
}
