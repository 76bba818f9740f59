/** What a campaign has reached, beside what it could reach. */
import type { Coverage } from './coverage.js';
import type { Transition } from './transitions.js';

export interface ReachedTransition {
  readonly side: Transition['side'];
  readonly label: string;
  readonly rows: readonly string[];
  /** How many transitions of the model it stands for, which show the same to a client. */
  readonly members: number;
  /** Cases that surely took it. */
  readonly cases: number;
  /** Cases that took it, or another that looks the same to a client. */
  readonly perhaps: number;
  /** Why it cannot be reached from outside; absent where it can. */
  readonly outOfReach?: string;
}

/** What was seen of a command: in how many states, and how often with which outcome. */
export interface CommandCoverage {
  readonly command: string;
  readonly states: readonly string[];
  /** `refused MIG-CMD-MIG-05` → cases. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** `max-bandwidth 2^30` → how it was answered. */
  readonly values: Readonly<Record<string, readonly string[]>>;
}

export interface CoverageSummary {
  readonly coverage: 1;
  readonly reachable: number;
  readonly reached: number;
  /** Those that are not surely reached, but took part in an explanation of what was seen. */
  readonly perhaps: number;
  readonly transitions: readonly ReachedTransition[];
  /** Arrows between statuses that were taken, `outgoing active completed`. */
  readonly edges: readonly string[];
  /** Outgoing statuses in which some transition began, and incoming ones. */
  readonly statuses: { readonly outgoing: readonly string[]; readonly incoming: readonly string[] };
  readonly commands: readonly CommandCoverage[];
  /** Rows of refusals → cases. */
  readonly errors: Readonly<Record<string, number>>;
}

export function summarise(coverage: Coverage, model: readonly Transition[]): CoverageSummary {
  const { reached } = coverage;
  const transitions = model.map(({ key, side, label, rows, members, reason }): ReachedTransition => {
    const cases = reached.get(`transition|${key}`) ?? 0;
    const perhaps = reached.get(`perhaps|${key}`) ?? 0;
    return { side, label, rows, members, cases, perhaps, ...(reason === undefined ? {} : { outOfReach: reason }) };
  });
  // What was reached against the table's word can be reached.
  const counted = transitions.filter(({ cases, outOfReach }) => outOfReach === undefined || cases > 0);
  return {
    coverage: 1,
    reachable: counted.length,
    reached: counted.filter(({ cases }) => cases > 0).length,
    perhaps: counted.filter(({ cases, perhaps }) => cases === 0 && perhaps > 0).length,
    transitions,
    ...placesOf(coverage, model),
    commands: commandsOf(coverage),
    errors: errorsOf(coverage),
  };
}

function placesOf({ reached }: Coverage, model: readonly Transition[]): Pick<CoverageSummary, 'edges' | 'statuses'> {
  const byKey = new Map(model.map((one) => [one.key, one]));
  const edges = new Set<string>();
  const outgoing = new Set<string>();
  const incoming = new Set<string>();
  for (const one of reached.keys()) {
    const [kind, key = '', out = '', into = ''] = one.split('|');
    if (kind !== 'place') continue;
    outgoing.add(out);
    incoming.add(into);
    for (const [from, to] of byKey.get(key)?.edges ?? []) {
      if (from === to) continue;
      if (from === out) edges.add(`outgoing ${from} ${to}`);
      if (from === into) edges.add(`incoming ${from} ${to}`);
    }
  }
  return { edges: [...edges].sort(), statuses: { outgoing: [...outgoing].sort(), incoming: [...incoming].sort() } };
}

function commandsOf({ reached }: Coverage): CommandCoverage[] {
  const found = new Map<
    string,
    { states: Set<string>; outcomes: Record<string, number>; values: Record<string, string[]> }
  >();
  const of = (name: string) => {
    const one = found.get(name) ?? { states: new Set<string>(), outcomes: {}, values: {} };
    found.set(name, one);
    return one;
  };
  for (const [one, cases] of reached) {
    const [kind, name = '', third = '', fourth = '', fifth = ''] = one.split('|');
    if (kind === 'command') {
      const command = of(name);
      command.states.add(third);
      const outcome = `${fourth} ${fifth}`.trim() || 'answered';
      command.outcomes[outcome] = (command.outcomes[outcome] ?? 0) + cases;
    } else if (kind === 'value') {
      const { values } = of(name);
      values[third] = [...(values[third] ?? []), fourth];
    }
  }
  return [...found]
    .sort(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([command, { states, outcomes, values }]) => ({ command, states: [...states].sort(), outcomes, values }));
}

function errorsOf({ reached }: Coverage): Record<string, number> {
  const errors: Record<string, number> = {};
  for (const [one, cases] of reached) {
    const [kind, , , outcome, row] = one.split('|');
    if (kind === 'command' && outcome === 'refused' && row) errors[row] = (errors[row] ?? 0) + cases;
  }
  return Object.fromEntries(Object.entries(errors).sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
}
