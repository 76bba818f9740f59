/** Incoming side, recovery of a paused postcopy (state-machine.md §4.4). */
import type { CommandRule } from './command.js';
import { all, type Guard, inAt, row } from './row.js';
import { parseUri } from './uri.js';

/** The first listener is still there: a connection to it is taken for a recovery, asked for or not. */
const stillListens: Guard = (state, rules) => rules.listenerStaysOpen && state.in.started;

export const recoveryLoadSteps = [
  row('MIG-SM-I52', 'accepted-unasked', all(inAt('postcopy-paused', 'idle'), stillListens), (c) =>
    c.inTo('postcopy-recover', 'recovering'),
  ),
  row('MIG-SM-I52', 'accepted', inAt('postcopy-paused', 'listening'), (c) => c.inTo('postcopy-recover', 'recovering')),
  row('MIG-SM-I53', 'bitmap-sent', inAt('postcopy-recover')),
  row('MIG-SM-I54', 'resumed', inAt('postcopy-recover'), (c) => c.inTo('postcopy-active', 'loading')),
  row('MIG-SM-I55', 'channel-error', inAt('postcopy-recover'), (c) =>
    c.inTo('postcopy-paused').incoming({ recoverTriggered: false }),
  ),
];

/** MIG-CMD-REC-01 … -04. A bad URI does not use the trigger up (MIG-DEF-08). */
export const migrateRecover: CommandRule = (call) => {
  const { state, args, rules } = call;
  if (state.in.status !== 'postcopy-paused') {
    const desc = 'Migrate recover can only be run when postcopy is paused.';
    return call.refuse('MIG-CMD-REC-01 MIG-SM-I47 MIG-SM-I23', desc);
  }
  if (state.in.recoverTriggered && !rules.recoverAgain.allowed) {
    return call.refuse('MIG-CMD-REC-02 MIG-SM-I51', 'Migrate recovery is triggered already');
  }
  const text = String(args.uri ?? '');
  const uri = parseUri(text, rules);
  const refused = (desc: string, label = 'refused') =>
    call.may('MIG-CMD-REC-03 MIG-CMD-REC-04 MIG-SM-I50', label, (c) =>
      (rules.recoverAgain.setup ? c.announceSetup() : c).refuse(desc),
    );
  if (text === 'defer') return [refused(rules.incomingDeferText)];
  if (uri.kind === 'unknown') return [refused(`unknown migration protocol: ${text}`)];
  if (uri.kind === 'bad') return [refused(uri.desc)];
  return [
    call.may('MIG-CMD-REC-03 MIG-SM-I50', 'listening', (c) =>
      (rules.recoverAgain.setup ? c.announceSetup() : c)
        .incoming({ recoverTriggered: true, phase: 'listening' })
        .reply(),
    ),
    refused('*', 'listen-failed'),
  ];
};
