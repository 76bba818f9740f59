import type { MigrationRules } from '../dialects/migration.js';
import { explore } from './explore.js';
import type { Alternative } from './row.js';

/** Rows of state-machine.md §3 and §4 that are no transition of the model, and why. */
export const notTransitions: Readonly<Record<string, string>> = {
  'MIG-SM-I03': 'the initial state of a process started with -incoming defer (initialState)',
};

export interface RowEntry {
  readonly id: string;
  /** `by: from -> to`, each once, in the order of discovery. */
  readonly uses: readonly string[];
}

/** Where each row of the specification lives in the model, found by walking it. */
export function rowIndex(rules: MigrationRules): RowEntry[] {
  const uses = new Map<string, Set<string>>();
  const note = (from: string, to: string, by: string, { rows }: Alternative) => {
    for (const id of rows) {
      const list = uses.get(id) ?? new Set();
      list.add(`${by}: ${from === to ? from : `${from} -> ${to}`}`);
      uses.set(id, list);
    }
  };
  const sets = [
    [],
    ['return-path'],
    ['pause-before-switchover', 'return-path'],
    ['postcopy-ram'],
    ['postcopy-ram', 'pause-before-switchover'],
    ['postcopy-ram', 'release-ram'],
    ['x-colo'],
    ['x-colo', 'return-path'],
  ];
  for (const capabilities of sets) {
    for (const parameters of capabilities.length === 0 ? [{}, { 'tls-creds': 'id' }] : [{}]) {
      explore(rules, ['events', ...capabilities], {
        parameters,
        onTransition: (from, by, taken, side) => {
          if (side === 'incoming') note(from.in.status, taken.next.in.status, by, taken);
          else note(from.out.status, taken.next.out.status, by, taken);
        },
      });
    }
  }
  return [...uses]
    .map(([id, list]) => ({ id, uses: [...list] }))
    .sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}
