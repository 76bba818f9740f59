import { modes } from './modes.js';
import type { Outcome, Result } from './run.js';
import { transportNames } from './transports.js';

/** The matrix as text: a block for each pair, a row for each mode, a column for each transport; then the reasons. */
export function renderTable(results: readonly Result[]): string {
  const reasons: string[] = [];
  const failures: string[] = [];
  const lines: string[] = [];
  const mark = (outcome: Outcome): string => {
    if (outcome.kind === 'equal') return 'ok';
    if (outcome.kind === 'failed') return 'FAILED';
    if (!reasons.includes(outcome.why)) reasons.push(outcome.why);
    return `${outcome.kind === 'absent' ? 'absent ' : '– '}(${reasons.indexOf(outcome.why) + 1})`;
  };
  const wide = Math.max(...modes.map(({ name }) => name.length)) + 2;
  const transports = transportNames.filter((name) => results.some(({ cell }) => cell.transport === name));
  for (const [pair, ofPair] of grouped(results, ({ cell }) => `${cell.source} → ${cell.destination}`)) {
    lines.push('', [pair.padEnd(wide + 2), ...transports.map((name) => name.padEnd(12))].join('').trimEnd());
    for (const [mode, ofMode] of grouped(ofPair, ({ cell }) => cell.mode.name)) {
      const row = transports.map((name) => {
        const result = ofMode.find(({ cell }) => cell.transport === name);
        return (result === undefined ? '' : mark(result.outcome)).padEnd(12);
      });
      lines.push(['  ', mode.padEnd(wide), ...row].join('').trimEnd());
    }
  }
  for (const { cell, outcome } of results) {
    if (outcome.kind !== 'failed') continue;
    failures.push(`  ${cell.source} → ${cell.destination}, ${cell.mode.name}, ${cell.transport}: ${outcome.why}`);
  }
  if (reasons.length > 0) lines.push('', ...reasons.map((reason, index) => `(${index + 1}) ${reason}`));
  if (failures.length > 0) lines.push('', 'Failures:', ...failures);
  lines.push('', summary(results), '');
  return lines.join('\n');
}

function summary(results: readonly Result[]): string {
  const of = (kind: Outcome['kind']) => results.filter(({ outcome }) => outcome.kind === kind).length;
  const parts = [`${of('equal')} equal`, `${of('failed')} failed`, `${of('impossible')} impossible`];
  if (of('absent') > 0) parts.push(`${of('absent')} absent`);
  return `${results.length} cells: ${parts.join(', ')}`;
}

function grouped(results: readonly Result[], by: (result: Result) => string): Map<string, Result[]> {
  const groups = new Map<string, Result[]>();
  for (const result of results) {
    const key = by(result);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [result]);
    else group.push(result);
  }
  return groups;
}
