/** Processes that do jobs; each takes several at once. They end with us. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Done, Job } from './worker.js';

/** Jobs side by side in one process. */
const lanes = 3;

export class Crew {
  private readonly workers: ChildProcess[];

  constructor(processes: number) {
    const program = fileURLToPath(
      new URL(`./worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
    );
    this.workers = Array.from({ length: processes }, () => fork(program));
  }

  /** Does all jobs; `done` is told of each as it ends. @throws Error when a worker fails */
  async all<J extends Job>(jobs: readonly J[], done: (job: J, result: Done) => void): Promise<void> {
    let next = 0;
    const lane = async (worker: ChildProcess): Promise<void> => {
      while (next < jobs.length) {
        const number = next++;
        const job = jobs[number] as J;
        const result = await this.one(worker, number, job);
        if (result.error !== undefined) throw new Error(result.error);
        done(job, result);
      }
    };
    await Promise.all(this.workers.flatMap((worker) => Array.from({ length: lanes }, () => lane(worker))));
  }

  private one(worker: ChildProcess, number: number, job: Job): Promise<Done> {
    return new Promise((resolve, reject) => {
      const gone = (code: number | null): void =>
        reject(new Error(`a worker ended with ${code} at ${JSON.stringify(job)}`));
      const hear = (done: Done): void => {
        if (done.number !== number) return;
        worker.off('message', hear);
        worker.off('exit', gone);
        resolve(done);
      };
      worker.setMaxListeners(4 * lanes);
      worker.on('message', hear);
      worker.on('exit', gone);
      worker.send({ number, job });
    });
  }

  close(): void {
    for (const worker of this.workers) worker.disconnect();
  }
}
