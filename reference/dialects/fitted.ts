/** A dialect that stands in for a release without one of its own, cut to the names that the monitor itself lists. */
import type { Dialect } from './dialect.js';
import type { MigrationRules } from './migration.js';

/**
 * @param capabilities in the order that the monitor lists them
 * @param parameters those that it shows
 */
export function fitted(dialect: Dialect, capabilities: readonly string[], parameters: ReadonlySet<string>): Dialect {
  const { migration } = dialect;
  const listed = new Set(capabilities);
  const rules: MigrationRules = {
    ...migration,
    capabilities,
    conflicts: migration.conflicts.filter(({ on, off = [] }) => [...on, ...off].every((name) => listed.has(name))),
    // What is not shown until it is set may be there none the less.
    parameters: migration.parameters.filter(({ name, initial }) => initial === undefined || parameters.has(name)),
  };
  return { ...dialect, migration: rules };
}
