/** Monitors that speak the protocol and do not migrate: that of qemu-storage-daemon, for example. */
import type { TargetFacts } from '../targets/facts.js';

/**
 * Tells the reader of a report that nothing of migration concerns the target: neither its list nor its own schema has a
 * command of it. QMP-BASE-21 fails all the same, as whoever loses all of them by a fault must not be found in order.
 */
export function withoutMigrationNote({ commands, schema }: TargetFacts): string | undefined {
  const described = schema.origin === 'introspection' ? schema.commands.keys() : [];
  if (commands === undefined || [...commands, ...described].some((name) => name.startsWith('migrate')))
    return undefined;
  return 'it has no command of migration: only the protocol itself is judged (--skip QMP-BASE-21 where that is meant)';
}
