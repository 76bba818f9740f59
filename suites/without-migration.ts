/** Monitors that speak the protocol and do not migrate: that of qemu-storage-daemon, for example. */
import type { TargetFacts } from '../targets/facts.js';

/** Why nothing of migration concerns the target: neither its list nor its own schema has a command of it. */
export function withoutMigration({ commands, schema }: TargetFacts): string | undefined {
  const described = schema.origin === 'introspection' ? schema.commands.keys() : [];
  if (commands === undefined || [...commands, ...described].some((name) => name.startsWith('migrate')))
    return undefined;
  return 'it has no command of migration';
}

/** The same for the reader of a report. */
export const withoutMigrationNote = (facts: TargetFacts): string | undefined =>
  withoutMigration(facts) && 'it has no command of migration: only the protocol itself is judged';
