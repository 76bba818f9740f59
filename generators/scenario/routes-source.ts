/** Routes to transitions of the outgoing side, and of the commands that a source is asked. */
import { channelUri, imageOf } from '../../targets/scenario.js';
import { slow, switched } from './postcopy.js';
import type { Route } from './routes.js';
import { terminal, type Writer } from './writer.js';

const source = (w: Writer, ...capabilities: readonly string[]): void => {
  w.start('source', { ramImage: imageOf(1) });
  w.capabilities('source', 'events', ...capabilities);
};

/** A source in postcopy, in front of a peer of ours that says nothing. */
function inPostcopy(w: Writer): string {
  source(w, 'postcopy-ram');
  w.parameters('source', slow);
  const channel = w.peer('silent');
  const commands = [
    { execute: 'migrate', arguments: { uri: channelUri(channel) } },
    { execute: 'migrate-start-postcopy' },
  ];
  w.steps.push({ do: 'pipeline', at: 'source', commands });
  w.status(switched, 'source', 'likely');
  return channel;
}

/** A migration that is cancelled before its peer takes the connection; then the peer goes away, or takes it. */
function cancelledWhileConnecting(w: Writer, end: 'cut' | 'release'): void {
  source(w);
  const channel = w.peer('full');
  w.command('migrate', { uri: channelUri(channel) });
  w.command('migrate_cancel');
  w.steps.push({ do: end, channel });
  w.settle();
}

function paused(w: Writer): string {
  const channel = inPostcopy(w);
  w.command('migrate-pause');
  w.status(['postcopy-paused', ...terminal], 'source', 'likely');
  return channel;
}

const resume = (w: Writer, uri: string): void => w.command('migrate', { uri, resume: true });

/** Both sides of COLO, with the first checkpoint far away. */
export function inColo(w: Writer): void {
  w.start('source');
  w.start('destination', { incoming: 'defer' });
  for (const at of ['source', 'destination']) w.capabilities(at, 'events', 'x-colo');
  w.parameters('source', { 'x-checkpoint-delay': 20_000 });
  w.command('migrate-incoming', { uri: channelUri('pair') }, 'destination');
  w.command('migrate', { uri: channelUri('pair') });
  w.status(['colo', 'failed'], 'source', 'likely');
  w.status(['colo', 'failed', 'completed'], 'destination', 'likely');
}

const hasColo = ({ migration }: Writer['dialect']): boolean => migration.capabilities.includes('x-colo');

const afterOneThatEnded = (w: Writer, uri: string): void => {
  w.command('migrate', { uri: channelUri(w.peer('answer')) });
  w.settle();
  w.command('cont');
  w.command('migrate', { uri });
  w.settle();
};

export const sourceRoutes: readonly Route[] = [
  {
    aims: ['command migrate: accepted MIG-SM-O02'],
    go: (w) => {
      source(w);
      w.command('migrate', { uri: 'exec:cat >/dev/null' });
      w.settle();
    },
  },
  {
    aims: ['command migrate: accepted MIG-SM-O02 MIG-SM-O45'],
    go: (w) => {
      source(w);
      afterOneThatEnded(w, 'exec:cat >/dev/null');
    },
  },
  {
    aims: ['command migrate: failed-at-once MIG-SM-O04 MIG-SM-O45'],
    of: ({ migration }) => migration.badUri !== 'first',
    go: (w) => {
      source(w);
      afterOneThatEnded(w, 'tcp:127.0.0.1');
    },
  },
  {
    aims: ['command migrate: failed-at-once MIG-SM-O03 MIG-SM-O45'],
    of: ({ migration }) => migration.badUri !== 'first',
    go: (w) => {
      source(w);
      afterOneThatEnded(w, 'qmpspec:nothing');
    },
  },
  {
    aims: ['outgoing channel-error MIG-SM-O21'],
    go: (w) => {
      source(w);
      w.parameters('source', slow);
      const channel = w.peer('answer');
      w.command('migrate', { uri: channelUri(channel) });
      w.status(['active', ...terminal], 'source', 'likely');
      w.steps.push({ do: 'cut', channel });
      w.settle();
    },
  },
  {
    aims: ['outgoing channels-unusable MIG-SM-O11'],
    of: ({ migration }) => migration.multifd.capability === 'multifd',
    go: (w) => {
      source(w, 'multifd');
      const channel = w.peer('cut', w.tape.pick([1, 100_000]));
      w.command('migrate', { uri: channelUri(channel) });
      w.settle();
      w.command('query-migrate');
    },
  },
  {
    aims: ['command migrate_cancel: cancelling MIG-SM-C02 MIG-SM-C03', 'outgoing thread-ended MIG-SM-C02 MIG-SM-C03'],
    of: ({ migration }) => !migration.cancelInterruptsConnect,
    go: (w) => cancelledWhileConnecting(w, 'cut'),
  },
  {
    aims: ['outgoing connected MIG-SM-C02', 'outgoing first-sync MIG-SM-C02 MIG-SM-C03'],
    of: ({ migration }) => !migration.cancelInterruptsConnect,
    go: (w) => cancelledWhileConnecting(w, 'release'),
  },
  {
    aims: ['outgoing peer-shut-error MIG-SM-O59 MIG-SM-O62'],
    go: (w) => {
      const channel = inPostcopy(w);
      w.parameters('source', { 'max-bandwidth': 0, 'max-postcopy-bandwidth': 0 });
      w.steps.push({ do: 'channel', channel, is: 'end-of-stream', deadline: 1500 });
      w.command('query-migrate');
      w.steps.push({ do: 'message', channel, message: 'shut-error' });
      w.settle();
    },
  },
  {
    aims: ['outgoing channel-error MIG-SM-O75'],
    go: (w) => {
      paused(w);
      const channel = w.peer('silent');
      resume(w, channelUri(channel));
      w.status(['postcopy-recover', ...terminal], 'source', 'likely');
      const message = w.tape.pick(['bad-ack', 'unknown', 'shut-error', undefined] as const);
      w.steps.push(message === undefined ? { do: 'cut', channel } : { do: 'message', channel, message });
      w.status(['postcopy-paused', ...terminal], 'source', 'likely');
    },
  },
  {
    aims: ['command migrate: failed-at-once MIG-CMD-MIG-31 MIG-SM-O70'],
    go: (w) => {
      paused(w);
      resume(w, 'fd:qmpspec-none');
      w.command('query-migrate');
    },
  },
  {
    aims: ['command migrate: refused MIG-CMD-MIG-31 MIG-SM-O70', 'command migrate: refused MIG-CMD-MIG-30 MIG-SM-O70'],
    of: ({ migration }) => migration.badUri !== 'first',
    go: (w) => {
      paused(w);
      resume(w, 'tcp:127.0.0.1');
      resume(w, 'qmpspec:nothing');
      w.command('query-migrate');
    },
  },
  {
    aims: ['command migrate: refused MIG-CMD-MIG-05 MIG-SM-O70'],
    go: (w) => {
      paused(w);
      const nowhere = w.peer('full');
      resume(w, channelUri(nowhere));
      resume(w, channelUri(nowhere));
      w.steps.push({ do: 'cut', channel: nowhere });
      w.status(['postcopy-paused', ...terminal]);
    },
  },
  {
    aims: ['command migrate_cancel: refused MIG-SM-C11'],
    of: ({ migration }) => migration.cancelInPostcopyRefused,
    go: (w) => {
      paused(w);
      w.command('migrate_cancel');
      w.command('query-migrate');
    },
  },
  {
    aims: ['command x-colo-lost-heartbeat: refused MIG-CMD-COLO-02'],
    of: hasColo,
    go: (w) => {
      inColo(w);
      const at = w.tape.pick(['source', 'destination']);
      const commands = Array.from({ length: 4 }, () => ({ execute: 'x-colo-lost-heartbeat' }));
      w.steps.push({ do: 'pipeline', at, commands }, { do: 'fence', at });
      w.status(['completed', 'failed'], at);
    },
  },
  {
    aims: ['command migrate: refused-late MIG-SM-O83'],
    of: (dialect) => hasColo(dialect) && dialect.migration.migrateInColo !== 'refused',
    go: (w) => {
      inColo(w);
      w.command('migrate', { uri: channelUri('none') });
      w.command('query-migrate');
    },
  },
];
