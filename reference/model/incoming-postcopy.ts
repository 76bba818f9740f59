/** Incoming side, postcopy: the hidden state `pc` and the states around it (state-machine.md §4.3). */
import type { Change } from './change.js';
import { all, type Guard, inAt, row } from './row.js';
import { isOn } from './state.js';

const loading = inAt('active', 'loading');
const active = inAt('postcopy-active');
const pc =
  (...states: string[]): Guard =>
  (state) =>
    states.includes(state.in.pc);
/** The baseline dies of it instead (MIG-DEF-13). */
const aside: Guard = (_state, rules) => rules.listenerStaysOpen;
const ramOn: Guard = (state) => isOn(state, 'postcopy-ram');

const startGuest = (c: Change): Change => (c.state.vm.autostart ? c.resume() : c.runState('paused'));

export const postcopyLoadSteps = [
  row('MIG-SM-I30', 'advised', all(loading, pc('none')), (c) => c.incoming({ pc: 'advise' })),
  row('MIG-SM-I32', 'discarded', all(loading, pc('advise', 'discard'), ramOn), (c) => c.incoming({ pc: 'discard' })),
  row('MIG-SM-I34', 'listening', all(loading, pc('advise', 'discard')), (c) =>
    c.incoming({ pc: 'listening' }).inTo('postcopy-active', 'loading'),
  ),
  row('MIG-SM-I36', 'run', all(active, pc('listening')), (c) => startGuest(c.incoming({ pc: 'running' }))),
  // The command has been read, and the connection is lost before the guest gets its turn.
  row('MIG-SM-I36 MIG-SM-I46', 'run-paused', all(active, pc('listening')), (c) =>
    startGuest(c.incoming({ pc: 'running' }).inTo('postcopy-paused').incoming({ recoverTriggered: false })),
  ),
  row('MIG-SM-I38', 'load-failed', all(active, pc('listening')), (c) => c.exit(1)),
  // The second reader finds the end of the channel while the first one still has the guest to start.
  row('MIG-SM-I38', 'load-failed-aside', all(active, pc('listening', 'doomed'), aside), (c) => c.inTo('failed')),
  // The guest may be started before that reader says so.
  row('MIG-SM-I36', 'run-doomed', all(active, pc('listening'), aside), (c) => startGuest(c.incoming({ pc: 'doomed' }))),
  row('MIG-SM-I36', 'run-in-vain', all(inAt('failed'), pc('listening')), (c) =>
    startGuest(c.incoming({ pc: 'running' })),
  ),
  row('MIG-SM-I38', 'exits', all(inAt('failed'), pc('listening', 'running', 'doomed')), (c) => c.exit(1)),
  row('MIG-SM-I45', 'load-ended', all(active, pc('running')), (c) => c.incoming({ pc: 'end' }).inTo('completed')),
  row('MIG-SM-I46', 'channel-error', all(active, pc('running')), (c) =>
    c.inTo('postcopy-paused').incoming({ recoverTriggered: false }),
  ),
];
