/** What setting capabilities gives on an idle monitor (commands.md §4, state-machine.md §10.4). */

import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonValue } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import type { CapabilityConflict } from '../../reference/dialects/migration.js';

/** What a host or a build may lack; a monitor may refuse these although no other capability is in the way. */
const hostDependent = ['zero-copy-send', 'background-snapshot', 'dirty-limit', 'rdma-pin-all', 'block'];

export const dependsOnHost = (name: string): boolean => hostDependent.includes(name);

/** Texts of the conflicts in a set, in the order in which they are looked for; the first one is the answer. */
export function conflictsIn(conflicts: readonly CapabilityConflict[], on: ReadonlySet<string>): string[] {
  const holds = (conflict: CapabilityConflict) =>
    conflict.perhaps === undefined &&
    conflict.onlyIncoming === undefined &&
    conflict.onlyWith === undefined &&
    conflict.on.every((name) => on.has(name)) &&
    (conflict.off === undefined || conflict.off.some((name) => !on.has(name)));
  return conflicts.filter(holds).map(({ desc }) => desc);
}

/** The capabilities as a record. */
export async function readCapabilities(t: Trial, session: Session): Promise<Readonly<Record<string, JsonValue>>> {
  const list = t.succeeded(await session.command('query-migrate-capabilities'), 'query-migrate-capabilities');
  const entries = Array.isArray(list) ? (list as readonly JsonValue[]) : [];
  return Object.fromEntries(entries.map((one) => (isObject(one) ? [String(one.capability), one.state ?? null] : [])));
}

/** Switches off what somebody has left on in a monitor that runs already, and returns the names of all. */
export async function allOff(t: Trial, session: Session): Promise<string[]> {
  const all = await readCapabilities(t, session);
  const on = Object.keys(all).filter((name) => all[name] === true);
  if (on.length > 0) {
    const off = setting(on.map((name) => [name, false]));
    t.succeeded(await session.command('migrate-set-capabilities', off), `${on.join()} off`);
  }
  return Object.keys(all);
}

export const setting = (entries: readonly (readonly [capability: string, state: boolean])[]) => ({
  capabilities: entries.map(([capability, state]) => ({ capability, state })),
});

/**
 * How to try every pair of capabilities: sets that must be taken, each of which tells of all the pairs in it, and the pairs
 * that stand in none.
 * @param apart names that stand in no set
 */
export function setsOfPairs(
  names: readonly string[],
  conflicts: readonly CapabilityConflict[],
  apart: ReadonlySet<string>,
): { readonly sets: readonly (readonly string[])[]; readonly pairs: readonly (readonly [string, string])[] } {
  const agree = (some: readonly string[]) =>
    !some.some((name) => apart.has(name)) && conflictsIn(conflicts, new Set(some)).length === 0;
  const all = names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b] as const));
  const sets: string[][] = [];
  for (const pair of all) {
    if (!agree(pair) || sets.some((set) => pair.every((name) => set.includes(name)))) continue;
    const set: string[] = [...pair];
    for (const name of names) if (!set.includes(name) && agree([...set, name])) set.push(name);
    sets.push(set);
  }
  return { sets, pairs: all.filter((pair) => !agree(pair)) };
}
