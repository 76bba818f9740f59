/** Processes that do jobs; each takes several at once. They end with us. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Done, Job } from './worker.js';

/** Jobs side by side in one process: each mostly waits. */
const lanes = 4;

export class Crew {
  private readonly workers: ChildProcess[];
  private readonly until: number;

  /** @param seconds after which nothing more is begun */
  constructor(processes: number, seconds = Number.POSITIVE_INFINITY) {
    const program = fileURLToPath(
      new URL(`./worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
    );
    this.workers = Array.from({ length: processes }, () => fork(program));
    this.until = performance.now() + 1000 * seconds;
  }

  /**
   * Does the jobs, as many as there is time for; `done` is told of each as it ends.
   * @param needed the job as it is still needed when its turn comes; `undefined`: not at all
   * @returns how many were not begun
   * @throws Error when a worker fails
   */
  async all<J extends Job>(
    jobs: readonly J[],
    done: (job: J, result: Done) => void,
    needed: (job: J) => J | undefined = (job) => job,
  ): Promise<number> {
    let next = 0;
    const lane = async (worker: ChildProcess): Promise<void> => {
      while (next < jobs.length && performance.now() < this.until) {
        const number = next++;
        const job = needed(jobs[number] as J);
        if (job === undefined) continue;
        const result = await this.one(worker, number, job);
        if (result.error !== undefined) throw new Error(result.error);
        done(job, result);
      }
    };
    // One of each worker before the second of any: few jobs are spread.
    const all = Array.from({ length: lanes }, () => this.workers).flat();
    await Promise.all(all.map(lane));
    return jobs.length - next;
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
