/** Incoming side, precopy load (state-machine.md §4.2) and the run state after it (§5.2). */
import type { RunState } from '../migration/host.js';
import type { Change } from './change.js';
import { listening, mayFailHandshake } from './incoming-waiting.js';
import { all, any, type Guard, inAt, not, row } from './row.js';
import { isOn } from './state.js';

/** Run states that a stream may carry and that a waiting machine may take over literally, beside `running`. */
const storedRunStates: readonly RunState[] = [
  'paused',
  'prelaunch',
  'postmigrate',
  'shutdown',
  'suspended',
  'watchdog',
  'io-error',
  'internal-error',
  'guest-panicked',
  'finish-migrate',
  'colo',
  'inmigrate',
];

const loading = inAt('active', 'loading');
/** The bytes that would make it active are no stream. */
const firstBytes: Guard = (state, rules) => rules.activeWithBytes && listening(state, rules);
/** With postcopy commands behind it (`discard`, `listening`) a stream cannot end as precopy. */
const asPrecopy: Guard = (state) => state.in.pc === 'none' || state.in.pc === 'advise';
const staysOnError: Guard = (state) => !state.in.exitOnError;
const coloOn: Guard = (state, rules) => rules.coloIdleText !== 'VM is not in COLO mode' || isOn(state, 'x-colo');
const secondaryRuns: Guard = (_state, rules) => rules.coloSecondaryRuns;

const startGuest = (c: Change): Change => (c.state.vm.autostart ? c.resume() : c.runState('paused'));

export const precopyLoadSteps = [
  row(
    'MIG-SM-I10 MIG-SM-I20 MIG-SM-I31 MIG-SM-I33 MIG-SM-I35 MIG-SM-I37 MIG-SM-I40',
    'load-failed',
    all(any(loading, firstBytes, mayFailHandshake), not(staysOnError)),
    (c) => c.inTo('failed').exit(1),
  ),
  row('MIG-SM-I20', 'load-failed', all(any(loading, firstBytes, mayFailHandshake), staysOnError), (c) =>
    c.inTo('failed'),
  ),
  row('MIG-SM-I21', 'loaded:running', all(loading, asPrecopy), (c) => startGuest(c).inTo('completed')),
  ...storedRunStates.map((stored) =>
    row('MIG-SM-I21', `loaded:${stored}`, all(loading, asPrecopy), (c) => c.runState(stored).inTo('completed')),
  ),
  row('MIG-SM-I60', 'loaded-for-colo', all(loading, asPrecopy, coloOn), (c, rules) => {
    c.inTo('colo');
    return rules.coloSecondaryRuns ? c.resume() : c;
  }),
  // Whoever starts the guest has to wait for its turn, and commands may come first.
  row('MIG-SM-I60', 'loaded-for-colo-held', all(loading, asPrecopy, coloOn, secondaryRuns), (c) =>
    c.inTo('colo', 'starting'),
  ),
  row('MIG-SM-I39', 'command-ignored', loading),
];
