/** Outgoing side in COLO (state-machine.md §3.6), and `x-colo-lost-heartbeat` for both sides. */
import type { MigrationRules } from '../dialects/migration.js';
import type { Change } from './change.js';
import type { CommandRule } from './command.js';
import { all, any, at, type Guard, not, row } from './row.js';
import type { OutgoingPhase } from './state.js';

const failover: Guard = ({ out }) => out.failoverRequested;
/** The channel broke: no checkpoint follows, and the end of COLO has been announced where dialects do that. */
const lost: Guard = ({ out }) => out.phase === 'colo-lost';
const announcesExit: Guard = (_state, rules) => rules.coloSecondaryRuns;
/** Where a cancel is not ignored, it stays like this for good. */
const cancelled = at('cancelling', 'colo-waiting', 'colo-running', 'colo-stopped', 'colo-sending');

/** In one of these phases of COLO, whatever a `migrate` that got stuck there made of the status. */
const inColo = (...phases: OutgoingPhase[]): Guard =>
  any(at('colo', ...phases), at('setup', ...(phases.length > 0 ? phases : coloPhases)));
const coloPhases: OutgoingPhase[] = ['colo-waiting', 'colo-running', 'colo-stopped', 'colo-sending', 'colo-lost'];

type ExitReason = 'request' | 'error';

const coloExit = (c: Change, reason: ExitReason): Change => c.event('COLO_EXIT', { mode: 'primary', reason });

const complete = (c: Change, reason?: ExitReason): Change => {
  c.stop('colo').end('completed').out({ failoverRequested: false });
  return (reason === undefined ? c : coloExit(c, reason)).resume();
};

/** One thread lets the guest go on and another one announces the end: seen in this order on 7.2 and 10.0. */
const completeBeforeExit = (c: Change): Change =>
  coloExit(c.stop('colo').end('completed').out({ failoverRequested: false }).resume(), 'request');

// The guest stops, is saved and goes on: three moments, with whatever else a client asks between them.
export const coloSteps = [
  row('MIG-SM-O81', 'checkpoint-ready', all(inColo('colo-waiting'), not(failover)), (c) =>
    c.resume().phase('colo-running'),
  ),
  row('MIG-SM-O82', 'checkpoint', all(inColo('colo-running'), not(failover)), (c) =>
    c.stop('colo').phase('colo-stopped'),
  ),
  row('MIG-SM-O82', 'checkpoint-sync', inColo('colo-stopped'), (c) => c.pass().phase('colo-sending')),
  row('MIG-SM-O82', 'checkpoint-loaded', inColo('colo-sending'), (c) => c.resume().phase('colo-running')),
  row('MIG-SM-O83', 'channel-error', any(all(inColo(), not(lost)), cancelled), (c, rules: MigrationRules) => {
    c.phase('colo-lost');
    return rules.coloSecondaryRuns ? coloExit(c, 'error') : c;
  }),
  // The failover is under way, and the thread that notices it announces the end before the failover itself does.
  row('MIG-SM-O83 MIG-SM-O84', 'exit-announced', all(inColo(), failover, announcesExit, not(lost)), (c) =>
    coloExit(c.phase('colo-lost'), 'request'),
  ),
  row('MIG-SM-O84 MIG-SM-R14', 'failover', all(inColo(), failover), (c, rules) =>
    complete(c, rules.coloSecondaryRuns && c.state.out.phase !== 'colo-lost' ? 'request' : undefined),
  ),
  row('MIG-SM-O84 MIG-SM-R14', 'failover-exit-late', all(inColo(), failover, announcesExit, not(lost)), (c) =>
    completeBeforeExit(c),
  ),
  // The thread that announces the end may take the closing of its channel for an error.
  row('MIG-SM-O84 MIG-SM-R14', 'failover-as-error', all(inColo(), failover, announcesExit, not(lost)), (c) =>
    complete(c, 'error'),
  ),
];

/** MIG-CMD-COLO-01 … -03. The reply may come anywhere among the events of the failover. */
export const lostHeartbeat: CommandRule = (call) => {
  const { out, in: incoming } = call.state;
  const primary = out.status === 'colo';
  if (!primary && incoming.status !== 'colo') return call.refuse('MIG-CMD-COLO-01', call.rules.coloIdleText);
  if (primary ? out.failoverRequested : incoming.failoverRequested) {
    return call.refuse('MIG-CMD-COLO-02', 'COLO failover is already actived');
  }
  const ids = `MIG-CMD-COLO-03 ${primary ? 'MIG-SM-O84' : 'MIG-SM-I63'}`;
  const requested = { failoverRequested: true };
  return [
    call.may(ids, 'answered', (c) => (primary ? c.out(requested) : c.incoming(requested)).reply()),
    call.may(ids, 'reply-later', (c) => (primary ? c.out(requested) : c.incoming(requested)).oweReply()),
  ];
};
