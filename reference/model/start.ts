/** Outgoing side, start (state-machine.md §3.1): the command `migrate`, and the steps of status `setup`. */
import { withoutBlock } from '../dialects/built-without.js';
import { Call, type CommandRule } from './command.js';
import { resume } from './recovery.js';
import { type Alternative, all, at, type Guard, row } from './row.js';
import { idleOutgoing, isBusy, isOn } from './state.js';
import { type MigrationUri, parseUri } from './uri.js';

const inProgress = "There's a migration process in progress";

/** MIG-CMD-MIG-02 … -10 in their order, then MIG-SM-O01 … O06. */
export const migrate: CommandRule = (call) => {
  const { state, args, rules } = call;
  const { out, vm } = state;
  const text = typeof args.uri === 'string' ? args.uri : undefined;
  const uri: MigrationUri = text === undefined ? { kind: 'unknown' } : parseUri(text, rules);
  if (rules.badUri === 'first') {
    if (text === undefined) return call.refuse('MIG-SM-O06', rules.needsUriText);
    if (uri.kind === 'unknown') return call.refuse('MIG-SM-O06', rules.unknownScheme(text));
    if (uri.kind === 'bad') return call.refuse('MIG-SM-O06', uri.desc);
  }
  if (args.resume === true) {
    if (out.status !== 'postcopy-paused') {
      return call.refuse('MIG-CMD-MIG-02 MIG-SM-O06', 'Cannot resume if there is no paused migration');
    }
    if (isOn(state, 'release-ram')) {
      const desc = 'Postcopy recovery cannot work when release-ram capability is set';
      return call.refuse('MIG-CMD-MIG-03 MIG-SM-O06', desc);
    }
    return resume(call, uri, text ?? '');
  }
  // Until the last migration has been cleaned up, a new one is refused rather than let into the gap (MIG-DEF-15).
  if (isBusy(out.status) || out.phase === 'settling') {
    const refused = call.refuse('MIG-CMD-MIG-05 MIG-SM-O06 MIG-SM-O24', inProgress);
    if (out.status !== 'colo' || rules.migrateInColo === 'refused') return refused;
    // The threads of COLO go on, and the new migration never begins.
    const stuck = call.may('MIG-SM-O83', 'refused-late', (c) =>
      c.to('setup', out.phase).refuse('duplicate yank instance'),
    );
    return [...refused, stuck];
  }
  if (vm.runState === 'inmigrate') {
    return call.refuse('MIG-CMD-MIG-06 MIG-SM-O06 MIG-SM-I07 MIG-SM-I23', 'Guest is waiting for an incoming migration');
  }
  if (vm.runState === 'postmigrate' && rules.fromPostmigrate !== undefined) {
    return call.refuse('MIG-SM-O06', rules.fromPostmigrate);
  }
  if (wantsBlock(call) && (isOn(state, 'block') || state.parameters['block-incremental'] === true)) {
    const desc = 'Command options are incompatible with current migration capabilities';
    return call.refuse('MIG-CMD-MIG-09 MIG-SM-O06', desc);
  }
  const pipes = rules.multifdThroughPipe;
  if (pipes === 'refused' && isOn(state, rules.multifd.capability) && (uri.kind === 'exec' || uri.kind === 'fd')) {
    return call.refuse('MIG-SM-O06', 'Migration requires multi-channel URIs (e.g. tcp)');
  }
  const without = wantsBlock(call) ? withoutBlock(rules) : undefined;
  return without === undefined ? accept(call, uri, text ?? '') : call.refuse('MIG-CMD-MIG-10 MIG-SM-O06', without);
};

const wantsBlock = ({ args }: Call): boolean => args.blk === true || args.inc === true;

/** MIG-CMD-MIG-20 … -22 and the synchronous part of the URI. */
function accept(call: Call, uri: MigrationUri, text: string): Alternative[] {
  const { state, args, rules } = call;
  const again = state.out.status === 'completed' ? ' MIG-SM-O45' : '';
  const back = state.in.status === 'completed' ? ' MIG-SM-I24' : '';
  const tls = state.parameters['tls-creds'] !== undefined && state.parameters['tls-creds'] !== '';
  const begun = (phase: 'connecting' | 'streaming' | 'handshaking' | 'stuck') => {
    const change = new Call(borrow(call), args, rules);
    return (ids: string, label: string, rest: Parameters<Call['may']>[2]) =>
      change.may(`${ids}${again}${back}`, label, (c) => {
        const needsPath = isOn(state, 'postcopy-ram') || isOn(state, 'return-path');
        const { borrowedBlock } = c.state.out;
        c.out({ ...idleOutgoing, borrowedBlock, tls, returnPath: needsPath ? 'open' : 'none' }).to('setup', phase);
        return rest(c);
      });
  };
  const failed = (ids: string, desc: string, error: string | null) =>
    begun('connecting')(ids, 'failed-at-once', (c) =>
      // After a synchronous error of a known scheme the borrowed capability stays on (MIG-CMD-MIG-20).
      (error === null ? c.end('failed') : c.to('failed')).out({ error }).refuse(desc),
    );
  if (state.out.lingering) {
    // The cancelled attempt is still registered: the new one fails after its status has changed, and stays in it.
    return [
      begun('stuck')('MIG-SM-C02', 'refused-late', (c) => c.out({ lingering: true }).refuse('duplicate yank instance')),
    ];
  }
  const onDestination = begun('stuck')('MIG-CMD-MIG-22', 'refused-late', (c) => c.refuse('duplicate yank instance'));
  const registered = rules.migrateOnDestination === 'stuck' ? loadIsRegistered(state) : 'no';
  if (registered === 'yes') return [onDestination];
  const perhaps = registered === 'perhaps' ? [onDestination] : [];
  switch (uri.kind) {
    case 'unknown':
      return [failed('MIG-SM-O03', rules.unknownScheme(text), null), ...perhaps];
    case 'bad':
      return [failed('MIG-SM-O04', uri.desc, uri.desc), ...perhaps];
    case 'tcp':
    case 'unix':
      return [begun('connecting')('MIG-SM-O01', 'accepted', (c) => c.reply()), ...perhaps];
    default: {
      const cannotOpen = uri.kind === 'exec' ? '*' : `File descriptor named '${uri.name}' has not been found`;
      const stream = begun(tls ? 'handshaking' : 'streaming')('MIG-SM-O02', 'accepted', (c) => c.reply());
      // Connected at once, its thread runs beside the command, and may tell of its first steps before the reply.
      const early = rules.lateReplies
        ? [begun('streaming')('MIG-SM-O02 MIG-SM-R01', 'reply-later', (c) => c.oweReply())]
        : [];
      const unusable = begun('connecting')('MIG-SM-O05', 'tls-unusable', (c) =>
        c.end('failed').out({ error: '*' }).reply(),
      );
      return [stream, ...(tls ? [unusable] : early), failed('MIG-SM-O04', cannotOpen, cannotOpen), ...perhaps];
    }
  }
}

/** Whether a load in whose course the guest runs is still under way; one of a postcopy ends a moment after its last event. */
function loadIsRegistered({ in: { status, pc } }: Call['state']): 'yes' | 'perhaps' | 'no' {
  if (status === 'colo' || status.startsWith('postcopy-')) return 'yes';
  return status === 'completed' && pc === 'end' ? 'perhaps' : 'no';
}

function borrow(call: Call): Call['state'] {
  const { state, args, rules } = call;
  if (!wantsBlock(call)) return state;
  const on = [...state.capabilities, 'block'];
  return {
    ...state,
    out: { ...state.out, borrowedBlock: true },
    capabilities: rules.capabilities.filter((name) => on.includes(name)),
    parameters: args.inc === true ? { ...state.parameters, 'block-incremental': true } : state.parameters,
  };
}

const plain = ({ out }: Call['state']) => !out.tls;
const secured = ({ out }: Call['state']) => out.tls;

/** More than the one channel: a way back, or the channels of multifd. */
const needsMore: Guard = (state, rules) => state.out.returnPath !== 'none' || isOn(state, rules.multifd.capability);

export const setupSteps = [
  row('MIG-SM-O07', 'connected', all(at('setup', 'connecting'), plain), (c) => c.phase('streaming')),
  row('MIG-SM-O08', 'connect-failed', at('setup', 'connecting'), (c) => c.end('failed').out({ error: '*' })),
  row('MIG-SM-O09', 'tls-unusable', all(at('setup', 'connecting'), secured), (c) =>
    c.end('failed').out({ error: '*' }),
  ),
  row('MIG-SM-O09', 'connected', all(at('setup', 'connecting'), secured), (c) => c.phase('handshaking')),
  row('MIG-SM-O10', 'handshake-failed', at('setup', 'handshaking'), (c) => c.end('failed').out({ error: '*' })),
  row('MIG-SM-O10', 'handshake-done', at('setup', 'handshaking'), (c) => c.phase('streaming')),
  row(
    'MIG-SM-O11',
    'channels-unusable',
    all(at('setup', 'connecting', 'handshaking', 'streaming', 'synced'), needsMore),
    (c) => c.end('failed'),
  ),
  row('MIG-SM-O12', 'first-sync', at('setup', 'streaming'), (c) => c.pass().phase('synced')),
  row('MIG-SM-O12', 'set-up-done', at('setup', 'synced'), (c) => c.to('active', 'iterating')),
  row('MIG-SM-O13', 'set-up-failed-early', at('setup', 'streaming'), (c) => c.to('active').end('failed')),
  row('MIG-SM-O13', 'set-up-failed', at('setup', 'synced'), (c) => c.to('active').end('failed')),
];
