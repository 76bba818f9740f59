import { isObject, type JsonObject } from '../../protocol/json.js';
import { dropped, statusOf, success } from './ask.js';
import { behind } from './changes.js';
import { type Lie, timestamp } from './lie.js';

const migration = (status: string): JsonObject => ({ event: 'MIGRATION', data: { status }, timestamp: timestamp() });
const statusDropped = (status: string) => dropped((event) => statusOf(event) === status);
/** Another status in the events. */
const renamed =
  (from: string, to: string): NonNullable<Lie['down']> =>
  (message) => [statusOf(message) === from ? { ...message, data: { status: to } } : message];
const twice =
  (is: (event: JsonObject) => boolean): NonNullable<Lie['down']> =>
  (message) =>
    'event' in message && is(message) ? [message, message] : [message];
const named = (name: string) => (event: JsonObject) => event.event === name;
const becomes = (status: string) => (event: JsonObject) => statusOf(event) === status;
/** Gives the monitor a command of its own when an event tells a status. */
const does =
  (status: string, execute: string, args?: JsonObject, only?: 'source' | 'destination'): NonNullable<Lie['down']> =>
  (message, { ask, incoming }) => {
    const here = only === undefined || (only === 'destination') === incoming;
    if (statusOf(message) === status && here) ask({ execute, ...(args === undefined ? {} : { arguments: args }) });
    return [message];
  };
const shift = (seconds: (event: number) => number): NonNullable<Lie['down']> => {
  return (message, { shared }) => {
    if (!('event' in message) || !isObject(message.timestamp)) return [message];
    const count = Number(shared.get('events') ?? 0) + 1;
    shared.set('events', count);
    const { timestamp: stamp } = message;
    return [{ ...message, timestamp: { ...stamp, seconds: Number(stamp.seconds) + seconds(count) } }];
  };
};

export const aboutSteps = {
  'active-missing': { says: 'does not announce that a migration is active', down: statusDropped('active') },
  'active-missing-at-destination': {
    says: 'does not announce at the destination that a migration is active',
    down: dropped((event, incoming) => incoming && statusOf(event) === 'active'),
  },
  'completed-missing': { says: 'does not announce that a migration has completed', down: statusDropped('completed') },
  'completed-missing-at-destination': {
    says: 'does not announce at the destination that a migration has completed',
    down: dropped((event, incoming) => incoming && statusOf(event) === 'completed'),
  },
  'completed-twice': { says: 'announces twice that a migration has completed', down: twice(becomes('completed')) },
  'completed-as-failed': { says: 'announces a completed migration as failed', down: renamed('completed', 'failed') },
  'completed-as-done': { says: 'has a status of its own for the end', down: renamed('completed', 'done') },
  'setup-twice': { says: 'announces a migration twice', down: twice(becomes('setup')) },
  'setup-behind-active': {
    says: 'announces the begin of a migration when it is active',
    down: behind(becomes('setup'), becomes('active')),
  },
  'status-none-announced': {
    says: 'announces a status of none before a migration',
    down: (message) => (statusOf(message) === 'setup' ? [migration('none'), message] : [message]),
  },
  'device-missing': { says: 'does not announce status device', down: statusDropped('device') },
  'pre-switchover-missing': { says: 'does not announce its pause', down: statusDropped('pre-switchover') },
  'pre-switchover-skipped': {
    says: 'does not wait before the switch-over',
    down: does('pre-switchover', 'migrate-continue', { state: 'pre-switchover' }),
  },
  'cancelling-missing': { says: 'does not announce that it is cancelling', down: statusDropped('cancelling') },
  'cancelled-missing': { says: 'does not announce that it has cancelled', down: statusDropped('cancelled') },
  'cancelled-as-failed': { says: 'announces a cancel as a failure', down: renamed('cancelled', 'failed') },
  'cancel-ignored': {
    says: 'takes migrate_cancel and goes on',
    up: (command, { say }) => {
      if (command.execute !== 'migrate_cancel') return command;
      say(success(command));
      return undefined;
    },
  },
  'continue-ignored': {
    says: 'takes migrate-continue and goes on waiting',
    up: (command, { say }) => {
      if (command.execute !== 'migrate-continue') return command;
      say(success(command));
      return undefined;
    },
  },
  'postcopy-unannounced': { says: 'does not announce postcopy', down: statusDropped('postcopy-active') },
  'postcopy-ignored': {
    says: 'takes migrate-start-postcopy and goes on with precopy',
    up: (command, { say }) => {
      if (command.execute !== 'migrate-start-postcopy') return command;
      say(success(command));
      return undefined;
    },
  },
  'stop-behind-completed': {
    says: 'announces the stop of a guest that has migrated at the end',
    down: behind(named('STOP'), becomes('completed')),
  },
  'resume-missing-at-destination': {
    says: 'does not announce that the guest runs at the destination',
    down: dropped((event, incoming) => incoming && event.event === 'RESUME'),
  },
  'resume-twice-at-destination': {
    says: 'announces twice that the guest runs at the destination',
    down: (message, { incoming }) => (incoming && message.event === 'RESUME' ? [message, message] : [message]),
  },
  'stopped-guest-woken': {
    says: 'starts the guest at the destination whatever it was at the source',
    down: does('completed', 'cont', undefined, 'destination'),
  },
  'guest-stopped-after-cancel': { says: 'stops its guest after a cancel', down: does('cancelled', 'stop') },
  'guest-runs-on': {
    says: 'lets the guest run again when it has migrated',
    down: (message, { ask, incoming, shared }) => {
      if (statusOf(message) === 'completed' && !incoming) shared.set('left', true);
      // In the moment of the end a monitor may refuse it.
      if ('return' in message && shared.delete('left')) ask({ execute: 'cont' });
      return [message];
    },
  },
  'reset-unannounced': { says: 'resets in silence', down: dropped(named('RESET')) },
  'shutdown-unannounced': { says: 'ends in silence', down: dropped(named('SHUTDOWN')) },
  'powerdown-unannounced': { says: 'powers down in silence', down: dropped(named('POWERDOWN')) },
  'event-renamed': {
    says: 'calls STOP another name',
    down: (message) => [message.event === 'STOP' ? { ...message, event: 'STOPPED' } : message],
  },
  'event-lower-case': {
    says: 'writes names of events in small letters',
    down: (message) => [
      typeof message.event === 'string' ? { ...message, event: message.event.toLowerCase() } : message,
    ],
  },
  'pass-twice': { says: 'announces each pass twice', down: twice(named('MIGRATION_PASS')) },
  'pass-skips': {
    says: 'counts each pass for two',
    down: (message) => [
      message.event === 'MIGRATION_PASS' && isObject(message.data)
        ? { ...message, data: { pass: 2 * Number(message.data.pass) } }
        : message,
    ],
  },
  'pass-as-string': {
    says: 'tells the number of a pass as a string',
    down: (message) => [
      message.event === 'MIGRATION_PASS' && isObject(message.data)
        ? { ...message, data: { pass: String(message.data.pass) } }
        : message,
    ],
  },
  'pass-behind-completed': {
    says: 'announces passes when all is over',
    down: behind(named('MIGRATION_PASS'), becomes('completed')),
  },
  'timestamps-backwards': {
    says: 'stamps each event earlier than the one before',
    down: shift((event) => -10 * event),
  },
  'timestamps-of-another-zone': { says: 'stamps events an hour late', down: shift(() => 3600) },
  'timestamps-fixed': {
    says: 'stamps every event as its first',
    down: (message, { shared }) => {
      if (!('event' in message)) return [message];
      const first = shared.get('stamp') ?? message.timestamp;
      shared.set('stamp', first);
      return [{ ...message, timestamp: first as JsonObject }];
    },
  },
  'events-late': {
    says: 'tells every event a second late',
    down: (message, { after, say }) => {
      if (!('event' in message)) return [message];
      after(1000, () => say(message));
      return [];
    },
  },
} satisfies Record<string, Lie>;
