/** Lies that are told in one state only, or only after something has happened. */
import { isObject, type JsonObject } from '../../protocol/json.js';
import { ram, returned, statusOf, success } from './ask.js';
import { type Lie, type Talk, timestamp, without } from './lie.js';

type Down = NonNullable<Lie['down']>;

/** Statuses that a process has been in, the present one last, as it tells them in events and in `query-migrate`. */
function path(message: JsonObject, { command, shared, incoming }: Talk): string[] {
  const statuses = (shared.get('path') as string[] | undefined) ?? [incoming ? 'waiting' : 'none'];
  shared.set('path', statuses);
  const info = command?.execute === 'query-migrate' && isObject(message.return) ? message.return : {};
  const status = statusOf(message) ?? info.status;
  if (typeof status === 'string' && status !== statuses.at(-1)) statuses.push(status);
  return statuses;
}

/** The lie is told while `when` holds of the way of the process so far, its present message counted. */
const where =
  (when: (path: readonly string[], talk: Talk) => boolean, lie: Down): Down =>
  (message, talk) =>
    when(path(message, talk), talk) ? lie(message, talk) : [message];
const source = (...states: readonly string[]) => ({
  at: (way: readonly string[], { incoming }: Talk) => !incoming && states.includes(way.at(-1) ?? ''),
  after: (way: readonly string[], { incoming }: Talk) => !incoming && states.some((state) => way.includes(state)),
});
const destination = (...states: readonly string[]) => ({
  at: (way: readonly string[], { incoming }: Talk) => incoming && states.includes(way.at(-1) ?? ''),
});

/** The event of a status that follows another one is lost. */
const lost =
  (from: string, to: string): Down =>
  (message, talk) =>
    path(message, talk).at(-2) === from && statusOf(message) === to && !talk.incoming ? [] : [message];
const shows = (change: (info: JsonObject) => JsonObject): Down =>
  returned('query-migrate', (info: JsonObject) => (info.status === undefined ? info : change(info)));
const postcopy = source('postcopy-active', 'postcopy-paused', 'postcopy-recover');
const figures = { ram: { total: 67_108_864, remaining: 0, transferred: 0 }, 'total-time': 1, 'setup-time': 0 };
const negative = (name: string) => ram((one) => (name in one ? { ...one, [name]: -1 - Number(one[name]) } : one));
const answered =
  (name: string, change: (reply: JsonObject) => readonly JsonObject[]): Down =>
  (message, { command }) =>
    command?.execute === name && 'return' in message ? change(message) : [message];
const ofEvent =
  (name: string, change: (event: JsonObject) => readonly JsonObject[]): Down =>
  (message) =>
    message.event === name ? change(message) : [message];
const all = { parameters: 'query-migrate-parameters', capabilities: 'query-migrate-capabilities' } as const;
const asAtFirst = (query: string): Down =>
  where(
    () => true,
    (message, { command, shared }) => {
      if (command?.execute !== query || !('return' in message)) return [message];
      const first = shared.get(query) ?? message.return;
      shared.set(query, first);
      return [{ ...message, return: first as JsonObject }];
    },
  );
/** What a query showed first is shown again after such an end. */
const forgottenAfter =
  (query: string, end: string): Down =>
  (message, talk) => {
    const before = talk.shared.get(query);
    const ended = path(message, talk).includes(end) && !talk.incoming;
    if (before !== undefined && !ended) return [message];
    return asAtFirst(query)(message, talk);
  };

export const inRareStates = {
  'device-shown-as-active': {
    says: 'shows a migration as active that writes its devices',
    down: where(
      source('device').at,
      shows((info) => ({ ...info, status: 'active' })),
    ),
  },
  'cancel-of-device-unannounced': {
    says: 'does not announce a cancel that comes when all has been written',
    down: lost('device', 'cancelling'),
  },
  'setup-after-failure-as-failed': {
    says: 'shows the failure before for as long as the next migration is set up',
    down: (message, talk) =>
      path(message, talk).at(-2) === 'failed'
        ? shows((info) => (info.status === 'setup' ? { ...info, status: 'failed' } : info))(message, talk)
        : [message],
  },
  'postcopy-transferred-nothing': {
    says: 'has transferred nothing once it is in postcopy',
    down: where(
      postcopy.at,
      ram((one) => ({ ...one, transferred: 0 })),
    ),
  },
  'postcopy-normal-negative': {
    says: 'counts pages below nothing in postcopy',
    down: where(postcopy.at, negative('normal')),
  },
  'postcopy-remaining-broken': {
    says: 'has parts of pages left to send in postcopy',
    down: where(
      postcopy.at,
      ram((one) => ({ ...one, remaining: Number(one.remaining) + 1 })),
    ),
  },
  'postcopy-total-lost': {
    says: 'does not show in postcopy how much RAM there is',
    down: where(
      postcopy.at,
      ram((one) => without(one, 'total')),
    ),
  },
  'postcopy-passes-more': {
    says: 'has looked for dirty pages once more in postcopy than it says in events',
    down: where(
      postcopy.at,
      ram((one) => ({ ...one, 'dirty-sync-count': 1 + Number(one['dirty-sync-count']) })),
    ),
  },
  'paused-counters-reset': {
    says: 'counts anew when postcopy is paused',
    down: where(
      source('postcopy-paused').at,
      ram((one) => ({ ...one, normal: 0, 'normal-bytes': 0, transferred: 0 })),
    ),
  },
  'pause-total-lost': {
    says: 'does not show in its pause how much RAM there is',
    down: where(
      source('pre-switchover').at,
      ram((one) => without(one, 'total')),
    ),
  },
  'pause-mbps-negative': {
    says: 'has a negative speed in its pause',
    down: where(source('pre-switchover').at, negative('mbps')),
  },
  'device-remains': {
    says: 'has a page left to send when all has been written',
    down: where(
      source('device').at,
      ram((one) => ({ ...one, remaining: 4096 })),
    ),
  },
  'figures-at-loading-destination': {
    says: 'shows figures of a load in postcopy',
    down: where(
      destination('postcopy-active', 'postcopy-paused').at,
      shows((info) => ({ ...info, ...figures })),
    ),
  },
  'error-at-loading-destination': {
    says: 'shows how long postcopy blocked before it is over',
    down: where(
      destination('postcopy-active').at,
      shows((info) => ({ ...info, 'postcopy-blocktime': 0 })),
    ),
  },
  'parameters-lost-at-failure': {
    says: 'forgets its parameters when a migration has failed',
    down: forgottenAfter(all.parameters, 'failed'),
  },
  'parameters-lost-at-cancel': {
    says: 'forgets its parameters when a migration was cancelled',
    down: forgottenAfter(all.parameters, 'cancelled'),
  },
  'capabilities-lost-at-failure': {
    says: 'forgets its capabilities when a migration has failed',
    down: forgottenAfter(all.capabilities, 'failed'),
  },
  'capabilities-lost-at-cancel': {
    says: 'forgets its capabilities when a migration was cancelled',
    down: forgottenAfter(all.capabilities, 'cancelled'),
  },
  'colo-exit-missing': { says: 'does not announce the end of COLO', down: ofEvent('COLO_EXIT', () => []) },
  'colo-exit-twice': { says: 'announces the end of COLO twice', down: ofEvent('COLO_EXIT', (event) => [event, event]) },
  'colo-exit-of-the-other': {
    says: 'takes itself for the other side when COLO ends',
    down: ofEvent('COLO_EXIT', (event) => {
      const data = isObject(event.data) ? event.data : {};
      return [{ ...event, data: { ...data, mode: data.mode === 'primary' ? 'secondary' : 'primary' } }];
    }),
  },
  'powerdown-with-id': { says: 'gives POWERDOWN an id', down: ofEvent('POWERDOWN', (event) => [{ ...event, id: 1 }]) },
  'shutdown-with-more': {
    says: 'tells more of its end than its schema has',
    down: ofEvent('SHUTDOWN', (event) => [{ ...event, data: { ...(event.data as JsonObject), when: timestamp() } }]),
  },
  'replication-answered-twice': {
    says: 'answers xen-set-replication twice',
    down: answered('xen-set-replication', (reply) => [reply, reply]),
  },
  'checkpoint-without-id': {
    says: 'gives no id back to xen-colo-do-checkpoint',
    down: answered('xen-colo-do-checkpoint', (reply) => [without(reply, 'id')]),
  },
  'pause-answered-twice': {
    says: 'answers migrate-pause twice',
    down: answered('migrate-pause', (reply) => [reply, success(reply)]),
  },
} satisfies Record<string, Lie>;
