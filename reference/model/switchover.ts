/** Outgoing side, switch-over and completion of precopy (state-machine.md §3.3). */
import type { MigrationRules } from '../dialects/migration.js';
import type { Change } from './change.js';
import type { CommandRule } from './command.js';
import { all, any, at, type Guard, not, row } from './row.js';
import { isOn } from './state.js';

const has =
  (capability: string): Guard =>
  (state) =>
    isOn(state, capability);
const colo = has('x-colo');
const lostByPause: Guard = (_state, rules) => rules.coloLostByPause;
const returnPath: Guard = ({ out }) => out.returnPath !== 'none';
const forPostcopy: Guard = ({ out }) => out.inPostcopy;
const released: Guard = ({ out }) => out.continueTokens > 0;

/** Phases of `active` and `device` after the guest has been stopped. */
export const switching = any(at('active', 'stopping', 'finishing', 'last-round', 'final-wait'), at('device'));
const finishing = any(at('active', 'finishing', 'last-round'), at('device', 'finishing', 'last-round'));
const beforeLastRound = any(at('active', 'finishing'), at('device', 'finishing'));
const lastRound = any(at('active', 'last-round'), at('device', 'last-round'));
const finalWait = any(at('active', 'final-wait'), at('device', 'final-wait'));

/** What the guest does after a switch-over that did not come to its end (state-machine.md §5.1). */
export function fallBack(change: Change, rules: MigrationRules): Change {
  const { wasRunning, former, inPostcopy } = change.state.out;
  if (former === null) return change;
  if (wasRunning && !inPostcopy) return change.resume();
  if (inPostcopy || rules.stoppedGuestAfterFailure === 'postmigrate') return change.runState('postmigrate');
  return change.runState(former);
}

const enterColo = (c: Change): Change =>
  c.to('colo', 'colo-waiting').out({ wasRunning: true, former: null, failoverRequested: false });

export const switchoverSteps = [
  row('MIG-SM-O30 MIG-SM-O54', 'converged', at('active', 'iterating'), (c) => {
    const former = c.state.vm.runState;
    return c.out({ wasRunning: former === 'running', former, phase: 'stopping' }).stop('finish-migrate');
  }),
  row('MIG-SM-O31', 'guest-stopped', all(at('active', 'stopping'), not(has('pause-before-switchover'))), (c, rules) =>
    rules.deviceAlways ? c.to('device', 'finishing') : c.phase('finishing'),
  ),
  row('MIG-SM-O32', 'held', all(at('active', 'stopping'), has('pause-before-switchover')), (c) =>
    c.out({ continueTokens: 0 }).to('pre-switchover'),
  ),
  row('MIG-SM-O33', 'continued', all(at('pre-switchover'), released, not(forPostcopy)), (c) =>
    c.out({ continueTokens: 0 }).to('device', 'finishing'),
  ),
  row('MIG-SM-O34', 'peer-closed', at('pre-switchover')),
  row('MIG-SM-O35', 'final-sync', beforeLastRound, (c) => c.pass().phase('last-round')),
  row('MIG-SM-O35', 'all-written', all(lastRound, returnPath), (c) => c.phase('final-wait')),
  row('MIG-SM-O36', 'completed', all(lastRound, not(returnPath), not(colo)), (c) => c.end('completed', 'settling')),
  row('MIG-SM-O37', 'peer-shut', all(finalWait, not(colo)), (c) => c.end('completed', 'settling')),
  row('MIG-SM-O38', 'return-path-error', all(any(finalWait, finishing), returnPath), (c, rules) =>
    failSwitchover(c.out({ returnPath: 'bad' }), rules),
  ),
  row('MIG-SM-O39', 'peer-closed', finalWait, failSwitchover),
  row('MIG-SM-O40', 'channel-error', finishing, failSwitchover),
  row('MIG-SM-O41 MIG-SM-O80 MIG-SM-O86', 'completed', all(lastRound, not(returnPath), colo), enterColo),
  row('MIG-SM-O41 MIG-SM-O80 MIG-SM-O86', 'peer-shut', all(finalWait, colo), enterColo),
  row(
    'MIG-SM-O41 MIG-SM-O86',
    'completed-past-colo',
    all(at('device', 'last-round', 'final-wait'), colo, lostByPause),
    (c) => c.end('completed', 'settling'),
  ),
  row('MIG-SM-O36 MIG-SM-O37 MIG-SM-O58', 'settled', at('completed', 'settling'), (c) =>
    c.runState('postmigrate').phase('idle'),
  ),
  row('MIG-SM-O38 MIG-SM-O40', 'settled', at('failed', 'settling'), (c, rules) => afterFailure(c, rules).phase('idle')),
];

/** What the guest does after a switch-over, or a postcopy, that failed. */
function afterFailure(c: Change, rules: MigrationRules): Change {
  const { inPostcopy, former } = c.state.out;
  if (!inPostcopy || !rules.postcopyFailureResumes || former === null) return fallBack(c, rules);
  return former === 'running' ? c.resume() : c.runState(former);
}

/** `failed` comes before the guest runs again, or after. */
export function failSwitchover(c: Change, rules: MigrationRules): Change {
  if (rules.failedSwitchover === 'guest-first') afterFailure(c, rules);
  return c.end('failed', 'settling');
}

/** MIG-CMD-CONT-01 … -03; its effect in `pre-switchover` is MIG-SM-O33 or O53. */
export const migrateContinue: CommandRule = (call) => {
  const { status } = call.state.out;
  if (call.args.state !== status) {
    return call.refuse('MIG-CMD-CONT-01 MIG-SM-I23', `Migration not in expected state: ${status}`);
  }
  if (status !== 'pre-switchover') return call.answer('MIG-CMD-CONT-02');
  return [
    call.may('MIG-CMD-CONT-03 MIG-SM-O33', 'answered', (c) => c.out({ continueTokens: 1 }).reply()),
    call.may('MIG-CMD-CONT-03 MIG-SM-O33', 'reply-later', (c) => c.out({ continueTokens: 1 }).oweReply()),
  ];
};
