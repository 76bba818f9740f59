/** A monitor that outlives the process that was started: a daemon, or what a script starts in a session of its own. */
import type { Instance } from './target.js';

/** Milliseconds in which such a monitor must greet to be noticed. */
const patience = 1000;

/** Whether somebody answers at the monitor of an instance that has ended. */
export async function goesOn(instance: Instance): Promise<boolean> {
  if (instance.exit === undefined) return false;
  try {
    const session = await instance.connect({ deadline: patience });
    try {
      await session.greeting(patience);
      return true;
    } finally {
      session.close();
    }
  } catch {
    return false;
  }
}

/** What to do about it, for the one who started it. */
export const goesOnWords =
  'what was started has ended and its monitor goes on in another process: it must stay in the foreground (no -daemonize, no setsid; a script must exec it or wait for it)';
