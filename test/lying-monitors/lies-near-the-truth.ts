/** Figures and settings that are nearly right. */
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { argumentsOf, ram, returned, status, statusOf } from './ask.js';
import type { Lie } from './lie.js';

type Down = NonNullable<Lie['down']>;

const number = (value: JsonObject, name: string): number => Number(value[name] ?? 0);
const times = (name: string, factor: number, when: (all: JsonObject) => boolean = () => true): Down =>
  ram((value, all) => (name in value && when(all) ? { ...value, [name]: number(value, name) * factor } : value));
const floored = (name: string, factor: number): Down =>
  ram((value) => (name in value ? { ...value, [name]: Math.floor(number(value, name) * factor) } : value));
const plus = (name: string, more: number): Down =>
  status((value) => (name in value ? { ...value, [name]: Math.max(0, number(value, name) + more) } : value));
const is =
  (...statuses: readonly string[]) =>
  ({ status: one }: JsonObject): boolean =>
    statuses.includes(String(one));
const completed = is('completed');
const active = is('active');
const compressed = (change: (value: JsonObject) => JsonObject): Down =>
  status((value) => (isObject(value.compression) ? { ...value, compression: change(value.compression) } : value));

/** What the monitor gets in the place of a parameter that was set; what was set is shown. */
function instead(name: string, change: (value: number) => number): Pick<Lie, 'up' | 'down'> {
  return {
    up: (command, { shared }) => {
      const value = argumentsOf(command)[name];
      if (command.execute !== 'migrate-set-parameters' || typeof value !== 'number') return command;
      shared.set(`set ${name}`, value);
      return { ...command, arguments: { ...argumentsOf(command), [name]: change(value) } };
    },
    down: (message, { command, shared }) => {
      const set = shared.get(`set ${name}`) as JsonValue | undefined;
      if (command?.execute !== 'query-migrate-parameters' || set === undefined || !isObject(message.return))
        return [message];
      return [{ ...message, return: { ...message.return, [name]: set } }];
    },
  };
}
const shownAtMost = (name: string, most: number): Down =>
  returned<JsonObject>('query-migrate-parameters', (value) =>
    name in value ? { ...value, [name]: Math.min(most, number(value, name)) } : value,
  );

export const nearTheTruth = {
  'setup-a-little-longer': { says: 'tells 5 ms more of set-up than there were', down: plus('setup-time', 5) },
  'blocktime-of-one-more': {
    says: 'tells the blocktime of a processor more than there are',
    down: status((value) => {
      const list = value['postcopy-vcpu-blocktime'];
      return Array.isArray(list) ? { ...value, 'postcopy-vcpu-blocktime': [...list, 0] } : value;
    }),
  },
  'compressed-a-tenth-less': {
    says: 'tells nine tenths of the bytes that it has compressed to',
    alone: true,
    down: compressed((value) => ({
      ...value,
      'compressed-size': Math.floor(number(value, 'compressed-size') * 0.9),
    })),
  },
  'compressed-pages-plus-one': {
    says: 'has compressed one page more than it has',
    alone: true,
    down: compressed((value) => ({ ...value, pages: number(value, 'pages') + 1 })),
  },
  'compression-rate-a-little-higher': {
    says: 'tells a rate of compression that is a twentieth too high',
    alone: true,
    down: compressed((value) => ({ ...value, 'compression-rate': number(value, 'compression-rate') * 1.05 })),
  },
  'mbps-a-little-higher': { says: 'tells 6 % more speed at the end', down: times('mbps', 1.06, completed) },
  'mbps-a-little-higher-while-active': { says: 'tells 6 % more speed while active', down: times('mbps', 1.06, active) },
  'pages-per-second-a-little-higher': {
    says: 'tells 6 % more pages a second',
    down: floored('pages-per-second', 1.06),
  },
  'throttle-one-less': {
    says: 'tells one per cent less of the throttle',
    alone: true,
    down: plus('cpu-throttle-percentage', -1),
  },
  'expected-downtime-halved': {
    says: 'expects half of the downtime',
    down: status((value) =>
      'expected-downtime' in value
        ? { ...value, 'expected-downtime': Math.floor(number(value, 'expected-downtime') / 2) }
        : value,
    ),
  },
  'total-time-seven-less': {
    says: 'tells 7 ms less of the time of all at the end',
    down: status((value) =>
      completed(value) ? { ...value, 'total-time': Math.max(0, number(value, 'total-time') - 7) } : value,
    ),
  },
  'transferred-eight-more': {
    says: 'has transferred 8 bytes more at the end',
    down: ram((value, all) => (completed(all) ? { ...value, transferred: number(value, 'transferred') + 8 } : value)),
  },
  'transferred-without-headers': {
    says: 'counts the bytes of pages only',
    down: ram((value) => ({
      ...value,
      transferred: Math.min(number(value, 'transferred'), number(value, 'normal-bytes')),
    })),
  },
  'parts-swapped': {
    says: 'takes the bytes of precopy for those of the downtime',
    down: ram((value) =>
      'precopy-bytes' in value && 'downtime-bytes' in value
        ? {
            ...value,
            'precopy-bytes': value['downtime-bytes'] as JsonValue,
            'downtime-bytes': value['precopy-bytes'] as JsonValue,
          }
        : value,
    ),
  },
  'one-zero-page-as-normal': {
    says: 'takes one page of zeros for a normal one in its statistics',
    down: ram((value) =>
      number(value, 'duplicate') > 0
        ? {
            ...value,
            duplicate: number(value, 'duplicate') - 1,
            normal: number(value, 'normal') + 1,
            'normal-bytes': number(value, 'normal-bytes') + 4096,
          }
        : value,
    ),
  },
  'dirty-syncs-minus-one-in-active': {
    says: 'has looked for dirty pages once less while it is active',
    down: ram((value, all) =>
      active(all) ? { ...value, 'dirty-sync-count': Math.max(0, number(value, 'dirty-sync-count') - 1) } : value,
    ),
  },
  'zero-copy-missed': {
    says: 'counts a try of zero copy where there was none',
    down: ram((value) =>
      'dirty-sync-missed-zero-copy' in value ? { ...value, 'dirty-sync-missed-zero-copy': 1 } : value,
    ),
  },
  'postcopy-requests-plus-one': {
    says: 'counts one request too many',
    down: ram((value) =>
      number(value, 'postcopy-requests') > 0
        ? { ...value, 'postcopy-requests': number(value, 'postcopy-requests') + 1 }
        : value,
    ),
  },
  'blocked-by-nothing': {
    says: 'tells that nothing blocks a migration with an empty list',
    down: status((value) => ({ ...value, 'blocked-reasons': [] })),
  },
  'blocked-and-not': {
    says: 'tells a reason that blocks, and migrates',
    down: status((value) => ({ ...value, 'blocked-reasons': ['no'] })),
  },
  'multifd-channels-one-less': {
    says: 'opens one data channel less than it was told',
    ...instead('multifd-channels', (value) => Math.max(1, value - 1)),
  },
  'bandwidth-of-twice': { says: 'sends twice as fast as it was told', ...instead('max-bandwidth', (one) => one * 2) },
  'downtime-of-tenfold': {
    says: 'takes ten times the downtime that it was told',
    ...instead('downtime-limit', (one) => Math.min(2_000_000, one * 10)),
  },
  'postcopy-bandwidth-of-tenfold': {
    says: 'sends ten times as fast in postcopy as it was told',
    ...instead('max-postcopy-bandwidth', (one) => one * 10),
  },
  'throttle-trigger-at-most-80': {
    says: 'shows no trigger of the throttle above 80',
    down: shownAtMost('throttle-trigger-threshold', 80),
  },
  'bandwidth-at-most-a-tebibyte': {
    says: 'shows no bandwidth above 1 TiB',
    down: shownAtMost('max-bandwidth', 2 ** 40),
  },
  'cache-at-most-a-gibibyte': {
    says: 'shows no cache above 1 GiB',
    down: shownAtMost('xbzrle-cache-size', 2 ** 30),
  },
  'hostname-cut': {
    says: 'shows 15 letters of a host name',
    down: returned<JsonObject>('query-migrate-parameters', (value) => ({
      ...value,
      ...(typeof value['tls-hostname'] === 'string' ? { 'tls-hostname': value['tls-hostname'].slice(0, 15) } : {}),
    })),
  },
  'put-back-and-forgotten': {
    says: 'shows once that downtime-limit was put back, and then what it was before',
    down: (message, { command, shared }) => {
      const set = argumentsOf(command)['downtime-limit'];
      if (command?.execute === 'migrate-set-parameters' && set !== undefined && 'return' in message) {
        if (set === 300 && shared.has('other')) shared.set('answers', 0);
        else {
          shared.set('other', set);
          shared.delete('answers');
        }
      }
      const answers = shared.get('answers') as number | undefined;
      if (command?.execute !== 'query-migrate-parameters' || answers === undefined || !isObject(message.return))
        return [message];
      shared.set('answers', answers + 1);
      return answers === 0
        ? [message]
        : [{ ...message, return: { ...message.return, 'downtime-limit': shared.get('other') as JsonValue } }];
    },
  },
  'bandwidth-decays': {
    says: 'forgets max-bandwidth when it was asked for it twice',
    down: (message, { command, shared }) => {
      const set = argumentsOf(command)['max-bandwidth'];
      if (command?.execute === 'migrate-set-parameters' && set !== undefined && 'return' in message)
        shared.set('asked', 0);
      const asked = shared.get('asked') as number | undefined;
      if (command?.execute !== 'query-migrate-parameters' || asked === undefined || !isObject(message.return))
        return [message];
      shared.set('asked', asked + 1);
      return asked < 2 ? [message] : [{ ...message, return: { ...message.return, 'max-bandwidth': 134_217_728 } }];
    },
  },
  'figures-of-a-cancel': {
    says: 'shows the figures of a cancelled migration',
    down: (message, talk) =>
      status((value) => {
        if (active(value)) talk.shared.set('figures', value.ram);
        const figures = talk.shared.get('figures') as JsonValue | undefined;
        return value.status === 'cancelled' && figures !== undefined ? { ...value, ram: figures } : value;
      })(message, talk),
  },
  'destination-active-for-ever': {
    says: 'shows a completed load as active',
    down: (message, talk) =>
      talk.incoming
        ? status((value) => (completed(value) ? { ...value, status: 'active' } : value))(message, talk)
        : [message],
  },
  'destination-postmigrate': {
    says: 'shows a paused guest that has arrived as one that has left',
    down: (message, talk) => {
      if (talk.incoming && statusOf(message) === 'completed') talk.shared.set('arrived', true);
      return talk.shared.has('arrived')
        ? returned<JsonObject>('query-status', (value) =>
            value.status === 'paused' ? { ...value, status: 'postmigrate' } : value,
          )(message, talk)
        : [message];
    },
  },
  'destination-of-running-shown-paused': {
    says: 'shows a guest that has arrived and runs as paused',
    down: (message, talk) => {
      if (talk.incoming && statusOf(message) === 'completed') talk.shared.set('arrived', true);
      return talk.shared.has('arrived')
        ? returned<JsonObject>('query-status', (value) =>
            value.status === 'running' ? { ...value, status: 'paused', running: false } : value,
          )(message, talk)
        : [message];
    },
  },
} satisfies Record<string, Lie>;
