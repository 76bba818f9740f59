/**
 * Scenarios as walks. Deep states are reached by design: a peer that holds the source is opened before the command that
 * needs it, and released or cut afterwards; a postcopy is begun with so little bandwidth that it lasts. In between, commands
 * meet whatever state there is, right and wrong. How often what is tried stands in `weights.ts`.
 */
import fc from 'fast-check';
import type { Dialect } from '../../reference/dialects/dialect.js';
import { imageOf, type Scenario, scenarioVersion } from '../../targets/scenario.js';
import { fed } from './fed.js';
import { pair } from './pair.js';
import { postcopy } from './postcopy.js';
import { colo, type Episode, held, idle, plain, refused } from './source.js';
import { fromTable, Tape, tapes } from './tape.js';
import { weights } from './weights.js';
import { Writer } from './writer.js';

const episodes: Readonly<Record<keyof typeof weights.episode, Episode>> = {
  idle,
  refused,
  plain,
  held,
  postcopy,
  colo,
};

/** Episodes of one source at most. */
const mostEpisodes = 4;

function source(w: Writer): void {
  const paused = w.chance('paused') ? { paused: true } : {};
  // Content to send: without it a small guest is through before anything can be tried.
  const image = w.chance('image') ? { ramImage: imageOf(4) } : {};
  w.start('source', { ...paused, ...image });
  if (w.chance('events')) w.capabilities('source', 'events');
  for (let episode = 0; episode < mostEpisodes && !(episode > 0 && w.tape.ended); episode++) {
    if (!episodes[fromTable(w.tape, weights.episode)](w)) return;
  }
}

/** The scenario that a tape stands for. */
export function walk(decisions: readonly number[], dialect: Dialect): Scenario {
  const writer = new Writer(new Tape(decisions), dialect);
  const stages = { source, pair, fed };
  stages[fromTable(writer.tape, weights.stage)](writer);
  return { scenario: scenarioVersion, steps: writer.steps };
}

/** Scenarios for a dialect. */
export const scenarios = (dialect: Dialect, length = 120): fc.Arbitrary<Scenario> =>
  tapes(length).map((decisions) => walk(decisions, dialect));

/** The scenario of a seed: the same on every machine. */
export function scenarioOf(seed: number, dialect: Dialect): Scenario {
  const [scenario] = fc.sample(scenarios(dialect), { seed, numRuns: 1 });
  return { ...(scenario as Scenario), seed };
}
