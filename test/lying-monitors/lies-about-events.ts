import { isObject, type JsonObject } from '../../protocol/json.js';
import { type Lie, timestamp, without } from './lie.js';

const stampOf = (message: JsonObject): JsonObject => (isObject(message.timestamp) ? message.timestamp : {});
const statusOf = (message: JsonObject) =>
  message.event === 'MIGRATION' && isObject(message.data) ? message.data.status : undefined;
const stamped = (change: (stamp: JsonObject) => JsonObject): NonNullable<Lie['down']> => {
  return (message) => ['event' in message ? { ...message, timestamp: change(stampOf(message)) } : message];
};
/** Keeps an event back until the next reply. */
const afterReply =
  (late: (event: JsonObject) => boolean): NonNullable<Lie['down']> =>
  (message, { memory }) => {
    if (late(message)) {
      memory.set('late', message);
      return [];
    }
    const event = memory.get('late') as JsonObject | undefined;
    if (event === undefined || 'event' in message) return [message];
    memory.delete('late');
    return [message, event];
  };

export const aboutEvents = {
  'timestamp-float': {
    says: 'stamps events with a float',
    down: stamped(({ seconds }) => ({ seconds: Number(seconds) + 0.5, microseconds: 0 })),
  },
  'timestamp-missing': {
    says: 'does not stamp events',
    down: (message) => ['event' in message ? without(message, 'timestamp') : message],
  },
  'timestamp-milliseconds': {
    says: 'stamps events in milliseconds',
    down: stamped(({ seconds, microseconds }) => ({
      seconds: Number(seconds) * 1000,
      microseconds: microseconds ?? 0,
    })),
  },
  'timestamp-overflow': {
    says: 'stamps events with more microseconds than a second has',
    down: stamped(({ seconds, microseconds }) => ({
      seconds: Number(seconds) - 1,
      microseconds: Number(microseconds) + 1_000_000,
    })),
  },
  'event-with-empty-data': {
    says: 'sends events with data that have none',
    down: (message) => ['event' in message && !('data' in message) ? { ...message, data: {} } : message],
  },
  'event-with-id': {
    says: 'gives events an id',
    down: (message) => ['event' in message ? { ...message, id: 1 } : message],
  },
  'event-before-negotiation': {
    says: 'sends an event right after its greeting',
    down: (message) => ('QMP' in message ? [message, { event: 'RESUME', timestamp: timestamp() }] : [message]),
  },
  'stop-without-event': { says: 'stops in silence', down: (message) => (message.event === 'STOP' ? [] : [message]) },
  'stop-event-late': {
    says: 'announces a stop after its reply',
    down: afterReply((event) => event.event === 'STOP'),
  },
  'resume-twice': {
    says: 'announces a start twice',
    down: (message) => (message.event === 'RESUME' ? [message, message] : [message]),
  },
  'resume-while-running': {
    says: 'announces a start that is none',
    down: (message, { command, memory }) => {
      if (message.event === 'RESUME') memory.set('resumed', true);
      if (command?.execute !== 'cont' || memory.delete('resumed')) return [message];
      return [{ event: 'RESUME', timestamp: timestamp() }, message];
    },
  },
  'setup-missing': {
    says: 'begins a migration without announcing it',
    down: (message) => (statusOf(message) === 'setup' ? [] : [message]),
  },
  'setup-late': {
    says: 'announces a migration after the reply to migrate',
    down: afterReply((event) => statusOf(event) === 'setup'),
  },
  'failed-twice': {
    says: 'announces the failure of a migration twice',
    down: (message) => (statusOf(message) === 'failed' ? [message, message] : [message]),
  },
  'failed-missing': {
    says: 'does not announce the failure of a migration',
    down: (message) => (statusOf(message) === 'failed' ? [] : [message]),
  },
  'status-shouted': {
    says: 'writes the status of a migration in capitals',
    down: (message) => {
      const status = statusOf(message);
      return [status === undefined ? message : { ...message, data: { status: String(status).toUpperCase() } }];
    },
  },
  'pass-missing': {
    says: 'does not announce passes',
    down: (message) => (message.event === 'MIGRATION_PASS' ? [] : [message]),
  },
  'pass-from-zero': {
    says: 'counts passes from zero',
    down: (message) => [
      message.event === 'MIGRATION_PASS' && isObject(message.data)
        ? { ...message, data: { pass: Number(message.data.pass) - 1 } }
        : message,
    ],
  },
  'migration-events-uncalled': {
    says: 'announces migrations though nobody switched that on',
    down: (message, { command, memory }) => {
      if (statusOf(message) !== undefined) memory.set('on', true);
      if (command?.execute !== 'migrate' || memory.delete('on') || !('return' in message)) return [message];
      return [{ event: 'MIGRATION', data: { status: 'setup' }, timestamp: timestamp() }, message];
    },
  },
} satisfies Record<string, Lie>;
