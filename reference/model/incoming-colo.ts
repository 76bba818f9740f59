/** Incoming side in COLO, the secondary (state-machine.md §4.5, §10.1). */
import type { Change } from './change.js';
import { all, any, type Guard, inAt, not, row } from './row.js';

const failover: Guard = (state) => state.in.failoverRequested;
/** The secondary's guest runs between checkpoints, and the end of COLO has an event. */
const runs: Guard = (_state, rules) => rules.coloSecondaryRuns;
const ready = inAt('colo', 'idle');
const lost = inAt('colo', 'lost');

type ExitReason = 'request' | 'error';

const coloExit = (c: Change, reason: ExitReason): Change => c.event('COLO_EXIT', { mode: 'secondary', reason });

const complete = (c: Change, reason: ExitReason): Change => {
  const announced = c.state.in.phase === 'lost';
  c.stop('colo').inTo('completed').incoming({ failoverRequested: false }).autostart(true);
  return (announced ? c : coloExit(c, reason)).resume();
};

/** In colo, while the guest has still to be started for it. */
const starting = inAt('colo', 'starting');
const entered = all(inAt('colo'), not(starting));
/** The end of a COLO whose guest is started by it, and not stopped before. */
const completeEarly = (c: Change, reason: ExitReason): Change =>
  coloExit(c.inTo('completed').incoming({ failoverRequested: false }).autostart(true).resume(), reason);

export const coloLoadSteps = [
  row('MIG-SM-I60', 'started-for-colo', starting, (c) => c.resume().incoming({ phase: 'idle' })),
  row('MIG-SM-I63', 'failover-early', all(starting, failover), (c) => completeEarly(c, 'request')),
  row('MIG-SM-I63', 'failover-early-as-error', all(starting, failover), (c) => completeEarly(c, 'error')),
  row('MIG-SM-I61', 'checkpoint', all(ready, not(runs)), (c) => c.event('RESET', { guest: false })),
  row('MIG-SM-I61', 'checkpoint', all(ready, runs), (c) => c.stop('colo').incoming({ phase: 'checkpoint' })),
  row('MIG-SM-I61', 'checkpoint-loaded', inAt('colo', 'checkpoint'), (c) => c.resume().incoming({ phase: 'idle' })),
  row('MIG-SM-I62', 'channel-error', any(ready, inAt('colo', 'checkpoint')), (c, rules) => {
    c.incoming({ phase: 'lost' });
    return rules.coloSecondaryRuns ? coloExit(c, 'error') : c;
  }),
  // The failover is under way, and the thread that notices it announces the end before the failover itself does.
  row('MIG-SM-I62 MIG-SM-I63', 'exit-announced', all(any(ready, inAt('colo', 'checkpoint')), failover, runs), (c) =>
    coloExit(c.incoming({ phase: 'lost' }), 'request'),
  ),
  row('MIG-SM-I63', 'failover', all(entered, failover, not(runs)), (c) =>
    c.inTo('completed').incoming({ failoverRequested: false }).autostart(true).resume(),
  ),
  row('MIG-SM-I63', 'failover', all(entered, failover, runs), (c) => complete(c, 'request')),
  // The thread that announces the end may take the closing of its channel for an error.
  row('MIG-SM-I63', 'failover-as-error', all(entered, failover, runs, not(lost)), (c) => complete(c, 'error')),
];
