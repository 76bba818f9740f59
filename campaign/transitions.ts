/**
 * Every transition of the model that a dialect has, found by walking it, and of those that no client can bring about, or
 * recognise, the reason. What is left is what a campaign can reach.
 */

import { nameOf, transitionKey } from '../oracle/tracker/transition-name.js';
import type { MigrationRules } from '../reference/dialects/migration.js';
import { allCalls, command, explore, type ModelState } from '../reference/model/index.js';
import { outOfReach } from './out-of-reach.js';

export interface Transition {
  /** As coverage names it: side, label, rows. */
  readonly key: string;
  readonly side: 'outgoing' | 'incoming' | 'command';
  readonly label: string;
  readonly rows: readonly string[];
  /** How many transitions of the model it stands for: those that show the same to a client are told together. */
  readonly members: number;
  /** Statuses of its side that it leads from and to. */
  readonly edges: readonly (readonly [from: string, to: string])[];
  /** Why no client can bring it about, or tell that it was taken; absent when it can be reached. */
  readonly reason?: string;
}

/** Capabilities that open parts of the model, alone and together. */
const capabilitySets = [
  [],
  ['return-path'],
  ['pause-before-switchover'],
  ['pause-before-switchover', 'return-path'],
  ['postcopy-ram'],
  ['postcopy-ram', 'pause-before-switchover'],
  ['x-colo'],
  ['x-colo', 'return-path'],
];

const known = new WeakMap<MigrationRules, readonly Transition[]>();

/**
 * All of them, sides in order. Takes some seconds at the first call for a dialect.
 * @param defects known defects of the release that is looked at: some stand in the place of a transition
 */
export function transitionsOfModel(
  rules: MigrationRules,
  defects: ReadonlySet<string> = new Set(),
): readonly Transition[] {
  const all = known.get(rules) ?? walkModel(rules);
  known.set(rules, all);
  return all.map((one): Transition => {
    const reason = outOfReach(one, { rules, defects });
    return reason === undefined ? one : { ...one, reason };
  });
}

function walkModel(rules: MigrationRules): readonly Transition[] {
  const found = new Map<string, Transition & { edges: [string, string][] }>();
  const single = new Map<string, Set<string>>();
  const places = new Map<string, ModelState>();
  const note = (
    side: Transition['side'],
    label: string,
    rows: readonly string[],
    from: ModelState,
    next: ModelState,
  ) => {
    const key = transitionKey({ side, label, rows });
    const one = found.get(key) ?? { key, side, ...nameOf({ side, label, rows }), members: 1, edges: [] };
    const members = single.get(key) ?? new Set();
    single.set(key, members.add(label));
    const incoming = side === 'incoming' || (side === 'command' && next.in !== from.in);
    const [a, b] = incoming ? [from.in.status, next.in.status] : [from.out.status, next.out.status];
    if (!one.edges.some(([x, y]) => x === a && y === b)) one.edges.push([a, b]);
    found.set(key, one);
  };
  for (const capabilities of capabilitySets) {
    explore(rules, ['events', ...capabilities], {
      courseOnly: true,
      onTransition: (from, by, taken, side) => {
        note(side, side === 'command' ? `${by}: ${taken.label}` : taken.label, taken.rows, from, taken.next);
        const { out, in: incoming, vm } = from;
        const place = `${out.status} ${out.phase} ${incoming.status} ${incoming.phase} ${incoming.pc} ${vm.runState} ${capabilities}`;
        if (!places.has(place) && !from.replyOwed && from.exit === null) places.set(place, from);
      },
    });
  }
  for (const state of places.values()) {
    for (const call of allCalls) {
      for (const one of command(state, call, rules))
        note('command', `${call.name}: ${one.label}`, one.rows, state, one.next);
    }
  }
  return [...found.values()].map((one) => ({ ...one, members: single.get(one.key)?.size ?? 1 }));
}
