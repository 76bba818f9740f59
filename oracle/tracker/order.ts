/** Orders within one process that are not those of the model's outputs: neighbours that may swap, numbers of passes. */
import type { JsonValue } from '../../protocol/json.js';
import type { Emission } from './emission.js';

/** Rows of the first pass of a migration, also of one that is already being cancelled. */
const firstPassRows = new Set(['MIG-SM-O12', 'MIG-SM-C02', 'MIG-SM-C03']);

/**
 * The number of a pass, if it may be that. Counted on over the life of the process, or from 1 in each migration
 * (MIG-CMD-EVT-04, MIG-DEF-18); those of a migration without capability `events` are counted unseen.
 */
export function passNumber(
  given: JsonValue | undefined,
  before: number | undefined,
  rows: readonly string[],
): number | undefined {
  if (typeof given !== 'number' && typeof given !== 'bigint') return undefined;
  const number = Number(given);
  if (!Number.isSafeInteger(number) || number < 1) return undefined;
  if (before === undefined || number === before + 1) return number;
  const first = rows.some((row) => firstPassRows.has(row));
  return first && (number === 1 || number > before) ? number : undefined;
}

export const isMigration = (emission: Emission | undefined): boolean =>
  emission !== undefined && emission.output.kind === 'event' && emission.output.event === 'MIGRATION';

/**
 * A status change and its event are two moments (MIG-SM-E02): another thread's event, and the reply of a command that already
 * met the new status, may come in between.
 */
export function maySwap([front, second]: readonly Emission[]): boolean {
  if (front === undefined || second === undefined || !isMigration(front) || front.origin === second.origin)
    return false;
  return isMigration(second) || (front.origin === 'step' && second.output.kind === 'reply');
}
