/** Two transcripts side by side, as text. */
import { type Alignment, type Comparison, unpermitted } from '../oracle/compare.js';
import type { Difference } from '../oracle/differing.js';
import { stringifyJson } from '../protocol/json.js';
import { visible } from '../protocol/render.js';
import type { Entry } from '../protocol/transcript.js';
import { summary } from './message-summary.js';
import type { Colors } from './terminal.js';

export interface ComparisonLook {
  readonly colors: Colors;
  /** Columns of the terminal. */
  readonly width: number;
  /** Show every message; otherwise long stretches that are alike on both sides are folded. */
  readonly all: boolean;
}

/** Messages shown before and after a difference. */
const context = 3;
/** Fewer alike than this are shown rather than counted. */
const worthFolding = 3;
/** Members shown of two messages that differ in many. */
const mostMembers = 6;

/** `=` same, `~` the same message earlier or later, `|` different. */
export function renderComparison(
  comparisons: readonly Comparison[],
  names: readonly [left: string, right: string],
  look: ComparisonLook,
): string {
  const column = Math.max(34, Math.floor((look.width - 3 - ' permitted'.length) / 2));
  const lines: string[] = [];
  for (const { endpoint, rows } of comparisons) {
    lines.push(endpoint, `${padTo(names[0], column)}   ${names[1]}`, ...tableOf(rows, column, look), '');
  }
  const all = comparisons.flatMap(({ rows }) => rows);
  const different = all.filter(({ kind }) => kind !== 'same').length;
  const bad = unpermitted(comparisons).length;
  lines.push(`${all.length - different} messages agree, ${different} differ, ${bad} of these against the model`);
  return `${lines.join('\n')}\n`;
}

function tableOf(rows: readonly Alignment[], column: number, look: ComparisonLook): string[] {
  const lines: string[] = [];
  for (let i = 0; i < rows.length; ) {
    const folded = look.all ? 0 : foldable(rows, i);
    if (folded >= worthFolding) {
      lines.push(look.colors.dim(`       … ${folded} messages alike`));
      i += folded;
      continue;
    }
    lines.push(...lineOf(rows[i] as Alignment, column, look.colors));
    i++;
  }
  return lines;
}

/** How many rows from here on are alike and away from every difference. */
function foldable(rows: readonly Alignment[], from: number): number {
  const near = (at: number) =>
    rows.slice(Math.max(0, at - context), at + context + 1).some(({ kind }) => kind !== 'same');
  let to = from;
  while (to < rows.length && !near(to)) to++;
  return to - from;
}

function lineOf(row: Alignment, column: number, colors: Colors): string[] {
  const mark = row.kind === 'same' ? '=' : row.kind === 'moved' ? '~' : '|';
  const verdict = row.kind === 'same' ? '' : ` ${words[row.standing]}`;
  const line = `${padTo(side(row.left), column)} ${mark} ${padTo(side(row.right), column)}${verdict}`.trimEnd();
  if (row.kind === 'same') return [line];
  const paint = { permitted: colors.yellow, 'not-permitted': colors.red, unjudged: colors.dim }[row.standing];
  const members = row.kind === 'different' ? (row.members ?? []) : [];
  const shown = members.slice(0, mostMembers).map((one) => `       ${memberOf(one)}`);
  if (members.length > mostMembers) shown.push(`       … and ${members.length - mostMembers} members more`);
  return [line, ...shown].map(paint);
}

const words = { permitted: 'permitted', 'not-permitted': 'NOT PERMITTED', unjudged: 'not judged' };

const memberOf = ({ member, left, right }: Difference): string => {
  const value = (one: Difference['left']) => (one === undefined ? 'absent' : cut(visible(stringifyJson(one)), 60));
  return `${member}: ${value(left)} | ${value(right)}`;
};

const side = (entry: Entry | undefined): string =>
  entry === undefined ? '' : `${String(entry.n).padStart(4)} ${summary(entry)}`;
const cut = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);
const padTo = (text: string, width: number): string => cut(text, width).padEnd(width);
