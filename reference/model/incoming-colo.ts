/** Incoming side in COLO, the secondary (state-machine.md §4.5). */
import { all, type Guard, inAt, row } from './row.js';

const failover: Guard = (state) => state.in.failoverRequested;
const resets: Guard = (_state, rules) => !rules.coloSecondaryRuns;

export const coloLoadSteps = [
  row('MIG-SM-I61', 'checkpoint', all(inAt('colo'), resets), (c) => c.event('RESET', { guest: false })),
  row(
    'MIG-SM-I61',
    'checkpoint',
    all(inAt('colo'), (s, r) => !resets(s, r)),
  ),
  row('MIG-SM-I62', 'channel-error', inAt('colo')),
  row('MIG-SM-I63', 'failover', all(inAt('colo'), failover), (c, rules) => {
    c.inTo('completed').incoming({ failoverRequested: false }).autostart(true);
    if (rules.coloSecondaryRuns) c.event('COLO_EXIT', { mode: 'secondary', reason: 'request' });
    return c.resume();
  }),
];
