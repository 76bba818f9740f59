/**
 * Where cases come from. A source turns a tape of decisions into a scenario; the campaign draws fresh tapes and changes those
 * that led to something new. Another generator joins by one line here.
 */
import { closest } from 'fastest-levenshtein';
import type { Schema } from '../qapi/schema.js';
import type { Dialect } from '../reference/dialects/dialect.js';
import type { Scenario } from '../targets/scenario.js';
import { onlyAsking } from './asking.js';
import { jsonScenario } from './json/scenario.js';
import { nearMissScenario } from './near-miss/scenario.js';
import { raceScenario, races } from './races/races.js';
import { answer, answersOf } from './scenario/answers.js';
import { expedition } from './scenario/expedition.js';
import { load, loadsOf } from './scenario/loads.js';
import { route, routesOf } from './scenario/routes.js';
import { storm } from './scenario/storm.js';
import { sweep, sweepsOf } from './scenario/sweep.js';
import { transfer, transfersOf } from './scenario/transfers.js';
import { walk } from './scenario/walk.js';
import { timingScenario } from './timing/scenario.js';
import { valueScenario } from './values/scenario.js';

/** What a source may look at beside the tape. */
export interface Surroundings {
  readonly dialect: Dialect;
  /** The target's own schema. */
  readonly schema: Schema;
  /** It is the reference, whose machine can have a guest that writes to its memory; the guest of others does nothing. */
  readonly guest?: boolean;
}

export interface CaseSource {
  readonly name: string;
  /** What it tries, for `--help` and reports. */
  readonly about: string;
  /** How often it is drawn, beside the others, while nothing is known of their yield. */
  readonly weight: number;
  /** Decisions on a fresh tape. */
  readonly length: number;
  readonly make: (decisions: readonly number[], surroundings: Surroundings) => Scenario;
  /** Its cases are commands in great number and little else: they fill the time that nothing else needs. */
  readonly bulk?: true;
  /** Much of its cases is left where nothing may leave a trace ({@link askingSources}). */
  readonly asks?: true;
  /** How many values of the first decision a campaign begins with, one after the other; none when absent. */
  readonly opening?: (surroundings: Surroundings) => number;
  /** For each value of the first decision, keys of the transitions to which the case is meant to lead. */
  readonly aims?: (surroundings: Surroundings) => readonly (readonly string[])[];
}

export const sources: readonly CaseSource[] = [
  {
    name: 'sweep',
    about: 'every parameter, capability and command of an idle source, in turn',
    weight: 1,
    length: 1,
    make: (decisions, { dialect, schema }) => sweep(decisions, dialect, schema),
    opening: ({ dialect, schema }) => sweepsOf(dialect, schema).length,
  },
  {
    name: 'transfer',
    about: 'whole migrations with each capability that changes what goes over the wire',
    weight: 1,
    length: 6,
    make: transfer,
    opening: transfersOf,
  },
  {
    name: 'load',
    about: 'streams of our own that a destination takes or must not take, and what becomes of them',
    weight: 1,
    length: 6,
    make: (decisions, { dialect }) => load(decisions, dialect),
    opening: ({ dialect }) => loadsOf(dialect).length,
  },
  {
    name: 'answer',
    about: 'messages of our own that come back to a source: right, wrong, and out of place',
    weight: 1,
    length: 8,
    make: (decisions, { dialect }) => answer(decisions, dialect),
    opening: ({ dialect }) => answersOf(dialect),
  },
  {
    name: 'walk',
    about: 'walks over the state machine: migrations that are held, broken, cancelled, raced',
    weight: 10,
    length: 120,
    make: (decisions, { dialect }) => walk(decisions, dialect),
  },
  {
    name: 'expedition',
    about: 'short ways to places that walks seldom come to: second migrations, last moments, failovers',
    weight: 4,
    length: 30,
    make: (decisions, { dialect }) => expedition(decisions, dialect),
  },
  {
    name: 'route',
    about: 'straight to transitions that no other case has reached',
    weight: 1,
    length: 16,
    make: (decisions, { dialect }) => route(decisions, dialect),
    aims: ({ dialect }) => routesOf(dialect).map(({ aims }) => aims),
  },
  {
    name: 'storm',
    about: 'many commands in one write, at a source that is idle, held, on its way, paused or through',
    weight: 4,
    length: 240,
    bulk: true,
    asks: true,
    make: (decisions, { dialect, schema }) => storm(decisions, dialect, schema),
  },
  {
    name: 'race',
    about: 'one command at one gap of the ladder of events, out of all that there are',
    weight: 3,
    length: 1,
    make: ([number = 0], { dialect }) => {
      const all = races(dialect);
      return raceScenario(all[number % all.length] as (typeof all)[number]);
    },
  },
  {
    name: 'values',
    about: 'valid commands with every value that the schema permits',
    weight: 2,
    length: 120,
    asks: true,
    make: (decisions, { dialect, schema }) => valueScenario(decisions, dialect, schema),
  },
  {
    name: 'near-miss',
    about: 'commands that are right but for one thing',
    weight: 2,
    length: 160,
    asks: true,
    make: (decisions, { dialect, schema }) => nearMissScenario(decisions, dialect, schema),
  },
  {
    name: 'json',
    about: 'raw input: encodings, escapes, depth, size, broken texts, and the way back',
    weight: 2,
    length: 80,
    asks: true,
    make: (decisions, { dialect }) => jsonScenario(decisions, dialect),
  },
  {
    name: 'timing',
    about: 'good commands in pieces and several at once',
    weight: 1,
    length: 80,
    asks: true,
    make: (decisions, { dialect }) => timingScenario(decisions, dialect),
  },
];

/** A source was asked for that there is not. */
export class SourceError extends Error {
  override readonly name = 'SelectorError';
}

/** Sources by name, or all of them. @throws SourceError */
export function chooseSources(names: readonly string[]): readonly CaseSource[] {
  if (names.length === 0) return sources;
  return names.map((name) => {
    const source = sources.find((one) => one.name === name);
    if (source !== undefined) return source;
    const known = sources.map((one) => one.name);
    throw new SourceError(
      `there is no source of cases '${name}'; did you mean '${closest(name, known)}'? There are ${known.join(', ')}`,
    );
  });
}

/** These sources for a monitor that must be left as it was found, without those of which nothing would remain. */
export const askingSources = (from: readonly CaseSource[]): readonly CaseSource[] =>
  from
    .filter(({ asks }) => asks)
    .map((source) => ({
      ...source,
      make: (decisions, surroundings) => onlyAsking(source.make(decisions, surroundings)),
    }));
