import { isObject, type JsonObject } from '../../protocol/json.js';
import { dropped, statusOf } from './ask.js';
import { behind } from './changes.js';
import { type Lie, type Talk, timestamp, without } from './lie.js';

type Down = NonNullable<Lie['down']>;

const becomes = (status: string) => (event: JsonObject) => statusOf(event) === status;
const named = (name: string) => (event: JsonObject) => event.event === name;
const twice =
  (is: (event: JsonObject, incoming: boolean) => boolean): Down =>
  (message, { incoming }) =>
    'event' in message && is(message, incoming) ? [message, message] : [message];
/** True from the acceptance of a migration on, until it has ended. */
const migrates = (message: JsonObject, { command, shared }: Talk): boolean => {
  if (command?.execute === 'migrate' && 'return' in message) shared.set('migrates', true);
  const now = shared.get('migrates') === true;
  if (['completed', 'failed', 'cancelled'].includes(String(statusOf(message)))) shared.set('migrates', false);
  return now;
};
const whileMigrating =
  (change: Down): Down =>
  (message, talk) =>
    migrates(message, talk) && !talk.incoming ? change(message, talk) : [message];
const also =
  (status: string, event: () => JsonObject, at: 'source' | 'destination'): Down =>
  (message, { incoming }) =>
    statusOf(message) === status && (at === 'destination') === incoming ? [message, event()] : [message];
const stamped = (change: (stamp: JsonObject) => JsonObject): Down => {
  return (message) => [
    'event' in message && isObject(message.timestamp) ? { ...message, timestamp: change(message.timestamp) } : message,
  ];
};
const renamed =
  (from: string, to: string): Down =>
  (message) => [statusOf(message) === from ? { ...message, data: { status: to } } : message];

export const aboutMoments = {
  'switch-over-unannounced': {
    says: 'does not announce that its guest stops for the switch-over',
    down: whileMigrating(dropped(named('STOP'))),
  },
  'switch-over-stop-twice': {
    says: 'announces twice that its guest stops for the switch-over',
    down: whileMigrating(twice(named('STOP'))),
  },
  'switch-over-stop-uncalled': {
    says: 'announces that a guest stops that did not run',
    down: (message, talk) => {
      const { shared } = talk;
      if (message.event === 'STOP') shared.set('stopped', true);
      if (message.event === 'RESUME') shared.set('stopped', false);
      return statusOf(message) === 'active' && shared.get('stopped') === true
        ? [message, { event: 'STOP', timestamp: timestamp() }]
        : [message];
    },
  },
  'return-unannounced': {
    says: 'does not announce that its guest runs again after a cancel or a failure',
    down: whileMigrating(dropped(named('RESUME'))),
  },
  'resume-behind-cancelled': {
    says: 'announces that its guest runs again behind the end of a cancel',
    down: behind(named('RESUME'), becomes('cancelled'), 'source'),
  },
  'resume-after-completed': {
    says: 'announces that the guest that has left runs',
    down: also('completed', () => ({ event: 'RESUME', timestamp: timestamp() }), 'source'),
  },
  'stop-behind-pre-switchover': {
    says: 'announces the stop behind the pause before the switch-over',
    down: behind(named('STOP'), becomes('pre-switchover')),
  },
  'postcopy-behind-stop': {
    says: 'announces postcopy behind the stop of the guest, or ahead where it comes behind',
    down: (message, talk) =>
      talk.incoming
        ? [message]
        : talk.shared.has('device')
          ? [message]
          : behind(becomes('postcopy-active'), named('STOP'))(message, talk),
  },
  'completed-ahead-of-resume': {
    says: 'announces at the destination the end ahead of the start of the guest',
    down: behind(named('RESUME'), becomes('completed'), 'destination'),
  },
  'cancelling-behind-the-reply': {
    says: 'announces behind the reply that it is cancelling',
    down: (message, { command, memory }) => {
      if (statusOf(message) === 'cancelling') {
        memory.set('late', message);
        return [];
      }
      const late = memory.get('late') as JsonObject | undefined;
      if (late === undefined || command?.execute !== 'migrate_cancel') return [message];
      memory.delete('late');
      return [message, late];
    },
  },
  'cancelled-twice': { says: 'announces twice that it has cancelled', down: twice(becomes('cancelled')) },
  'active-twice': {
    says: 'announces twice that a migration is active',
    down: twice((event, incoming) => !incoming && statusOf(event) === 'active'),
  },
  'active-twice-at-destination': {
    says: 'announces twice at the destination that a migration is active',
    down: twice((event, incoming) => incoming && statusOf(event) === 'active'),
  },
  'pre-switchover-twice': { says: 'announces its pause twice', down: twice(becomes('pre-switchover')) },
  'device-twice': { says: 'announces status device twice', down: twice(becomes('device')) },
  'postcopy-twice': { says: 'announces postcopy twice', down: twice(becomes('postcopy-active')) },
  'paused-twice': { says: 'announces twice that postcopy is paused', down: twice(becomes('postcopy-paused')) },
  'paused-unannounced': {
    says: 'does not announce that postcopy is paused',
    down: dropped((event, incoming) => !incoming && statusOf(event) === 'postcopy-paused'),
  },
  'paused-unannounced-at-destination': {
    says: 'does not announce at the destination that postcopy is paused',
    down: dropped((event, incoming) => incoming && statusOf(event) === 'postcopy-paused'),
  },
  'recover-unannounced': {
    says: 'does not announce that postcopy recovers',
    down: dropped((event, incoming) => !incoming && statusOf(event) === 'postcopy-recover'),
  },
  'recover-unannounced-at-destination': {
    says: 'does not announce at the destination that postcopy recovers',
    down: dropped((event, incoming) => incoming && statusOf(event) === 'postcopy-recover'),
  },
  'recovered-unannounced': {
    says: 'does not announce that postcopy goes on after a recovery',
    down: (message, { shared, incoming }) => {
      const status = statusOf(message);
      if (status === 'postcopy-recover') shared.set('recovers', true);
      return status === 'postcopy-active' && shared.delete('recovers') && !incoming ? [] : [message];
    },
  },
  'paused-as-failed': {
    says: 'announces a pause of postcopy as a failure',
    down: renamed('postcopy-paused', 'failed'),
  },
  'postcopy-as-active': { says: 'announces postcopy as active', down: renamed('postcopy-active', 'active') },
  'failed-missing-at-destination': {
    says: 'does not announce that a load has failed',
    down: dropped((event, incoming) => incoming && statusOf(event) === 'failed'),
  },
  'postcopy-missing-at-destination': {
    says: 'does not announce postcopy at the destination',
    down: dropped((event, incoming) => incoming && statusOf(event) === 'postcopy-active'),
  },
  'colo-missing': { says: 'does not announce COLO', down: dropped(becomes('colo')) },
  'last-event-lost': {
    says: 'loses one of two events that come together',
    down: (message, { after, memory }) => {
      if (!('event' in message)) return [message];
      const soon = memory.has('soon');
      memory.set('soon', true);
      after(2, () => memory.delete('soon'));
      return soon && statusOf(message) !== undefined && statusOf(message) !== 'completed' ? [] : [message];
    },
  },
  'events-never-off': {
    says: 'announces migrations for ever once that was switched on',
    up: (command) => {
      const list = isObject(command.arguments) ? command.arguments.capabilities : undefined;
      if (command.execute !== 'migrate-set-capabilities' || !Array.isArray(list) || !list.every(isObject))
        return command;
      const kept = list.filter(({ capability, state }) => capability !== 'events' || state !== false);
      return { ...command, arguments: { ...(command.arguments as JsonObject), capabilities: kept } };
    },
  },
  'event-with-more': {
    says: 'tells more of a migration in its events than its schema has',
    down: (message) => [
      statusOf(message) === undefined
        ? message
        : { ...message, data: { ...(message.data as JsonObject), side: 'source' } },
    ],
  },
  'pass-with-more': {
    says: 'tells more of a pass than its schema has',
    down: (message) => [
      message.event === 'MIGRATION_PASS' && isObject(message.data)
        ? { ...message, data: { ...message.data, dirty: 0 } }
        : message,
    ],
  },
  'pass-fraction': {
    says: 'numbers passes with fractions',
    down: (message) => [
      message.event === 'MIGRATION_PASS' && isObject(message.data)
        ? { ...message, data: { pass: Number(message.data.pass) + 0.5 } }
        : message,
    ],
  },
  'pass-goes-on': {
    says: 'goes on counting passes in its next migration',
    down: (message, { shared }) => {
      if (message.event !== 'MIGRATION_PASS' || !isObject(message.data)) return [message];
      const pass = Number(message.data.pass);
      const base = Number(shared.get('base') ?? 0);
      const last = Number(shared.get('last') ?? 0);
      const from = pass === 1 && last > 0 ? last : base;
      shared.set('base', from);
      shared.set('last', from + pass);
      return [{ ...message, data: { pass: from + pass } }];
    },
  },
  'pass-behind-active': {
    says: 'announces the first pass behind the begin of the migration proper',
    down: behind(
      (event) => event.event === 'MIGRATION_PASS' && isObject(event.data) && event.data.pass === 1,
      becomes('active'),
    ),
  },
  'timestamp-in-one': {
    says: 'stamps events with one number',
    down: stamped(({ seconds, microseconds }) => ({ seconds: `${seconds}.${microseconds}` })),
  },
  'timestamp-with-zone': {
    says: 'tells the time zone of its events',
    down: stamped((stamp) => ({ ...stamp, zone: 'UTC' })),
  },
  'timestamp-whole-seconds': {
    says: 'stamps events with whole seconds',
    down: stamped(({ seconds }) => ({ seconds: seconds ?? 0, microseconds: 0 })),
  },
  'timestamp-nanoseconds': {
    says: 'stamps events with nanoseconds',
    down: stamped(({ seconds, microseconds }) => ({
      seconds: seconds ?? 0,
      microseconds: 1000 * Number(microseconds),
    })),
  },
  'timestamp-a-second-late': {
    says: 'stamps events two seconds late',
    down: stamped(({ seconds, microseconds }) => ({ seconds: Number(seconds) + 2, microseconds: microseconds ?? 0 })),
  },
  'timestamp-since-boot': {
    says: 'stamps events with the time since it started',
    down: stamped(({ microseconds }) => ({ seconds: 7, microseconds: microseconds ?? 0 })),
  },
  'timestamp-negative': {
    says: 'stamps events as if it had no clock',
    down: stamped(() => ({ seconds: -1, microseconds: -1 })),
  },
  'event-data-null': {
    says: 'tells null where an event has no data',
    down: (message) => ['event' in message && !('data' in message) ? { ...message, data: null } : message],
  },
  'migration-without-data': {
    says: 'announces a migration without its status',
    down: (message) => [statusOf(message) === undefined ? message : without(message, 'data')],
  },
} satisfies Record<string, Lie>;
