/** Incoming side, waiting for a connection (state-machine.md §4.1). */
import type { Change } from './change.js';
import type { CommandRule } from './command.js';
import { all, any, type Guard, inAt, not, row } from './row.js';
import { isOn } from './state.js';
import { parseUri } from './uri.js';

export const listening = any(inAt('none', 'listening'), inAt('setup', 'listening'));
const tls: Guard = ({ parameters }) => parameters['tls-creds'] !== undefined && parameters['tls-creds'] !== '';
const drops: Guard = (_state, rules) => !rules.recoverSetup;
const overChannels: Guard = (state, rules) => isOn(state, rules.multifd.capability);
/** In later releases what connections begin with may fail the load before it has begun: TLS, the packets of data channels. */
export const mayFailHandshake = all(listening, any(tls, overChannels), not(drops));

export const waitingSteps = [
  row('MIG-SM-I01', 'listening', inAt('none', 'starting'), (c, rules) => {
    c.incoming({ started: true });
    if (rules.incomingSetup === 'state') return c.inTo('setup', 'listening');
    return c.announceSetup().incoming({ phase: 'listening' });
  }),
  row('MIG-SM-I02', 'listen-failed', inAt('none', 'starting'), (c) => c.exit(1)),
  row('MIG-SM-I09', 'accepted', listening, (c) => c.inTo('active', 'loading')),
  row('MIG-SM-I10', 'connection-dropped', all(listening, tls, drops)),
];

/** MIG-CMD-INC-01 … -05; MIG-SM-I04 … I06. */
export const migrateIncoming: CommandRule = (call) => {
  const { state, args, rules } = call;
  const { origin, started, status } = state.in;
  if (origin === 'none') return call.refuse('MIG-CMD-INC-01', rules.notDeferredText);
  if (origin === 'uri') return call.refuse('MIG-CMD-INC-01', rules.startedByUriText);
  if (started) {
    return call.refuse('MIG-CMD-INC-02 MIG-SM-I06', 'The incoming migration has already been started');
  }
  const asState = rules.incomingSetup === 'state';
  // What a failed bind has left behind; a new try from there is not announced.
  const again = status === 'setup' && asState && !rules.failedBindSticks;
  if (status !== 'none' && !again) {
    return call.refuse('MIG-CMD-INC-04', `Illegal migration incoming state: ${status}`);
  }
  const text = String(args.uri ?? '');
  const uri = parseUri(text, rules);
  const failed = (ids: string, label: string, desc: string) => [
    call.may(`MIG-CMD-INC-03 ${ids}`, label, (c) => (asState ? c : c.announceSetup()).refuse(desc)),
  ];
  if (text === 'defer') return failed('MIG-CMD-INC-04 MIG-SM-I05', 'refused', rules.incomingDeferText);
  if (uri.kind === 'unknown') {
    return failed('MIG-CMD-INC-04 MIG-SM-I05', 'refused', `unknown migration protocol: ${text}`);
  }
  if (uri.kind === 'bad') return failed('MIG-CMD-INC-04 MIG-SM-I05', 'refused', uri.desc);
  const exitOnError = args['exit-on-error'] !== false;
  const begun = { phase: 'listening', started: true, exitOnError } as const;
  const setUp = (c: Change) => (again ? c : asState ? c.inTo('setup', 'deferred') : c.announceSetup());
  return [
    call.may('MIG-CMD-INC-05 MIG-SM-I04', 'listening', (c) => setUp(c).incoming(begun).reply()),
    call.may('MIG-CMD-INC-04 MIG-SM-I05', 'listen-failed', (c) => setUp(c).refuse('*')),
  ];
};
