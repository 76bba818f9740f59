/** A divergence of one process, as its tracker finds it: what came, and what was permitted in its place. */
import { describeEmission, type Emission } from './emission.js';
import { describeObservation, type Observation } from './observation.js';

/** What was permitted instead, in words, with the rows that permit it. */
export interface Permitted {
  readonly words: string;
  readonly rows: readonly string[];
}

export interface TrackedDivergence {
  readonly observation: Observation;
  readonly got: string;
  readonly permitted: readonly Permitted[];
  /** The states the process may have been in, in words. */
  readonly states: readonly string[];
  /** Known defects that explain it, if any: then it is no divergence. */
  readonly defects: readonly string[];
}

/** What says when an event is raised, and with it that it is not at other times. */
const eventRows: Readonly<Record<string, string>> = {
  MIGRATION: 'MIG-CMD-EVT-01',
  MIGRATION_PASS: 'MIG-CMD-EVT-04',
  STOP: 'MIG-CMD-EVT-05',
  RESUME: 'MIG-CMD-EVT-06',
};

/** @param outputs what could have come */
export function trackedDivergence(
  observation: Observation,
  outputs: readonly Emission[],
  states: readonly string[],
  defect: string | undefined,
): TrackedDivergence {
  const permitted = new Map<string, Set<string>>();
  for (const emission of outputs) {
    const words = describeEmission(emission);
    permitted.set(words, new Set([...(permitted.get(words) ?? []), ...emission.rows]));
  }
  const uncalled = observation.kind === 'event' ? eventRows[observation.event] : undefined;
  if (observation.kind === 'event' && uncalled !== undefined) {
    permitted.set(`no event ${observation.event} now`, new Set([uncalled]));
  }
  if (permitted.size === 0) permitted.set('silence', new Set());
  return {
    observation,
    got: describeObservation(observation),
    permitted: [...permitted].map(([words, rows]) => ({ words, rows: [...rows] })),
    states,
    defects: defect === undefined ? [] : [defect],
  };
}
