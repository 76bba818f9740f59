/** Does what it is told over its channel, several jobs side by side: each mostly waits. */

import { chapters } from '../suites/index.js';
import { select } from '../suites/schedule.js';
import { hunt, type Kill } from './hunt.js';
import { recall } from './memory.js';
import type { Subject, TrialRun } from './trial-run.js';
import { failing, tryVariation } from './try-variation.js';

/** A fault to be killed, requirements that should fail on a fault, or a piece of the suite on a variation. */
export type Job =
  | { readonly kind: 'hunt'; readonly fault: string; readonly qemu?: string }
  | { readonly kind: 'prove'; readonly subject: Subject; readonly ids: readonly string[] }
  | { readonly kind: 'vary'; readonly piece: number; readonly subject: Subject; readonly ids: readonly string[] };
export interface Done {
  readonly number: number;
  readonly kill?: Kill;
  readonly run?: TrialRun;
  readonly error?: string;
}

async function work(job: Job): Promise<Omit<Done, 'number'>> {
  if (job.kind === 'hunt') return { kill: await hunt(job.fault, recall(), job.qemu) };
  const ids = new Set(job.ids);
  const planned = select(chapters, []).filter(({ requirement }) => ids.has(requirement.id));
  if (job.kind === 'vary') return { run: await tryVariation(job.subject, planned) };
  return { run: await failing(job.subject, planned) };
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
