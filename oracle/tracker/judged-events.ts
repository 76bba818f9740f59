import type { Schema } from '../../qapi/schema.js';

/** Events that the model speaks of; devices, disks and displays send others whenever they like, and these pass unjudged. */
export const judgedEvents: ReadonlySet<string> = new Set([
  'MIGRATION',
  'MIGRATION_PASS',
  'STOP',
  'RESUME',
  'RESET',
  'SHUTDOWN',
  'POWERDOWN',
  'COLO_EXIT',
]);

/** Those that schemas have, and the one that tells of dropped commands. */
export const judgedOf = (schemas: readonly Schema[]): ReadonlySet<string> =>
  new Set(
    schemas
      .flatMap(({ events }) => [...events.keys()])
      .filter((name) => judgedEvents.has(name) || name === 'COMMAND_DROPPED'),
  );
