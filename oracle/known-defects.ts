/**
 * Known defects of released monitors (commands.md §17, qmp-protocol.md §16), as data. The model describes the intended behaviour; a row here adds
 * what monitors of the named versions are known to do instead. A hypothesis that needs one is remembered with its id, and the
 * verdict is "known defect" instead of "divergence".
 */
import type { MigrationRules } from '../reference/dialects/migration.js';
import { type ModelState, type Output, visible } from '../reference/model/index.js';
import { crashes } from './known-crashes.js';
import type { KnownDefect } from './known-defect.js';
import { laterDefects } from './known-later-defects.js';
import { migrationDefects } from './known-migration-defects.js';
import { protocolDefects } from './known-protocol-defects.js';

export type { KnownDefect, Past } from './known-defect.js';

export const knownDefects: readonly KnownDefect[] = [
  ...migrationDefects,
  ...crashes,
  ...laterDefects,
  ...protocolDefects,
];

/** The defect of a release line that a process died of, by its last words. */
export function defectOfCrash(stderr: string, defects: ReadonlySet<string>): KnownDefect | undefined {
  return knownDefects.find(({ id, crash }) => crash !== undefined && defects.has(id) && crash.test(stderr));
}

/** The defect of a release line that breaks a value invariant in one of these states. */
export function defectOfBreach(
  row: string,
  states: readonly ModelState[],
  defects: ReadonlySet<string>,
): KnownDefect | undefined {
  return knownDefects.find(({ id, breaks }) => breaks?.row === row && defects.has(id) && states.some(breaks.when));
}

/** Ids of the defects that a release line has. */
export function defectsOf(version: { readonly major: number; readonly minor: number }): ReadonlySet<string> {
  const rank = ([major, minor]: readonly [number, number]) => major * 1000 + minor;
  const own = rank([version.major, version.minor]);
  return new Set(knownDefects.filter(({ from, to }) => rank(from) <= own && own <= rank(to)).map(({ id }) => id));
}

export interface DefectMove {
  readonly id: string;
  readonly label: string;
  readonly outputs: readonly Output[];
  readonly next: ModelState;
}

/** What known defects add to the outcomes of a command. */
export function defectOutcomes(state: ModelState, command: string, defects: ReadonlySet<string>): DefectMove[] {
  if (defects.size === 0) return [];
  return knownDefects.flatMap(({ id, outcomes }) =>
    outcomes === undefined || !defects.has(id)
      ? []
      : outcomes(state, command).map((one) => ({ id, ...one, outputs: visible(one.outputs, state) })),
  );
}

/** What known defects add to the model in a state. */
export function defectMoves(state: ModelState, rules: MigrationRules, defects: ReadonlySet<string>): DefectMove[] {
  if (defects.size === 0) return [];
  return knownDefects.flatMap(({ id, moves }) =>
    moves === undefined || !defects.has(id)
      ? []
      : moves(state, rules).map((move) => ({ id, ...move, outputs: visible(move.outputs, state) })),
  );
}
