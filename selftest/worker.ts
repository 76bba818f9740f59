/** Hunts faults that it is told over its channel, several side by side: each mostly waits. */

import { chapters } from '../suites/index.js';
import { select } from '../suites/schedule.js';
import { hunt, type Kill } from './hunt.js';
import { recall } from './memory.js';
import { type Subject, type TrialRun, trialRun } from './trial-run.js';

/** A fault to be killed, or requirements to be run on a subject. */
export type Job =
  | { readonly kind: 'hunt'; readonly fault: string; readonly qemu?: string }
  | { readonly kind: 'run'; readonly subject: Subject; readonly ids: readonly string[]; readonly jobs: number };
export interface Done {
  readonly number: number;
  readonly kill?: Kill;
  readonly run?: TrialRun;
  readonly error?: string;
}

async function work(job: Job): Promise<Omit<Done, 'number'>> {
  if (job.kind === 'hunt') return { kill: await hunt(job.fault, recall(), job.qemu) };
  const ids = new Set(job.ids);
  const planned = select(chapters, []).filter(({ requirement }) => ids.size === 0 || ids.has(requirement.id));
  return { run: await trialRun(job.subject, planned, { jobs: job.jobs, failFast: false }) };
}

if (process.send !== undefined) {
  const tell = process.send.bind(process);
  process.on('message', ({ number, job }: { number: number; job: Job }) => {
    work(job).then(
      (done) => tell({ number, ...done }),
      (error: Error) => tell({ number, error: error.stack ?? error.message }),
    );
  });
  // Whoever gave us work is gone, or needs no more.
  process.on('disconnect', () => process.exit(0));
  process.on('error', () => process.exit(0));
}
