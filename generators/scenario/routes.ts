/**
 * Routes: for each transition that chance seldom comes to, the shortest way to it that shows that it was taken. A campaign takes
 * those whose transition it has not seen yet. The tape turns what surrounds the way, and not the way itself.
 */
import type { Dialect } from '../../reference/dialects/dialect.js';
import { type Scenario, scenarioVersion } from '../../targets/scenario.js';
import { destinationRoutes } from './routes-destination.js';
import { sourceRoutes } from './routes-source.js';
import { Tape } from './tape.js';
import { Writer } from './writer.js';

export interface Route {
  /** Keys of the transitions that it leads to, as coverage names them. */
  readonly aims: readonly string[];
  /** Dialects that have them; all when absent. */
  readonly of?: (dialect: Dialect) => boolean;
  readonly go: (w: Writer) => void;
}

/** Those of a dialect. */
export const routesOf = (dialect: Dialect): readonly Route[] =>
  [...sourceRoutes, ...destinationRoutes].filter(({ of }) => of === undefined || of(dialect));

/** The scenario that a tape stands for: its first decision is the number of the route. */
export function route([number = 0, ...decisions]: readonly number[], dialect: Dialect): Scenario {
  const routes = routesOf(dialect);
  const writer = new Writer(new Tape(decisions), dialect);
  routes[number % routes.length]?.go(writer);
  return { scenario: scenarioVersion, steps: writer.steps };
}
