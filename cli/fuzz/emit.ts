/** `qmpspec fuzz --emit`: the scenarios of a seed as files, for whoever wants to read or run them elsewhere. */
import { join } from 'node:path';
import { stringifyCase } from '../../campaign/case-file.js';
import { withEnd } from '../../campaign/epilogue.js';
import { writeWhole } from '../../campaign/folder.js';
import { Schedule } from '../../campaign/schedule.js';
import type { CaseSource } from '../../generators/sources.js';
import type { TargetFacts } from '../../targets/facts.js';

export interface EmitOptions {
  readonly seed: number;
  readonly runs: number;
  readonly sources: readonly CaseSource[];
  readonly facts: TargetFacts;
}

/** Without guidance: nothing but the seed decides. @throws StorageError */
export function emitScenarios(folder: string, { seed, runs, sources, facts }: EmitOptions): void {
  const schedule = new Schedule(seed, sources, { dialect: facts.dialect, schema: facts.schema });
  for (let index = 0; index < runs; index++) {
    const { source, scenario } = schedule.plan(index);
    const name = `${String(index).padStart(6, '0')}-${source.name}.json`;
    writeWhole(join(folder, name), stringifyCase(withEnd(scenario)));
  }
}
