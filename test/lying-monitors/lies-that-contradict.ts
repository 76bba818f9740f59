/** Lies in which what a monitor says contradicts what it said or did elsewhere, or which it tells only at its second try. */
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { argumentsOf, descOf, returned, status, statusOf, success } from './ask.js';
import { byteAt } from './changes.js';
import { type Lie, type StreamChange, type Talk, without } from './lie.js';

type Down = NonNullable<Lie['down']>;

/** How often this has happened to the process, this time counted. */
function count({ shared }: Talk, what: string): number {
  const times = ((shared.get(what) as number | undefined) ?? 0) + 1;
  shared.set(what, times);
  return times;
}
const named = (message: JsonObject, name: string): boolean => message.event === name;
const isReply = (message: JsonObject): boolean => 'return' in message || 'error' in message;
/** The status that the process last announced. */
const announced = (message: JsonObject, { shared }: Talk): unknown => {
  const now = statusOf(message);
  if (now !== undefined) shared.set('announced', now);
  return shared.get('announced');
};
/** Changes what is shown of the cache of a migration for which more than one thing was switched on. */
const cacheAmongMany =
  (change: (cache: JsonObject) => JsonObject): Down =>
  (message, talk) => {
    if (/"capability":"(?!xbzrle|events)/.test(JSON.stringify(talk.command ?? ''))) talk.shared.set('many', true);
    if (talk.shared.get('many') !== true) return [message];
    return status((info) =>
      isObject(info['xbzrle-cache']) ? { ...info, 'xbzrle-cache': change(info['xbzrle-cache']) } : info,
    )(message, talk);
  };
const while_ =
  (statuses: readonly string[], lie: Down): Down =>
  (message, talk) =>
    statuses.includes(String(announced(message, talk))) && !talk.incoming ? lie(message, talk) : [message];
const ofSecond =
  (change: (message: JsonObject) => readonly JsonObject[]): Down =>
  (message, { monitor }) =>
    monitor === 1 ? change(message) : [message];
const parameter = (name: string, change: (value: JsonValue) => JsonValue): Down =>
  returned('query-migrate-parameters', (all: JsonObject) =>
    name in all ? { ...all, [name]: change(all[name] as JsonValue) } : all,
  );
/** Keeps a command from the monitor and answers it with success. */
const swallowed =
  (when: (command: JsonObject, talk: Talk) => boolean): NonNullable<Lie['up']> =>
  (command, talk) => {
    if (!when(command, talk)) return command;
    talk.say(success(command));
    return undefined;
  };
const noted: Down = (message, talk) => {
  announced(message, talk);
  return [message];
};
const state = (from: string, to: JsonObject): Down =>
  returned('query-status', (shown: JsonObject) => (shown.status === from ? { ...shown, ...to } : shown));

/** Changes a byte once so many have passed. */
const lateByte = (at: number): (() => StreamChange) => byteAt(at, (byte) => byte ^ 0x10);

export const contradictions = {
  'running-contradicts-status': {
    says: 'runs and is paused',
    down: state('paused', { running: true }),
  },
  'stopped-contradicts-status': {
    says: 'is running and does not run',
    down: state('running', { running: false }),
  },
  'finish-migrate-as-paused': {
    says: 'shows the switch-over as a pause',
    down: state('finish-migrate', { status: 'paused' }),
  },
  'prelaunch-as-paused': {
    says: 'shows a guest that has not run yet as paused',
    down: state('prelaunch', { status: 'paused' }),
  },
  'inmigrate-as-paused': { says: 'shows a guest that waits as paused', down: state('inmigrate', { status: 'paused' }) },
  'migration-of-the-first-monitor': {
    says: 'shows a migration on its first monitor only',
    down: (message, talk) => (talk.monitor === 1 ? returned('query-migrate', () => ({}))(message, talk) : [message]),
  },
  'capabilities-of-the-first-monitor': {
    says: 'takes capabilities on its first monitor only',
    up: swallowed(({ execute }, { monitor }) => monitor === 1 && execute === 'migrate-set-capabilities'),
  },
  'parameters-of-the-first-monitor': {
    says: 'takes parameters on its first monitor only',
    up: swallowed(({ execute }, { monitor }) => monitor === 1 && execute === 'migrate-set-parameters'),
  },
  'stop-of-the-first-monitor': {
    says: 'stops on its first monitor only',
    up: swallowed(({ execute }, { monitor }) => monitor === 1 && execute === 'stop'),
  },
  'cancel-of-the-first-monitor': {
    says: 'cancels on its first monitor only',
    up: swallowed(({ execute }, { monitor }) => monitor === 1 && execute === 'migrate_cancel'),
  },
  'second-monitor-twice': {
    says: 'tells its second monitor each event twice',
    down: ofSecond((message) => ('event' in message ? [message, message] : [message])),
  },
  'second-monitor-without-stops': {
    says: 'does not tell its second monitor of stops',
    down: ofSecond((message) => (named(message, 'STOP') ? [] : [message])),
  },
  'second-parameters-lost': {
    says: 'takes the same parameters once',
    up: swallowed((command, talk) => {
      if (command.execute !== 'migrate-set-parameters') return false;
      const [name] = Object.keys(argumentsOf(command));
      return count(talk, `set ${name}`) === 2;
    }),
  },
  'second-stop-lost': {
    says: 'stops once',
    up: swallowed((command, talk) => command.execute === 'stop' && count(talk, 'stops') === 2),
  },
  'second-capability-lost': {
    says: 'takes capabilities three times',
    up: swallowed((command, talk) => command.execute === 'migrate-set-capabilities' && count(talk, 'sets') === 4),
  },
  'second-unexpected-accepted': {
    says: 'minds an unexpected argument once',
    down: (message, talk) =>
      'error' in message && descOf(message).includes('unexpected') && count(talk, 'unexpected') > 1
        ? [success(message)]
        : [message],
  },
  'second-setup-lost': {
    says: 'announces its first migration only',
    down: (message, talk) => (statusOf(message) === 'setup' && count(talk, 'setups') > 1 ? [] : [message]),
  },
  'second-completed-lost': {
    says: 'announces once that a migration has completed',
    down: (message, talk) => (statusOf(message) === 'completed' && count(talk, 'ends') > 1 ? [] : [message]),
  },
  'second-cancelled-as-failed': {
    says: 'shows its second cancelled migration as failed',
    down: (message, talk) => {
      const times = statusOf(message) === 'cancelled' ? count(talk, 'cancels') : (talk.shared.get('cancels') ?? 0);
      return times === 2 ? status((value) => ({ ...value, status: 'failed' }))(message, talk) : [message];
    },
  },
  'second-pass-lost': {
    says: 'does not announce the second pass',
    down: (message) =>
      named(message, 'MIGRATION_PASS') && isObject(message.data) && message.data.pass === 2 ? [] : [message],
  },
  'tenth-event-lost': {
    says: 'loses the tenth event',
    down: (message, talk) => ('event' in message && count(talk, 'events') === 10 ? [] : [message]),
  },
  'hundredth-reply-lost': {
    says: 'loses the hundredth reply',
    down: (message, talk) => (isReply(message) && count(talk, 'replies') === 100 ? [] : [message]),
  },
  'id-lost-after-an-error': {
    says: 'forgets the id of the command after one that it refused',
    down: (message, { memory }) => {
      if (!isReply(message)) return [message];
      const after = memory.get('refused') === true;
      memory.set('refused', 'error' in message);
      return [after ? without(message, 'id') : message];
    },
  },
  'events-lost-in-bursts': {
    says: 'tells no events while commands wait',
    down: (message, { waiting }) => ('event' in message && waiting > 1 ? [] : [message]),
  },
  'resume-stamped-before-its-stop': {
    says: 'stamps each RESUME a minute early',
    down: (message) =>
      named(message, 'RESUME') && isObject(message.timestamp)
        ? [{ ...message, timestamp: { ...message.timestamp, seconds: Number(message.timestamp.seconds) - 60 } }]
        : [message],
  },
  'migrate-refused-once-started': {
    says: 'refuses a migrate that it begins',
    down: (message, { command }) =>
      command?.execute === 'migrate' && 'return' in message
        ? [{ error: { class: 'GenericError', desc: 'no' }, ...(message.id === undefined ? {} : { id: message.id }) }]
        : [message],
  },
  'cancel-unfelt-in-pre-switchover': {
    says: 'does not hear a cancel while it pauses',
    up: swallowed(
      ({ execute }, { shared }) => execute === 'migrate_cancel' && shared.get('announced') === 'pre-switchover',
    ),
    down: noted,
  },
  'stop-unfelt-in-active': {
    says: 'does not stop while it migrates',
    up: swallowed(({ execute }, { shared }) => execute === 'stop' && shared.get('announced') === 'active'),
    down: noted,
  },
  'bandwidth-unfelt-in-active': {
    says: 'takes no other bandwidth while it migrates',
    up: swallowed(
      ({ execute }, { shared }) => execute === 'migrate-set-parameters' && shared.get('announced') === 'active',
    ),
    down: noted,
  },
  'cont-unfelt-after-the-end': {
    says: 'does not run again after a migration',
    up: swallowed(({ execute }, { shared }) => execute === 'cont' && shared.get('announced') === 'completed'),
    down: noted,
  },
  'capabilities-shown-off-in-active': {
    says: 'shows all capabilities as off while it migrates',
    down: while_(
      ['active', 'pre-switchover'],
      returned('query-migrate-capabilities', (all: JsonValue) =>
        Array.isArray(all) ? all.map((one) => (isObject(one) ? { ...one, state: false } : one)) : all,
      ),
    ),
  },
  'bandwidth-rounded': {
    says: 'shows a bandwidth in whole KiB',
    down: parameter('max-bandwidth', (value) => (BigInt(value as number) / 1024n) * 1024n),
  },
  'downtime-in-tens': {
    says: 'shows a downtime in tens of milliseconds',
    down: parameter('downtime-limit', (value) => Math.floor(Number(value) / 10) * 10),
  },
  'hostname-in-small-letters': {
    says: 'shows host names in small letters',
    down: parameter('tls-hostname', (value) => String(value).toLowerCase()),
  },
  'throttle-at-most-90': {
    says: 'shows no limit of the throttle above 90',
    down: parameter('max-cpu-throttle', (value) => Math.min(90, Number(value))),
  },
  'address-lost-in-postcopy': {
    says: 'does not show in postcopy where it is loaded from',
    down: (message, talk) =>
      talk.incoming && String(announced(message, talk)).startsWith('postcopy-')
        ? status((value) => without(value, 'socket-address'))(message, talk)
        : [message],
  },
  'info-lags-behind-events': {
    says: 'shows the status before the one that it has announced',
    down: (message, talk) => {
      const { shared } = talk;
      const before = shared.get('announced');
      const now = announced(message, talk);
      if (now !== before) shared.set('before', before);
      const shown = shared.get('before');
      return typeof shown === 'string' && !talk.incoming
        ? status((value) => (value.status === now ? { ...value, status: shown } : value))(message, talk)
        : [message];
    },
  },
  'schema-status-missing': {
    says: 'leaves postcopy-recover out of its schema',
    down: returned('query-qmp-schema', (entities: JsonValue) => {
      const text = JSON.stringify(entities, (_, value) => (typeof value === 'bigint' ? Number(value) : value));
      return JSON.parse(text.replaceAll('"postcopy-recover",', '').replaceAll('{"name":"postcopy-recover"},', ''));
    }),
  },
  'schema-event-missing': {
    says: 'leaves MIGRATION_PASS out of its schema',
    down: returned('query-qmp-schema', (entities: JsonValue) =>
      Array.isArray(entities) ? entities.filter((one) => !isObject(one) || one.name !== 'MIGRATION_PASS') : entities,
    ),
  },
  'page-damaged-late': { says: 'damages a page late in the stream', stream: lateByte(6_000_000) },
  'page-damaged-on-arrival': { says: 'loads a page late in the stream damaged', arriving: lateByte(6_000_000) },
  'recovery-told-to-one': {
    says: 'shows to its second monitor a recovery as not begun',
    down: (message, talk) =>
      talk.monitor === 0
        ? [message]
        : status((info) => (info.status === 'postcopy-recover' ? { ...info, status: 'postcopy-paused' } : info))(
            message,
            talk,
          ),
  },
  'cache-size-among-many': {
    says: 'shows another size of its cache where all capabilities are on',
    down: cacheAmongMany((cache) => ({ ...cache, 'cache-size': Number(cache['cache-size']) + 4096 })),
  },
  'deltas-among-many': {
    says: 'counts a delta that it did not send where all capabilities are on',
    down: cacheAmongMany((cache) => ({ ...cache, pages: 1, bytes: 8 })),
  },
  'yank-forgets-migration': {
    says: 'leaves the migration out of what can be yanked',
    down: returned('query-yank', () => []),
  },
  'described-as-shorter': {
    says: 'describes words of its devices as half as long',
    stream: () => (chunk) =>
      chunk.includes('"uint32"')
        ? Buffer.from(chunk.toString('latin1').replaceAll('"uint32"', '"uint16"'), 'latin1')
        : chunk,
  },
  'described-otherwise': {
    says: 'describes words of its devices as something else',
    stream: () => (chunk) =>
      chunk.includes('"uint32"')
        ? Buffer.from(chunk.toString('latin1').replaceAll('"uint32"', '"string"'), 'latin1')
        : chunk,
  },
} satisfies Record<string, Lie>;
