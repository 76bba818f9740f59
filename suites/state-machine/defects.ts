/** Waiting for what a known defect keeps from ever coming. */
import { hasDefect } from '../../oracle/release.js';
import type { Trial } from '../../oracle/trial.js';
import { DeadlinePassed, Disconnected } from '../../protocol/errors.js';
import { runStateBecomes } from '../commands/observe.js';
import type { Actor } from './actor.js';

/** Milliseconds after which a release that is known never to say something is taken at its word. */
const patience = 300;

/**
 * True when it came; false when it did not, or the process ended, and the target's release is known for that.
 * @param wait is given the milliseconds that it may take, or nothing for the usual time
 */
export async function awaitOrDefect(
  t: Trial,
  id: string,
  expected: string,
  wait: (deadline?: number) => Promise<unknown>,
): Promise<boolean> {
  try {
    await wait(hasDefect(t.facts, id) ? patience : undefined);
    return true;
  } catch (error) {
    if (error instanceof DeadlinePassed) {
      t.knownDefect(id, expected, `nothing within ${Math.round(error.deadline)} ms`);
    } else if (error instanceof Disconnected) {
      t.knownDefect(id, expected, 'end of file');
    } else {
      throw error;
    }
    return false;
  }
}

/** What a release that is known for a defect may leave unfinished, for nothing comes any more while all of its processes live. */
export async function unlessHangs(t: Trial, id: string, expected: string, look: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    const alive = t.instances.every(({ exit }) => exit === undefined);
    if (!(error instanceof DeadlinePassed) || !alive || !hasDefect(t.facts, id)) throw error;
    t.knownDefect(id, expected, `nothing within ${Math.round(error.deadline)} ms`);
  }
}

/** A source whose postcopy was cancelled stays stopped for good; false where a known defect lets its guest run again. */
export const staysStopped = (t: Trial, { session }: Actor): Promise<boolean> =>
  awaitOrDefect(t, 'MIG-DEF-38', 'query-status to say postmigrate', (deadline) =>
    runStateBecomes(t, session, 'postmigrate', deadline),
  );
