/** Judgements of transcripts, and comparisons of two, as text. */

import { type Comparison, unpermitted } from '../oracle/compare.js';
import { explainDivergence } from '../oracle/explain.js';
import type { Judgement } from '../oracle/judge.js';
import { renderEntry } from '../protocol/render.js';
import type { Entry, Transcript } from '../protocol/transcript.js';
import type { Colors } from './terminal.js';

/** A judgement with its explanation; ends with a line end. */
export function renderJudgement(judgement: Judgement, transcript: Transcript, colors: Colors): string {
  const seen = `${judgement.observations} observation${judgement.observations === 1 ? '' : 's'}`;
  switch (judgement.kind) {
    case 'conforms':
      return `${colors.green('conforms')}  (${seen})\n`;
    case 'known-defect':
      return `${colors.yellow('known defect')}  ${(judgement.defects ?? []).join(', ')}  (${seen})\n`;
    case 'inconclusive':
      return `${colors.yellow('inconclusive')}  ${judgement.reason ?? ''}  (${seen})\n`;
    case 'divergence': {
      const lines = judgement.divergence === undefined ? [] : explainDivergence(judgement.divergence, transcript);
      return `${colors.red('divergence')}  (${seen})\n${lines.join('\n')}\n`;
    }
  }
}

/** Two transcripts side by side: `=` same, `~` moved, `|` different; `ok` where the model permits the difference. */
export function renderComparison(
  comparisons: readonly Comparison[],
  names: readonly [left: string, right: string],
  colors: Colors,
  width: number,
): string {
  const column = Math.max(30, Math.floor((width - 7) / 2));
  const lines: string[] = [];
  for (const { endpoint, rows } of comparisons) {
    lines.push(`${endpoint}`, `${padTo(names[0], column)}   ${names[1]}`);
    for (const row of rows) {
      const mark = row.kind === 'same' ? '=' : row.kind === 'moved' ? '~' : '|';
      const verdict = row.kind === 'same' ? '' : row.permitted ? ' permitted' : ' NOT PERMITTED';
      const line =
        `${padTo(side(row.left, column), column)} ${mark} ${padTo(side(row.right, column), column)}${verdict}`.trimEnd();
      const paint = row.kind === 'same' ? (text: string) => text : row.permitted ? colors.yellow : colors.red;
      lines.push(paint(line));
    }
    lines.push('');
  }
  const all = comparisons.flatMap(({ rows }) => rows);
  const different = all.filter(({ kind }) => kind !== 'same').length;
  const bad = unpermitted(comparisons).length;
  lines.push(`${all.length - different} messages agree, ${different} differ, ${bad} of these against the model`);
  return `${lines.join('\n')}\n`;
}

const side = (entry: Entry | undefined, width: number): string =>
  entry === undefined ? '' : renderEntry(entry, { width: Math.max(10, width - 12) });

const padTo = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
