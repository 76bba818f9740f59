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
