/** Outgoing side, postcopy (state-machine.md §3.4). */
import type { Change } from './change.js';
import type { CommandRule } from './command.js';
import { all, any, at, type Guard, not, row } from './row.js';
import { canPostcopy, isOn } from './state.js';
import { failSwitchover } from './switchover.js';

const wanted: Guard = (state) => state.out.postcopyRequested && canPostcopy(state);
const held: Guard = (state) => isOn(state, 'pause-before-switchover');
const released: Guard = ({ out }) => out.continueTokens > 0;
const forPostcopy: Guard = ({ out }) => out.inPostcopy;
const deviceFirst: Guard = (_state, rules) => rules.deviceAlways;

/** The guest stops for good: `wasRunning` stays false, so nothing lets it run again here. */
const leave = (c: Change): Change => {
  c.out({ inPostcopy: true, former: c.state.vm.runState });
  return c.stop('finish-migrate');
};
const pause = (c: Change): Change => c.to('postcopy-paused');

export const postcopySteps = [
  row('MIG-SM-O51', 'postcopy-started', all(at('active', 'iterating'), wanted, not(held), not(deviceFirst)), (c) =>
    leave(c.to('postcopy-active', 'iterating')).pass(),
  ),
  row('MIG-SM-O51', 'postcopy-started', all(at('active', 'iterating'), wanted, not(held), deviceFirst), (c) =>
    leave(c).to('device').pass().to('postcopy-active', 'iterating'),
  ),
  row('MIG-SM-O52', 'held-for-postcopy', all(at('active', 'iterating'), wanted, held), (c) =>
    leave(c).out({ continueTokens: 0 }).to('pre-switchover'),
  ),
  row('MIG-SM-O53', 'continued', all(at('pre-switchover'), released, forPostcopy), (c, rules) => {
    c.out({ continueTokens: 0 });
    if (rules.deviceAlways) return c.to('device').pass().to('postcopy-active', 'iterating');
    return c.to('postcopy-active', 'iterating').pass();
  }),
  row('MIG-SM-O55', 'postcopy-start-failed', all(at('active', 'iterating'), wanted, not(held)), (c, rules) => {
    if (rules.deviceAlways) return leave(c).to('device').end('failed', 'settling');
    return leave(c.to('postcopy-active')).end('failed', 'settling');
  }),
  row('MIG-SM-O56', 'page-request', at('postcopy-active')),
  row('MIG-SM-O57', 'all-sent', at('postcopy-active', 'iterating'), (c) => c.phase('final-wait')),
  row('MIG-SM-O58', 'peer-shut', at('postcopy-active', 'final-wait'), (c) => c.end('completed', 'settling')),
  row('MIG-SM-O59', 'peer-shut-error', at('postcopy-active', 'final-wait'), failSwitchover),
  row('MIG-SM-O60', 'channel-error', at('postcopy-active'), pause),
  row('MIG-SM-O61', 'return-path-error', at('postcopy-active', 'iterating'), pause),
  row('MIG-SM-O62', 'internal-error', at('postcopy-active'), failSwitchover),
  row('MIG-SM-O63', 'message-ignored', any(at('postcopy-active'), at('active'), at('device'))),
];

/** MIG-CMD-SPC-01 … -03. */
export const startPostcopy: CommandRule = (call) => {
  if (!canPostcopy(call.state)) {
    const desc = 'Enable postcopy with migrate_set_capability before the start of migration';
    return call.refuse('MIG-CMD-SPC-01 MIG-SM-I23', desc);
  }
  if (call.state.out.status === 'none') {
    return call.refuse('MIG-CMD-SPC-02 MIG-SM-I23', 'Postcopy must be started after migration has been started');
  }
  const request = (c: Change): Change => c.out({ postcopyRequested: true });
  return [
    call.may('MIG-CMD-SPC-03 MIG-SM-O50 MIG-SM-O54', 'answered', (c) => request(c).reply()),
    call.may('MIG-CMD-SPC-03 MIG-SM-O50 MIG-SM-R07', 'reply-later', (c) => request(c).oweReply()),
  ];
};
