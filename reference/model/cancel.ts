/** `migrate_cancel` and status `cancelling` (state-machine.md §3.7). */
import type { Change } from './change.js';
import type { CommandRule } from './command.js';
import { all, any, at, type Guard, not, row } from './row.js';
import { fallBack } from './switchover.js';

const cancelRefused = 'Postcopy migration in progress, cannot cancel.';

export const cancel: CommandRule = (call) => {
  const { out } = call.state;
  const { rules } = call;
  const cancelling = (ids: string) => [
    call.may(ids, 'cancelling', (c) => c.to('cancelling', out.phase).reply()),
    ...(rules.lateReplies
      ? [call.may(`${ids} MIG-SM-E02`, 'reply-later', (c) => c.to('cancelling', out.phase).oweReply())]
      : []),
  ];
  switch (out.status) {
    case 'none':
    case 'completed':
    case 'failed':
    case 'cancelled':
      return call.answer('MIG-CMD-CAN-02 MIG-CMD-CAN-03 MIG-SM-C01 MIG-SM-I22');
    case 'cancelling':
      if (!rules.cancelRepeats) return call.answer('MIG-CMD-CAN-02 MIG-SM-C01');
      return [call.may('MIG-SM-C01', 'cancelling', (c) => c.to('cancelling', out.phase).reply())];
    case 'colo':
      if (rules.cancelInColo === 'ignored') return call.answer('MIG-CMD-CAN-02 MIG-SM-C01 MIG-SM-O85');
      return [
        call.may('MIG-SM-O85', 'cancelling', (c) => c.to('cancelling', out.phase).reply()),
        // The thread that loses its channel by it may tell of its end first.
        ...(rules.coloSecondaryRuns && out.phase !== 'colo-lost'
          ? [
              call.may('MIG-SM-O83 MIG-SM-O85 MIG-SM-E02', 'lost-first', (c) =>
                c.event('COLO_EXIT', { mode: 'primary', reason: 'error' }).to('cancelling', 'colo-lost').reply(),
              ),
            ]
          : []),
      ];
    case 'setup':
      if (out.phase !== 'connecting' && out.phase !== 'stuck') return cancelling('MIG-SM-C03');
      if (!rules.cancelInterruptsConnect) return cancelling('MIG-SM-C02');
      return [
        call.may('MIG-SM-C02', 'cancelled', (c) => c.to('cancelling').end('cancelled').reply()),
        call.may('MIG-SM-C02', 'cancelled-lingering', (c) =>
          c.to('cancelling').end('cancelled').out({ lingering: true }).reply(),
        ),
      ];
    case 'active':
      return cancelling(out.phase === 'iterating' ? 'MIG-SM-C04 MIG-SM-C05 MIG-SM-C12' : 'MIG-SM-C06 MIG-SM-C07');
    case 'device':
      return cancelling('MIG-SM-C07 MIG-SM-C09');
    case 'pre-switchover': {
      const onward = out.inPostcopy && !rules.deviceAlways ? 'postcopy-active' : 'device';
      const phase = out.inPostcopy ? 'iterating' : 'finishing';
      return [
        ...cancelling('MIG-SM-C08'),
        // The post that wakes the thread for the cancel may first be taken for a continue.
        call.may('MIG-SM-C08', 'device-first', (c) => c.to(onward, phase).to('cancelling', phase).reply()),
        call.may('MIG-SM-C08 MIG-SM-E02', 'device-swapped', (c) =>
          c.to('cancelling').reply().to(onward, phase).out({ status: 'cancelling' }),
        ),
        call.may('MIG-SM-C08 MIG-SM-E02', 'device-swapped-early', (c) =>
          c.to('cancelling').to(onward, phase).out({ status: 'cancelling' }).reply(),
        ),
      ];
    }
    case 'postcopy-active':
      if (rules.cancelInPostcopyRefused) return call.refuse('MIG-SM-C10', cancelRefused);
      return cancelling('MIG-SM-C10');
    default:
      // postcopy-paused and postcopy-recover: no thread is left that could end a cancel (MIG-DEF-02).
      return call.refuse('MIG-SM-C11', cancelRefused);
  }
};

const connecting = at('cancelling', 'connecting');
const streaming = at('cancelling', 'streaming', 'handshaking');
const synced = at('cancelling', 'synced');
const restored = at('cancelling', 'restored');
const iterating = at('cancelling', 'iterating');
const inPostcopy: Guard = ({ out }) => out.inPostcopy;
const switchedOver: Guard = ({ out }) => out.former !== null;
const beforeLastRound = at('cancelling', 'idle', 'stopping', 'finishing');

const ended = (c: Change): Change => c.end('cancelled');

// What a client can see between two outputs is a state of its own: a query may be answered there.
export const cancellingSteps = [
  row('MIG-SM-C02', 'connected', connecting, (c) => c.phase('streaming')),
  row('MIG-SM-C02', 'connect-failed', connecting, ended),
  row('MIG-SM-C02 MIG-SM-C03', 'first-sync', streaming, (c) => c.pass().phase('synced')),
  row('MIG-SM-C03', 'thread-ended', any(streaming, synced), ended),
  row('MIG-SM-C04 MIG-SM-C12', 'thread-ended', all(iterating, not(inPostcopy)), ended),
  // A dirty sync that waited for the lock while the cancel had it; after a switch to postcopy that went wrong there are more.
  row('MIG-SM-C04 MIG-SM-C10', 'dirty-sync', iterating, (c) => c.pass()),
  row('MIG-SM-C05', 'converged', all(iterating, not(inPostcopy)), (c) => {
    const former = c.state.vm.runState;
    return c.out({ wasRunning: former === 'running', former, phase: 'stopping' }).stop('finish-migrate');
  }),
  row('MIG-SM-C05 MIG-SM-C06 MIG-SM-C09', 'final-sync', all(switchedOver, not(inPostcopy), beforeLastRound), (c) =>
    c.pass().phase('last-round'),
  ),
  row(
    'MIG-SM-C05 MIG-SM-C06 MIG-SM-C07 MIG-SM-C08 MIG-SM-C09',
    'guest-restored',
    all(switchedOver, not(inPostcopy)),
    (c, rules) => fallBack(c, rules).out({ former: null, phase: 'restored' }),
  ),
  row('MIG-SM-C05 MIG-SM-C06 MIG-SM-C07 MIG-SM-C08 MIG-SM-C09', 'thread-ended', restored, ended),
  row('MIG-SM-C08 MIG-SM-C10', 'thread-ended', inPostcopy, (c, rules) => ended(fallBack(c, rules))),
].map((entry) => ({ ...entry, when: all(at('cancelling'), entry.when) }));

const lingering: Guard = ({ out }) => out.lingering;

/** What is left of a connect attempt that a cancel did not wait for: if it succeeds, its first dirty sync is still announced. */
export const lingeringSteps = [
  row('MIG-SM-C02', 'stray-connected', all(lingering, not(at('setup', 'stuck'))), (c) =>
    c.pass().out({ lingering: false }),
  ),
  // A new migration that got stuck behind the old one is carried on by the old one's connection.
  row('MIG-SM-C02', 'stray-connected', all(lingering, at('setup', 'stuck')), (c) =>
    c.out({ lingering: false, phase: 'streaming' }),
  ),
  row('MIG-SM-C02', 'stray-connect-failed', all(lingering, not(at('setup', 'stuck'))), (c) =>
    c.out({ lingering: false }),
  ),
  row('MIG-SM-C02', 'stray-connect-failed', all(lingering, at('setup', 'stuck')), (c) =>
    c.end('failed').out({ lingering: false, error: '*' }),
  ),
];
