/** What speaks against the target in one run of a scenario, and the signature by which two runs show the same. */
import { createHash } from 'node:crypto';

export type SymptomKind = 'divergence' | 'crash' | 'hang' | 'garbage' | 'leak' | 'known-defect';

export interface Symptom {
  readonly kind: SymptomKind;
  /** What it was seen at: `reply to migrate_cancel`, `event MIGRATION failed`, `death by SIGSEGV`. */
  readonly subject: string;
  /** Rows of the specification that permit what should have come. */
  readonly rows: readonly string[];
  /** The model state before it, in words; empty when there is no telling. */
  readonly state: string;
  /** The assertion, sanitizer report or transition text of a process that died. */
  readonly lastWords?: string;
  readonly expected: readonly string[];
  readonly got: string;
  /** Transcript entry that shows it. */
  readonly entry?: number;
  /** Known defect of the target's release that it is. */
  readonly defect?: string;
}

/** Numbers, addresses and paths differ from run to run. */
export const withoutFigures = (text: string): string =>
  text
    .replace(/0x[0-9a-f]+/gi, '0x…')
    .replace(/\/\S*\//g, '…/')
    .replace(/\d+/g, 'N');

/** What stays the same when the surroundings change: by it a scenario is shrunk. */
export function essence({ kind, subject, lastWords, defect }: Symptom): string {
  if (defect !== undefined) return `known ${defect}`;
  if (lastWords !== undefined) return `${kind} ${withoutFigures(lastWords)}`;
  return `${kind} ${subject}`;
}

/** Eight hexadecimal digits that are equal for findings that are the same. */
export function signature(symptom: Symptom): string {
  const { kind, state, lastWords, defect, rows } = symptom;
  const here = kind === 'divergence' || (kind === 'crash' && lastWords === undefined);
  const place = here ? `${rows[0] ?? ''} | ${state}` : '';
  const text = defect === undefined ? `${essence(symptom)} | ${place}` : essence(symptom);
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** One line for lists. */
export function titleOf({ kind, subject, state, lastWords, defect }: Symptom): string {
  if (defect !== undefined) return `${defect}: ${subject}`;
  const where = state === '' ? '' : ` in ${state}`;
  return `${kind}: ${subject}${lastWords === undefined ? where : ` (${lastWords})`}`;
}
