/** Differences between schemas as text for people. */
import type { Compatibility, Difference } from './difference.js';

const headings: readonly (readonly [Compatibility, string])[] = [
  ['no', 'Breaks a client'],
  ['attention', 'Needs attention'],
  ['yes', 'Harmless'],
];

const signs = { added: '+', removed: '-', changed: '~' } as const;

/** The gravest first. `base` and `other` name the two sides. */
export function renderDifferences(differences: readonly Difference[], base: string, other: string): string {
  if (differences.length === 0) return `${other} does not differ from ${base}.\n`;
  const lines = [`What ${other} changes for a client of ${base}:`, ''];
  for (const [compatible, heading] of headings) {
    const own = differences.filter((difference) => difference.compatible === compatible);
    if (own.length === 0) continue;
    lines.push(`${heading} (${own.length})`);
    for (const { kind, path, text } of own) lines.push(`  ${signs[kind]} ${path}: ${text}`);
    lines.push('');
  }
  return lines.join('\n');
}
