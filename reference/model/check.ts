import type { MigrationRules } from '../dialects/migration.js';
import { explore, untaken } from './explore.js';
import { migrationStatuses } from './state.js';

/** Capabilities that change the course of a migration: every combination of them is walked. */
const telling = ['postcopy-ram', 'return-path', 'pause-before-switchover', 'x-colo'];
/** Capabilities that only change a single guard: walked alone and beside postcopy. */
const guarding = ['release-ram', 'dirty-bitmaps', 'block', 'postcopy-blocktime', 'xbzrle'];

const forDestination = new Set(['events', 'postcopy-ram', 'x-colo', 'postcopy-blocktime']);

export interface ModelCheck {
  readonly combinations: number;
  readonly states: number;
  readonly transitions: number;
  /** Statuses that some process reaches, both sides together. */
  readonly statuses: number;
  readonly rows: number;
  readonly problems: readonly string[];
  /** Rows that no walk took: of another dialect, behind a guard, or dead where no dialect takes them. */
  readonly untaken: readonly string[];
}

/** Every sensible combination of capabilities, with and without `events`, with and without TLS. */
export function checkModel(rules: MigrationRules): ModelCheck {
  const known = telling.filter((name) => rules.capabilities.includes(name));
  const problems = new Set<string>();
  const statuses = new Set<string>();
  const taken = new Set<string>();
  const rows = new Set<string>();
  let [combinations, states, transitions] = [0, 0, 0];
  const run = (capabilities: readonly string[], parameters: Readonly<Record<string, string>> = {}) => {
    // Few capabilities matter to a destination, and none to the commands that only read or set values.
    const matters = capabilities.every((name) => forDestination.has(name));
    const found = explore(rules, capabilities, {
      parameters,
      courseOnly: combinations > 1,
      ...(matters ? {} : { starts: [{}, { paused: true }] }),
    });
    combinations++;
    states += found.states;
    transitions += found.transitions;
    for (const problem of found.problems) problems.add(`[${capabilities.join(' ')}] ${problem}`);
    for (const status of [...found.outgoing, ...found.incoming]) statuses.add(status);
    for (const row of found.taken) taken.add(row);
    for (const id of found.rows) rows.add(id);
  };
  for (let mask = 0; mask < 2 ** known.length; mask++) {
    const capabilities = known.filter((_name, bit) => (mask >> bit) & 1);
    // `events` only hides outputs: one combination without it is enough.
    run(mask === 0 ? [] : ['events', ...capabilities]);
  }
  for (const extra of guarding.filter((name) => rules.capabilities.includes(name))) {
    run(['events', extra]);
    run(['events', 'postcopy-ram', extra]);
  }
  run(['events', 'return-path'], { 'tls-creds': 'id' });
  run(['events'], { 'tls-creds': 'id' });
  for (const status of migrationStatuses) if (!statuses.has(status)) problems.add(`status ${status} is never reached`);
  return {
    combinations,
    states,
    transitions,
    statuses: statuses.size,
    rows: rows.size,
    problems: [...problems],
    untaken: untaken(taken),
  };
}
