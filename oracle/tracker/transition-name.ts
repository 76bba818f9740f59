/** What transitions of the model are called where a client could not tell one from the other. */
import type { ModelState, Side } from '../../reference/model/index.js';
import { alikeTo } from './alike.js';

/** One transition, in a state in which it was taken. */
export interface Taken {
  readonly side: Side | 'command' | 'defect';
  readonly label: string;
  readonly rows: readonly string[];
  readonly from: ModelState;
}

/** Rows of orders in which reply and events of one transition may come, and no transitions of their own. */
const ordering = /^MIG-SM-(E02|R\d+|O54)$/;

/** What the outcome of a command is called whose reply comes in its turn, where it is not `answered`. */
const usual: Readonly<Record<string, string>> = { migrate_cancel: 'cancelling', migrate: 'accepted' };

/** What a transition is called, with its rows, whatever the state and the order in which its reply and its events came. */
export function nameOf({ side, label, rows }: Omit<Taken, 'from'>): {
  readonly label: string;
  readonly rows: readonly string[];
} {
  const base = label.replace(
    /^(.*): (?:reply-later|told-late|device-first|device-swapped|device-swapped-early)$/,
    (_, name: string) => `${name}: ${usual[name] ?? 'answered'}`,
  );
  const own = rows.filter((row) => !ordering.test(row));
  const shown = own.length === 0 ? rows : own;
  const alike = alikeTo(side, base, shown);
  return alike === undefined ? { label: base, rows: shown } : { label: alike.name, rows: alike.rows };
}

/** Keys by the rows of a transition, which every move of its kind shares, then by side and label. */
const keys = new WeakMap<readonly string[], Map<string, string>>();

/** Equal for transitions that are the same to a client. */
export function transitionKey(taken: Omit<Taken, 'from'>): string {
  let own = keys.get(taken.rows);
  if (own === undefined) {
    own = new Map();
    keys.set(taken.rows, own);
  }
  const called = `${taken.side} ${taken.label}`;
  let known = own.get(called);
  if (known === undefined) {
    const { label, rows } = nameOf(taken);
    known = `${taken.side} ${label} ${rows.join(' ')}`;
    own.set(called, known);
  }
  return known;
}

/** One transition in states that look the same from outside. */
export const placeKey = (taken: Taken): string =>
  `${transitionKey(taken)} ${taken.from.out.status} ${taken.from.in.status}`;

/** Equal for all that coverage tells of one transition alike: its place, the command's outcome, and the phases there. */
export function takenKey(taken: Taken): string {
  const { out, in: incoming } = taken.from;
  return `${placeKey(taken)} ${taken.label} ${taken.rows[0]} ${out.phase} ${incoming.origin} ${incoming.phase}`;
}
