/** Outgoing side, pause and recovery of postcopy (state-machine.md §3.5). */
import type { Change } from './change.js';
import type { Call, CommandRule } from './command.js';
import { type Alternative, all, at, type Guard, not, row } from './row.js';
import type { MigrationUri } from './uri.js';

/** 10.0 has a status of its own while the recovery connects. */
const ownStatus: Guard = (_state, rules) => rules.recoverSetup;
const backToPaused = (c: Change): Change => c.to('postcopy-paused');

export const recoverySteps = [
  row('MIG-SM-O72', 'connect-failed', all(at('postcopy-paused', 'connecting'), not(ownStatus)), (c) => c.phase('idle')),
  row('MIG-SM-O72', 'connect-failed', at('postcopy-recover-setup'), backToPaused),
  row('MIG-SM-O73', 'connected', all(at('postcopy-paused', 'connecting'), not(ownStatus)), (c) =>
    c.to('postcopy-recover'),
  ),
  row('MIG-SM-O73', 'connected', at('postcopy-recover-setup'), (c) => c.to('postcopy-recover')),
  row('MIG-SM-O74', 'resume-acknowledged', at('postcopy-recover'), (c) => c.to('postcopy-active', 'iterating')),
  row('MIG-SM-O75', 'channel-error', at('postcopy-recover'), backToPaused),
  row('MIG-SM-O75', 'return-path-error', at('postcopy-recover'), backToPaused),
];

/** `migrate` with `resume`, after MIG-CMD-MIG-02 and -03. */
export function resume(call: Call, uri: MigrationUri, text: string): Alternative[] {
  const { rules, state } = call;
  if (state.out.phase === 'connecting') {
    return call.refuse('MIG-CMD-MIG-05 MIG-SM-O70', "There's a migration process in progress");
  }
  if (uri.kind === 'unknown') return call.refuse('MIG-CMD-MIG-30 MIG-SM-O70', rules.unknownScheme(text));
  if (uri.kind === 'bad') return call.refuse('MIG-CMD-MIG-31 MIG-SM-O70', uri.desc);
  const good = call.may('MIG-SM-O71', 'accepted', (c) =>
    (rules.recoverSetup ? c.to('postcopy-recover-setup', 'connecting') : c.phase('connecting')).reply(),
  );
  if (uri.kind === 'tcp' || uri.kind === 'unix') return [good];
  const desc = uri.kind === 'exec' ? '*' : `File descriptor named '${uri.name}' has not been found`;
  const bad = call.may('MIG-CMD-MIG-31 MIG-SM-O70', 'failed-at-once', (c) =>
    (rules.recoverSetup ? backToPaused(c.to('postcopy-recover-setup')) : c).refuse(desc),
  );
  return [good, bad];
}

/** MIG-CMD-PAU-01 … -03; what follows is MIG-SM-O60, O75 or I46. */
export const migratePause: CommandRule = (call) => {
  const { state, rules } = call;
  const pausable = (status: string) =>
    status === 'postcopy-active' || (rules.pauseInRecover && status === 'postcopy-recover');
  const outgoing = pausable(state.out.status);
  if (outgoing || pausable(state.in.status)) {
    const ids = outgoing ? 'MIG-CMD-PAU-01 MIG-SM-O60' : 'MIG-CMD-PAU-02 MIG-SM-I46';
    const side = outgoing ? 'source' : 'destination';
    return [
      call.may(ids, 'answered', (c) => c.reply()),
      call.may(`${ids} MIG-SM-R08`, 'reply-later', (c) => c.oweReply()),
      call.may(ids, 'shutdown-failed', (c) => c.refuse(`Failed to pause ${side} migration`)),
    ];
  }
  const states = rules.pauseInRecover ? 'postcopy-active or postcopy-recover state' : 'postcopy-active state';
  const desc = `migrate-pause is currently only supported during ${states}`;
  return call.refuse('MIG-CMD-PAU-03 MIG-SM-O76 MIG-SM-I23', desc);
};
