/** Routes to transitions of the incoming side, and of the commands that a destination is asked. */
import { channelUri, type FeedPart, fedMemory } from '../../targets/scenario.js';
import type { Route } from './routes.js';
import { inColo } from './routes-source.js';
import type { Writer } from './writer.js';

const channel = 'fed';

function fed(w: Writer, capabilities: readonly string[] = [], more: Readonly<Record<string, unknown>> = {}): void {
  w.start('destination', { memory: fedMemory, incoming: 'defer' });
  w.capabilities('destination', 'events', ...capabilities);
  w.command('migrate-incoming', { uri: channelUri(channel), ...more }, 'destination');
}

const feed = (w: Writer, at: string, ...parts: readonly FeedPart[]): void => {
  w.steps.push({ do: 'feed', channel: at, parts });
};

const toTheSwitch = ['header', 'configuration', 'return-path', 'advise', 'ram', 'discard'] as const;

function inPostcopy(w: Writer): void {
  fed(w, ['postcopy-ram']);
  feed(w, channel, ...toTheSwitch, 'switch');
  w.status(['postcopy-active', 'failed'], 'destination', 'likely');
  w.steps.push({ do: 'runstate', at: 'destination', is: ['running', 'paused'], deadline: 1500 });
}

function paused(w: Writer): void {
  inPostcopy(w);
  w.steps.push({ do: 'cut', channel });
  w.status(['postcopy-paused', 'failed'], 'destination', 'likely');
}

/** A guest in some run state comes to a destination that would start one. */
function arrives(w: Writer, prepare: (w: Writer) => void, options: { paused?: boolean } = {}): void {
  w.start('source', options);
  w.start('destination', { incoming: 'defer' });
  for (const at of ['source', 'destination']) w.capabilities(at, 'events');
  prepare(w);
  w.command('migrate-incoming', { uri: channelUri('pair') }, 'destination');
  w.command('migrate', { uri: channelUri('pair') });
  w.settle();
  w.status(['completed', 'failed'], 'destination', 'likely');
  w.command('query-status', undefined, 'destination');
}

/** … and the destination is a source from then on. */
const takenOver = (w: Writer, uri: string): void => {
  arrives(w, () => undefined);
  w.command('migrate', { uri }, 'destination');
  w.settle('destination');
};

const acceptsBadUris: Route['of'] = ({ migration }) => migration.badUri !== 'first';

export const destinationRoutes: readonly Route[] = [
  {
    aims: ['command migrate-incoming: listen-failed MIG-CMD-INC-04 MIG-SM-I05'],
    go: (w) => {
      w.start('destination', { incoming: 'defer' });
      w.capabilities('destination', 'events');
      w.command('migrate-incoming', { uri: 'fd:qmpspec-none' }, 'destination');
      w.command('query-migrate', undefined, 'destination');
    },
  },
  {
    aims: ['incoming load-failed MIG-SM-I10 MIG-SM-I20 MIG-SM-I31 MIG-SM-I33 MIG-SM-I35 MIG-SM-I37 MIG-SM-I40'],
    go: (w) => {
      fed(w);
      feed(w, channel, ...w.tape.pick([['header', 'garbage'], ['garbage'], ['header', 'other-machine']] as const));
      w.steps.push({ do: 'exit', at: 'destination', deadline: 1500 });
    },
  },
  {
    aims: ['incoming load-failed MIG-SM-I20'],
    of: ({ migration }) => migration.recoverSetup,
    go: (w) => {
      fed(w, [], { 'exit-on-error': false });
      feed(w, channel, 'header', 'garbage');
      w.status(['failed'], 'destination', 'likely');
      w.command('query-migrate', undefined, 'destination');
    },
  },
  {
    aims: ['incoming loaded:paused MIG-SM-I21'],
    go: (w) => arrives(w, () => w.command('stop')),
  },
  {
    aims: ['incoming loaded:prelaunch MIG-SM-I21'],
    go: (w) => arrives(w, () => undefined, { paused: true }),
  },
  {
    aims: ['incoming loaded:postmigrate MIG-SM-I21'],
    of: ({ migration }) => migration.fromPostmigrate === undefined,
    go: (w) =>
      arrives(w, () => {
        w.command('migrate', { uri: channelUri(w.peer('answer')) });
        w.settle();
      }),
  },
  {
    aims: ['command migrate: failed-at-once MIG-SM-O03 MIG-SM-I24'],
    of: acceptsBadUris,
    go: (w) => takenOver(w, 'qmpspec:nothing'),
  },
  {
    aims: ['command migrate: failed-at-once MIG-SM-O04 MIG-SM-I24'],
    of: acceptsBadUris,
    go: (w) => takenOver(w, 'tcp:127.0.0.1'),
  },
  {
    aims: ['command migrate: accepted MIG-SM-O02 MIG-SM-I24'],
    go: (w) => takenOver(w, 'exec:cat >/dev/null'),
  },
  {
    aims: ['command migrate: accepted MIG-SM-O01 MIG-SM-I24'],
    go: (w) => takenOver(w, channelUri('none')),
  },
  {
    aims: ['incoming load-failed MIG-SM-I38'],
    go: (w) => {
      fed(w, ['postcopy-ram']);
      feed(w, channel, ...toTheSwitch, 'listen');
      feed(w, channel, 'garbage');
      w.steps.push({ do: 'exit', at: 'destination', deadline: 1500 });
    },
  },
  {
    aims: ['incoming channel-error MIG-SM-I55', 'incoming accepted MIG-SM-I52'],
    go: (w) => {
      paused(w);
      w.command('migrate-recover', { uri: channelUri('again') }, 'destination');
      feed(w, 'again', 'recv-bitmap');
      w.status(['postcopy-recover'], 'destination', 'likely');
      w.steps.push({ do: 'cut', channel: 'again' });
      w.status(['postcopy-paused'], 'destination', 'likely');
    },
  },
  {
    aims: ['incoming accepted-unasked MIG-SM-I52'],
    of: ({ migration }) => migration.listenerStaysOpen,
    go: (w) => {
      paused(w);
      feed(w, channel, 'recv-bitmap');
      w.status(['postcopy-recover'], 'destination', 'likely');
    },
  },
  {
    aims: ['command migrate-recover: listen-failed MIG-CMD-REC-03 MIG-CMD-REC-04 MIG-SM-I50'],
    go: (w) => {
      paused(w);
      w.command('migrate-recover', { uri: 'fd:qmpspec-none' }, 'destination');
      w.command('query-migrate', undefined, 'destination');
    },
  },
  {
    aims: ['command migrate: refused-late MIG-CMD-MIG-22'],
    of: ({ migration }) => migration.migrateOnDestination === 'stuck',
    go: (w) => {
      if (w.tape.chance(50) && w.dialect.migration.capabilities.includes('x-colo')) inColo(w);
      else inPostcopy(w);
      w.command('migrate', { uri: channelUri('none') }, 'destination');
      w.command('query-migrate', undefined, 'destination');
    },
  },
];
