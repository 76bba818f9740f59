/** Outgoing side in COLO (state-machine.md §3.6), and `x-colo-lost-heartbeat` for both sides. */
import type { CommandRule } from './command.js';
import { all, at, type Guard, not, row } from './row.js';

const failover: Guard = ({ out }) => out.failoverRequested;

export const coloSteps = [
  row('MIG-SM-O81', 'checkpoint-ready', all(at('colo', 'colo-waiting'), not(failover)), (c) =>
    c.resume().phase('colo-running'),
  ),
  row('MIG-SM-O82', 'checkpoint', all(at('colo', 'colo-running'), not(failover)), (c) =>
    c.stop('colo').pass().resume(),
  ),
  row('MIG-SM-O83', 'channel-error', at('colo')),
  row('MIG-SM-O84 MIG-SM-R14', 'failover', all(at('colo'), failover), (c) =>
    c.stop('colo').end('completed').out({ failoverRequested: false }).resume(),
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
