/** Looks for the requirement of the suite that a planted fault, or a lie, fails first. */
import { faults } from '../reference/faults/index.js';
import { chapters } from '../suites/index.js';
import { type Planned, select } from '../suites/schedule.js';
import type { Kills } from './memory.js';
import { truthOf, type Wrong, wrongNamed } from './planted.js';
import { type Subject, trialRun } from './trial-run.js';

export interface Kill {
  readonly fault: string;
  /** The requirement that failed; absent when the fault survived. */
  readonly requirement?: string;
  /** It shows to one requirement alone, which does not apply here. */
  readonly idle?: true;
  /** What it expected and got, in short. */
  readonly why?: string;
  /** Milliseconds of that requirement. */
  readonly duration: number;
  /** Requirements that were judged up to it. */
  readonly judged: number;
  /** Where it was run: in this process, as a process of its own, or behind a relay. */
  readonly where: 'in process' | 'process' | 'relay';
  /** Milliseconds from the begin of the hunt. */
  readonly seconds: number;
}

/** What stands for the control probe that begins each run: a target that fails it is not run at all. */
export const probed = 'control-probe';

/** One refusal may be a slow machine. */
const refusalsThatCount = 3;

const all = select(chapters, []);
const byId = new Map(all.map((one) => [one.requirement.id, one]));

/** What an honest monitor fails, for reasons of this process or of the relay; asked once, each when it matters. */
const honest = new Map<string, Promise<boolean>>();
function passesHonestly(planned: Planned, subject: Subject): Promise<boolean> {
  const { qemu, dialect, fault = '' } = subject;
  const truth = qemu === undefined ? '' : truthOf(fault);
  const key = `${planned.requirement.id} ${dialect} ${subject.process === true} ${qemu} ${truth}`;
  let known = honest.get(key);
  if (known === undefined) {
    const { fault: _, ...without } = subject;
    const truthful: Subject = qemu !== undefined ? { qemu, fault: truth } : without;
    known = trialRun(truthful, [planned], once).then(({ passed }) => passed.length === 1);
    honest.set(key, known);
  }
  return known;
}
const once = { jobs: 1, failFast: false } as const;

/**
 * The requirements that are likely to notice, in that order: those that did before, those of the rows that the fault violates,
 * those of the same section.
 */
export function likely({ rows }: Pick<Wrong, 'rows'>, killers: readonly string[]): Set<Planned> {
  const before = killers.flatMap((id) => byId.get(id) ?? []);
  const ofRows = all.filter(({ requirement: { id } }) => rows.some((row) => id === row || id.startsWith(`${row}.`)));
  const sections = rows.map((row) => row.replace(/\d+$/, ''));
  const near = all.filter(({ requirement: { id } }) => sections.some((section) => id.startsWith(section)));
  return new Set([...before, ...ofRows, ...near]);
}

/**
 * A kill counts when the requirement fails again on its own, and an honest monitor in the same place passes it: neither a
 * slow machine nor what cannot be shown in one process, or behind a relay, is taken for a kill.
 */
export async function hunt(name: string, kills: Kills, qemu?: string, jobs = 2): Promise<Kill> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const wrong = wrongNamed(name) as Wrong;
  const expected = likely(wrong, kills[name] ?? []);
  const others = all.filter((one) => !expected.has(one));
  let [judged, refusals] = [0, 0];
  const dialect = faults.get(name)?.dialect;
  const planted: Subject = { fault: name, ...(dialect === undefined ? {} : { dialect }) };
  const subjects: readonly Subject[] =
    qemu === undefined && !name.startsWith('lie:')
      ? [planted, { ...planted, process: true }]
      : qemu === undefined
        ? [planted]
        : [{ fault: name, qemu }];
  // What is likely is tried everywhere before what is not: some faults only show in a process of their own.
  const tries = [[...expected], others].flatMap((order) => subjects.map((subject) => ({ subject, order })));
  for (const { subject, order } of tries) {
    const where = qemu !== undefined ? 'relay' : subject === planted ? 'in process' : 'process';
    // A few at first: mostly the first requirement is the right one, and what is not begun costs time too.
    let size = 8;
    for (let left = order; left.length > 0; ) {
      const run = await trialRun(subject, left.slice(0, size), { jobs, failFast: true });
      judged += run.judged;
      if (run.refused !== undefined) {
        if (++refusals < refusalsThatCount) continue;
        return { fault: name, requirement: probed, why: run.refused, duration: 0, judged, where, seconds: seconds() };
      }
      const first = run.failed[0];
      if (wrong.alone && wrong.rows.some((row) => run.unjudged.includes(row)))
        return { fault: name, idle: true, duration: 0, judged, where, seconds: seconds() };
      if (first === undefined) {
        left = left.slice(size);
        size = 8 * size;
        continue;
      }
      const { id: requirement, duration, verdict } = first;
      const planned = byId.get(requirement) as Planned;
      // From a requirement that has nothing to do with it the fault is given time: it may only be slow.
      const again: Subject = expected.has(planned) ? subject : { ...subject, patient: true };
      if ((await passesHonestly(planned, subject)) && (await trialRun(again, [planned], once)).failed.length === 1) {
        const { divergence, reason } = verdict;
        const why =
          divergence === undefined
            ? (reason ?? verdict.kind)
            : `${divergence.expected.join(', or ')}; got ${divergence.got}`;
        return { fault: name, requirement, why, duration, judged, where, seconds: seconds() };
      }
      const done = new Set(run.passed);
      left = left.filter(({ requirement: { id } }) => id !== requirement && !done.has(id));
    }
  }
  return { fault: name, duration: 0, judged, where: 'process', seconds: seconds() };
}
