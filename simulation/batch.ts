/** Many simulated runs, one after the other. */

import type { CaseSource } from '../generators/sources.js';
import type { DialectName } from '../reference/dialects/dialect.js';
import { drawn } from './drawn.js';
import { dialectOf, type Simulation, simulate } from './simulate.js';

export interface BatchOptions {
  readonly seed: number;
  readonly runs: number;
  readonly dialect?: DialectName;
  /** Draw from these; walks when absent. */
  readonly sources?: readonly CaseSource[];
  /** Called for each run that shows something wrong. */
  readonly onProblem: (simulation: Simulation) => void;
  /** Called after each run. */
  readonly onRun?: (done: number, simulation: Simulation) => void;
}

export interface BatchResult {
  readonly runs: number;
  /** Steps of the scenarios. */
  readonly steps: number;
  /** Entries of the transcripts. */
  readonly entries: number;
  readonly problems: number;
  /** Seconds. */
  readonly seconds: number;
  /** Seconds of processor time of this process. */
  readonly processor: number;
}

/** Runs seeds from `seed` on. */
export async function simulateBatch({
  seed,
  runs,
  dialect,
  sources,
  onProblem,
  onRun,
}: BatchOptions): Promise<BatchResult> {
  const began = performance.now();
  const used = process.cpuUsage();
  let [done, steps, entries, problems] = [0, 0, 0, 0];
  while (done < runs) {
    const own = seed + done;
    const scenario = sources === undefined ? undefined : drawn(own, dialect ?? dialectOf(own), sources);
    const simulation = await simulate(own, {
      ...(dialect === undefined ? {} : { dialect }),
      ...(scenario === undefined ? {} : { scenario }),
    });
    done++;
    steps += simulation.scenario.steps.length;
    entries += simulation.transcript.entries.length;
    if (simulation.problem !== undefined) {
      problems++;
      onProblem(simulation);
    }
    onRun?.(done, simulation);
  }
  const { user, system } = process.cpuUsage(used);
  return {
    runs: done,
    steps,
    entries,
    problems,
    seconds: (performance.now() - began) / 1000,
    processor: (user + system) / 1e6,
  };
}
