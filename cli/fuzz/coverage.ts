/** `qmpspec fuzz --coverage`: what was reached, on standard output or as files of the campaign. */
import { join } from 'node:path';
import type { Coverage } from '../../campaign/coverage.js';
import { summarise } from '../../campaign/coverage-summary.js';
import { writeWhole } from '../../campaign/folder.js';
import { transitionsOfModel } from '../../campaign/transitions.js';
import { defectsOfFacts } from '../../oracle/release.js';
import { coverageDiagram, coverageTable } from '../../reports/coverage.js';
import type { TargetFacts } from '../../targets/facts.js';
import type { Io } from '../io.js';

/** @throws StorageError */
export function showCoverage(format: string, coverage: Coverage, facts: TargetFacts, folder: string, io: Io): void {
  const { dialect } = facts;
  const summary = summarise(coverage, transitionsOfModel(dialect.migration, defectsOfFacts(facts)));
  if (format === 'json') {
    io.out.write(`${JSON.stringify(summary, null, 2)}\n`);
    return;
  }
  io.out.write(`\n${coverageTable(summary, io.out.colors)}`);
  if (format !== 'svg') return;
  for (const side of ['outgoing', 'incoming'] as const) {
    const file = join(folder, `coverage-${side}.svg`);
    writeWhole(file, coverageDiagram(summary, dialect.migration, side));
    io.out.write(`${file}\n`);
  }
}
