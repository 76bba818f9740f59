/** The client that comes after one that has left replies on their way. */
import type { Trial } from '../../oracle/trial.js';
import { Disconnected } from '../../protocol/errors.js';
import type { Session } from '../../protocol/session.js';
import type { Instance } from '../../targets/target.js';

/** In command mode. Where it is sent away (QMP-BUG-10), the one after it is served. */
export async function nextClient(t: Trial, instance: Instance): Promise<Session> {
  try {
    return await t.session({ to: instance });
  } catch (error) {
    if (!(error instanceof Disconnected) || instance.exit !== undefined) throw error;
    t.knownDefect('QMP-BUG-10', 'a greeting', 'end of file');
    return await t.session({ to: instance });
  }
}
