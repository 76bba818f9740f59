/** Events and replies that are right but for their time, their place or their reader. */
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { statusOf } from './ask.js';
import { type Lie, spaced, timestamp, without } from './lie.js';

type Down = NonNullable<Lie['down']>;

const isEvent = (message: JsonObject, name: string): boolean => message.event === name;
/** Moves the stamp of some events by so many microseconds. */
const moved =
  (which: (event: JsonObject) => boolean, by: number): Down =>
  (message) => {
    if (!('event' in message) || !which(message) || !isObject(message.timestamp)) return [message];
    const { seconds, microseconds } = message.timestamp;
    const all = Number(seconds) * 1_000_000 + Number(microseconds) + by;
    return [{ ...message, timestamp: { seconds: Math.floor(all / 1_000_000), microseconds: all % 1_000_000 } }];
  };
const withoutOn =
  (monitor: number, which: (event: JsonObject) => boolean): Down =>
  (message, talk) =>
    talk.monitor === monitor && 'event' in message && which(message) ? [] : [message];
const isMigration = (event: JsonObject): boolean => isEvent(event, 'MIGRATION');
const isPass = (event: JsonObject): boolean => isEvent(event, 'MIGRATION_PASS');
const passed = (event: JsonObject): number => (isObject(event.data) ? Number(event.data.pass) : 0);
const ids = (change: (id: JsonValue) => JsonValue): Down => {
  return (message) => {
    const { id } = message;
    if (id === undefined) return [message];
    const told = change(id);
    return told === id ? [message] : [{ ...message, id: told }];
  };
};

export const toldByMoments = {
  'migrations-an-hour-ahead': {
    says: 'stamps the events of migrations an hour ahead',
    down: moved(isMigration, 3_600_000_000),
  },
  'events-three-tenths-ahead': {
    says: 'stamps events three tenths of a second ahead',
    down: moved(() => true, 300_000),
  },
  'events-three-tenths-behind': {
    says: 'stamps events three tenths of a second behind',
    down: moved(() => true, -300_000),
  },
  'passes-stamped-behind': { says: 'stamps passes a tenth of a second behind', down: moved(isPass, -100_000) },
  'microseconds-as-milliseconds': {
    says: 'tells milliseconds where the microseconds of events are',
    down: (message) => [
      'event' in message && isObject(message.timestamp)
        ? {
            ...message,
            timestamp: {
              ...message.timestamp,
              microseconds: Math.floor(Number(message.timestamp.microseconds) / 1000),
            },
          }
        : message,
    ],
  },
  'second-monitor-without-migrations': {
    says: 'does not tell its second monitor of migrations',
    down: withoutOn(1, isMigration),
  },
  'second-monitor-without-passes': {
    says: 'does not tell its second monitor of passes',
    down: withoutOn(1, isPass),
  },
  'first-monitor-without-resumes': {
    says: 'does not tell its first monitor of RESUME where it has two',
    down: (message, { monitor, shared }) => {
      if (monitor === 1) shared.set('two', true);
      return monitor === 0 && shared.has('two') && isEvent(message, 'RESUME') ? [] : [message];
    },
  },
  'second-monitor-in-another-order': {
    says: 'tells its second monitor of stops behind the event that follows',
    down: (message, { monitor, memory }) => {
      if (monitor !== 1 || !('event' in message)) return [message];
      const kept = memory.get('kept') as JsonObject | undefined;
      memory.delete('kept');
      if (kept !== undefined) return [message, kept];
      if (!isEvent(message, 'STOP')) return [message];
      memory.set('kept', message);
      return [];
    },
  },
  'active-told-again': {
    says: 'announces some time later once more that a migration is active',
    down: (message, { incoming, after, say }) => {
      if (!incoming && statusOf(message) === 'active') after(40, () => say({ ...message, timestamp: timestamp() }));
      return [message];
    },
  },
  'passes-one-behind': {
    says: 'announces each pass when the next one begins',
    down: (message, { memory }) => {
      if (!isPass(message)) return [message];
      const kept = memory.get('pass') as JsonObject | undefined;
      memory.set('pass', message);
      return kept === undefined ? [] : [kept];
    },
  },
  'passes-skip-the-third': {
    says: 'counts the third pass as the fourth',
    down: (message) => [
      isPass(message) && passed(message) >= 3 && isObject(message.data)
        ? { ...message, data: { pass: passed(message) + 1 } }
        : message,
    ],
  },
  'completed-told-at-the-next-command': {
    says: 'announces the end of a migration with its next reply',
    down: (message, { memory, incoming }) => {
      const kept = memory.get('end') as JsonObject | undefined;
      if (!incoming && statusOf(message) === 'completed') {
        memory.set('end', message);
        return [];
      }
      if (kept === undefined || 'event' in message) return [message];
      memory.delete('end');
      return [kept, message];
    },
  },
  'stop-of-the-stopped': {
    says: 'announces a stop that is none',
    down: (message, { command, memory }) => {
      if (isEvent(message, 'STOP')) memory.set('stopped', true);
      if (command?.execute !== 'stop' || memory.delete('stopped') || !('return' in message)) return [message];
      return [{ event: 'STOP', timestamp: timestamp() }, message];
    },
  },
  'resume-behind-its-reply': {
    says: 'announces a start behind the reply to cont',
    down: (message, { command, memory }) => {
      if (isEvent(message, 'RESUME')) {
        memory.set('late', message);
        return [];
      }
      const late = memory.get('late') as JsonObject | undefined;
      if (late === undefined || !('return' in message)) return [message];
      memory.delete('late');
      return command?.execute === 'cont' ? [message, late] : [late, message];
    },
  },
  'shutdown-ahead-of-its-reply': {
    says: 'announces its end ahead of the reply to quit',
    down: (message, { command, memory, after, say }) => {
      if (command?.execute === 'quit' && 'return' in message) {
        memory.set('reply', message);
        after(100, () => {
          const reply = memory.get('reply') as JsonObject | undefined;
          if (reply !== undefined) say(reply);
        });
        return [];
      }
      const reply = memory.get('reply') as JsonObject | undefined;
      if (reply === undefined || !isEvent(message, 'SHUTDOWN')) return [message];
      memory.delete('reply');
      return [message, reply];
    },
  },
  'id-lost-in-refused-migrate': {
    says: 'gives no id back where it refuses migrate',
    down: (message, { command }) => [
      'error' in message && command?.execute === 'migrate' ? without(message, 'id') : message,
    ],
  },
  'id-lost-in-refused-capabilities': {
    says: 'gives no id back where it refuses capabilities',
    down: (message, { command }) => [
      'error' in message && command?.execute === 'migrate-set-capabilities' ? without(message, 'id') : message,
    ],
  },
  'ids-as-floats': {
    says: 'gives whole numbers back as fractions',
    down: (message) =>
      typeof message.id === 'number' && Number.isInteger(message.id)
        ? [Buffer.from(spaced(message).replace(`"id": ${message.id}`, `"id": ${message.id}.0`))]
        : [message],
  },
  'ids-without-sign': {
    says: 'gives negative numbers back without their sign',
    down: ids((id) => (typeof id === 'number' && id < 0 ? -id : id)),
  },
  'ids-of-lists-sorted': {
    says: 'gives an id that is a list back in another order',
    down: ids((id) => (Array.isArray(id) && id.length > 1 ? [...id].reverse() : id)),
  },
  'ids-in-lists': { says: 'gives a text back in a list', down: ids((id) => (typeof id === 'string' ? [id] : id)) },
  'class-of-oob-wrong': {
    says: 'refuses out-of-band commands as CommandNotFound',
    down: (message, { command }) => [
      isObject(message.error) && command !== undefined && 'exec-oob' in command
        ? { ...message, error: { ...message.error, class: 'CommandNotFound' } }
        : message,
    ],
  },
  'package-of-another-client': {
    says: 'greets every other client with another package',
    down: (message, { client }) => {
      if (!isObject(message.QMP) || client % 2 === 1 || !isObject(message.QMP.version)) return [message];
      return [{ QMP: { ...message.QMP, version: { ...message.QMP.version, package: 'another' } } }];
    },
  },
  'capabilities-shuffled-later': {
    says: 'lists capabilities in another order when it is asked again',
    down: (message, { command, shared }) => {
      if (command?.execute !== 'query-migrate-capabilities' || !Array.isArray(message.return)) return [message];
      const again = shared.has('listed');
      shared.set('listed', true);
      return again ? [{ ...message, return: [...message.return].reverse() }] : [message];
    },
  },
  'schema-changes': {
    says: 'leaves the last entity out of its schema when it is asked again',
    down: (message, { command, shared }) => {
      if (command?.execute !== 'query-qmp-schema' || !Array.isArray(message.return)) return [message];
      const again = shared.has('schema');
      shared.set('schema', true);
      return again ? [{ ...message, return: message.return.slice(0, -1) }] : [message];
    },
  },
  'cancel-answered-and-completed': {
    says: 'announces the end of a cancel as the end of a migration',
    down: (message) => [statusOf(message) === 'cancelled' ? { ...message, data: { status: 'completed' } } : message],
  },
  'device-skipped-at-the-end': {
    says: 'announces status device only where it pauses before it',
    down: (message, { shared, incoming }) => {
      const one = statusOf(message);
      if (one === 'setup') shared.delete('pause');
      if (one === 'pre-switchover') shared.set('pause', true);
      return one === 'device' && !incoming && !shared.has('pause') ? [] : [message];
    },
  },
} satisfies Record<string, Lie>;
