/** Waiting for what a known defect keeps from ever coming. */
import type { Trial } from '../../oracle/trial.js';
import { DeadlinePassed } from '../../protocol/errors.js';

/** True when it came; false when it did not, and the target's release is known for that. */
export async function awaitOrDefect(t: Trial, id: string, expected: string, wait: Promise<unknown>): Promise<boolean> {
  try {
    await wait;
    return true;
  } catch (error) {
    if (!(error instanceof DeadlinePassed)) throw error;
    t.knownDefect(id, expected, `nothing within ${Math.round(error.deadline)} ms`);
    return false;
  }
}
