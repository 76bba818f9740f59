/** The traceability matrix: what the schema and the specification have, and which requirements are about it. */

import { plural } from './printable.js';
import type { Colors } from './terminal.js';

export interface TracedRow {
  /** What is traced, for example `capability xbzrle` or `MIG-SM-O01`. */
  readonly name: string;
  readonly requirements: readonly string[];
  /** Why there is none; absent for a hole. */
  readonly reason?: string;
}

export interface TracedPart {
  readonly title: string;
  readonly rows: readonly TracedRow[];
}

/** Requirements named in one line of the table; JSON has them all. */
const named = 3;

const isHole = ({ requirements, reason }: TracedRow): boolean => requirements.length === 0 && reason === undefined;

export const holesIn = (parts: readonly TracedPart[]): TracedRow[] => parts.flatMap(({ rows }) => rows.filter(isHole));

/** `186 rows: 160 with requirements, 26 left out for a reason, no hole`. */
function summary(rows: readonly TracedRow[]): string {
  const covered = rows.filter(({ requirements }) => requirements.length > 0).length;
  const holes = rows.filter(isHole).length;
  const reasoned = rows.length - covered - holes;
  return `${plural(rows.length, 'row')}: ${covered} with requirements, ${reasoned} left out for a reason, ${holes === 0 ? 'no hole' : plural(holes, 'hole')}`;
}

const cell = ({ requirements, reason }: TracedRow): string => {
  if (requirements.length === 0) return reason ?? 'HOLE';
  const more = requirements.length - named;
  return `${requirements.slice(0, named).join(' ')}${more > 0 ? ` and ${more} more` : ''}`;
};

export function matrixTable(parts: readonly TracedPart[], colors: Colors): string {
  return parts
    .map(({ title, rows }) => {
      const width = Math.max(...rows.map(({ name }) => name.length), 0);
      const lines = rows.map((row) => {
        const count = String(row.requirements.length).padStart(4);
        const paint = isHole(row) ? colors.red : row.requirements.length === 0 ? colors.dim : (text: string) => text;
        return `  ${row.name.padEnd(width)} ${count}  ${paint(cell(row))}\n`;
      });
      return `${colors.bold(title)}\n${lines.join('')}  ${summary(rows)}\n`;
    })
    .join('\n');
}

export function matrixMarkdown(parts: readonly TracedPart[]): string {
  return parts
    .map(({ title, rows }) => {
      const lines = rows.map((row) => {
        const all = row.requirements.length > 0 ? row.requirements.join(' ') : (row.reason ?? '**HOLE**');
        return `| ${row.name} | ${row.requirements.length} | ${all} |\n`;
      });
      return `## ${title}\n\n|   | requirements |   |\n|---|---|---|\n${lines.join('')}\n${summary(rows)}\n`;
    })
    .join('\n');
}
