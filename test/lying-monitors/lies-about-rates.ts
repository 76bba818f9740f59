import { isObject, type JsonObject } from '../../protocol/json.js';
import { ram, returned, status, statusOf } from './ask.js';
import { type Lie, spaced, without } from './lie.js';

const number = (value: JsonObject, name: string): number => Number(value[name] ?? 0);
const goesOn = ({ status }: JsonObject): boolean => status === 'active';
const scaled = (name: string, factor: number) =>
  ram((value, all) =>
    goesOn(all) && name in value ? { ...value, [name]: Math.floor(number(value, name) * factor) } : value,
  );
const doubledOfCache = (name: string) =>
  status((value) => {
    const cache = value['xbzrle-cache'];
    return isObject(cache) && name in cache
      ? { ...value, 'xbzrle-cache': { ...cache, [name]: 2 * number(cache, name) } }
      : value;
  });
const singlestep = returned<JsonObject>('query-status', (value) =>
  'singlestep' in value ? { ...value, singlestep: true } : value,
);

/** What is only seen over a time, or in one place among many. */
export const aboutRates = {
  'mbps-in-bytes-while-active': { says: 'tells megabytes a second while it is active', down: scaled('mbps', 1 / 8) },
  'mbps-nothing-while-active': { says: 'tells no speed while it is active', down: scaled('mbps', 0) },
  'mbps-doubled-while-active': { says: 'tells twice its speed while it is active', down: scaled('mbps', 2) },
  'pages-per-second-doubled': { says: 'tells twice the pages a second', down: scaled('pages-per-second', 2) },
  'pages-per-second-nothing': { says: 'tells no pages a second', down: scaled('pages-per-second', 0) },
  'pages-per-second-one-less': {
    says: 'tells one page a second less',
    down: ram((value) =>
      number(value, 'pages-per-second') > 0
        ? { ...value, 'pages-per-second': number(value, 'pages-per-second') - 1 }
        : value,
    ),
  },
  'cache-miss-rate-doubled': { says: 'tells twice the rate of cache misses', down: doubledOfCache('cache-miss-rate') },
  'encoding-rate-doubled': { says: 'tells twice the rate of encoding', down: doubledOfCache('encoding-rate') },
  'dirty-rate-from-the-start': {
    says: 'has dirty pages a second before it has looked for any twice',
    down: ram((value, all) => (goesOn(all) ? { ...value, 'dirty-pages-rate': 200 } : value)),
  },
  'downtime-expected-in-seconds': {
    says: 'tells seconds of the downtime that it expects, once it waits for the switch-over',
    down: status((value) =>
      value.status === 'pre-switchover' && 'expected-downtime' in value ? { ...value, 'expected-downtime': 0 } : value,
    ),
  },
  'parts-uncounted': {
    says: 'counts in no part what is sent while the guest stands',
    down: ram((value) => ('downtime-bytes' in value ? { ...value, 'downtime-bytes': 0 } : value)),
  },
  'members-twice': {
    says: 'writes what it returns twice into one reply',
    down: (message) => [
      'return' in message ? Buffer.from(`{"return": ${spaced(message.return)}, ${spaced(message).slice(1)}`) : message,
    ],
  },
  'event-names-twice': {
    says: 'writes the name of an event twice into it',
    down: (message) => [
      'event' in message ? Buffer.from(`{"event": ${spaced(message.event)}, ${spaced(message).slice(1)}`) : message,
    ],
  },
  'steps-singly-at-the-destination': {
    says: 'tells of single steps at the destination',
    down: (message, talk) => (talk.incoming ? singlestep(message, talk) : [message]),
  },
  'steps-singly-once-it-migrated': {
    says: 'tells of single steps once it was told to migrate',
    down: (message, talk) => {
      if (talk.command?.execute === 'migrate') talk.shared.set('told', true);
      return talk.shared.has('told') ? singlestep(message, talk) : [message];
    },
  },
  'error-lost-once-active': {
    says: 'does not say why a migration failed that had begun to send',
    down: (message, talk) => {
      if (statusOf(message) === 'setup') talk.shared.delete('began');
      if (statusOf(message) === 'active') talk.shared.set('began', true);
      return status((value) => (talk.shared.has('began') && isObject(value) ? without(value, 'error-desc') : value))(
        message,
        talk,
      );
    },
  },
  'migrations-at-whole-seconds': {
    says: 'stamps the events of a migration alone with whole seconds',
    down: (message) => [
      message.event === 'MIGRATION' && isObject(message.timestamp)
        ? { ...message, timestamp: { ...message.timestamp, microseconds: 0 } }
        : message,
    ],
  },
  'socket-address-twice': {
    says: 'tells twice where it listens',
    down: status((value) => {
      const told = value['socket-address'];
      return Array.isArray(told) ? { ...value, 'socket-address': [...told, ...told] } : value;
    }),
  },
  'bitmap-mapping-reversed': {
    says: 'shows a mapping of bitmaps in another order',
    down: returned<JsonObject>('query-migrate-parameters', (value) => {
      const mapping = value['block-bitmap-mapping'];
      return Array.isArray(mapping) ? { ...value, 'block-bitmap-mapping': [...mapping].reverse() } : value;
    }),
  },
  'figures-once-failed': {
    says: 'shows the figures of a migration that has failed',
    down: (message, talk) =>
      status((value) => {
        if (goesOn(value)) talk.shared.set('figures', value.ram);
        const figures = talk.shared.get('figures') as JsonObject | undefined;
        return value.status === 'failed' && figures !== undefined ? { ...value, ram: figures } : value;
      })(message, talk),
  },
  'ids-in-small-letters': {
    says: 'writes the names of members of an id in small letters',
    down: (message) => [
      isObject(message.id)
        ? { ...message, id: Object.fromEntries(Object.entries(message.id).map(([n, v]) => [n.toLowerCase(), v])) }
        : message,
    ],
  },
  'ids-without-null': {
    says: 'leaves out members of an id that are null',
    down: (message) => [
      isObject(message.id)
        ? { ...message, id: Object.fromEntries(Object.entries(message.id).filter(([, v]) => v !== null)) }
        : message,
    ],
  },
} satisfies Record<string, Lie>;
