/** The client that comes after one that has left replies on their way. */
import type { Trial } from '../../oracle/trial.js';
import { Disconnected } from '../../protocol/errors.js';
import type { Session } from '../../protocol/session.js';
import type { Instance } from '../../targets/target.js';

/**
 * In command mode. Where it is sent away (QMP-BUG-10) all is done once more: twice in a row is no race.
 * @param leave what the client before it does until it is gone
 */
export async function clientAfter(t: Trial, instance: Instance, leave: () => Promise<void>): Promise<Session> {
  await leave();
  try {
    return await t.session({ to: instance });
  } catch (error) {
    if (!(error instanceof Disconnected) || instance.exit !== undefined) throw error;
    await leave();
    const next = await t.session({ to: instance });
    t.knownDefect('QMP-BUG-10', 'a greeting', 'end of file');
    return next;
  }
}
