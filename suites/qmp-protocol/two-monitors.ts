/** An instance with two monitors, and a client on each. */
import type { Trial } from '../../oracle/trial.js';
import type { Session } from '../../protocol/session.js';
import type { Instance } from '../../targets/target.js';

export const twoMonitors = { monitors: [{ transport: 'unix' }, { transport: 'unix' }] } as const;

/** What it needs of the target. */
export const several = { needs: { abilities: ['start', 'arguments'] } } as const;

/** Both in command mode. The first one's greeting shows that the process has made all its sockets: it is connected first. */
export async function onTwoMonitors(t: Trial): Promise<{ instance: Instance; first: Session; second: Session }> {
  const instance = await t.start(twoMonitors);
  const first = await t.session({ to: instance });
  const second = await t.session({ to: instance, monitor: 1 });
  return { instance, first, second };
}
