/** How far a migration has come, which a state alone does not tell once it has ended. */
import type { ModelState } from '../../reference/model/index.js';

/**
 * How far the present outgoing migration has come, or had come when it ended: nothing was connected; its channel was connected;
 * the last of its stream may have been written.
 */
export type Progress = 'none' | 'connected' | 'written';

/** In the order in which they come. */
export const progresses: readonly Progress[] = ['none', 'connected', 'written'];

/** Phases in which a migration's channel is not connected, or not known to be. */
const unconnected: ReadonlySet<string> = new Set(['idle', 'connecting', 'stuck', 'settling']);
/** Phases in which the end of the stream may have been written. */
const writing: ReadonlySet<string> = new Set(['last-round', 'final-wait', 'colo-waiting']);

/** How far it has come in this state, when it had come so far before. */
export function progressOf({ out }: ModelState, before: Progress): Progress {
  if (out.status === 'none' || (out.status === 'setup' && out.phase === 'connecting')) return 'none';
  if (out.status === 'completed' || writing.has(out.phase)) return 'written';
  if (out.status === 'setup' && out.phase === 'streaming') return 'connected';
  return before === 'none' && !unconnected.has(out.phase) ? 'connected' : before;
}
