import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { ram, returned, status } from './ask.js';
import { type Lie, without } from './lie.js';

const number = (value: JsonObject, name: string): number => Number(value[name] ?? 0);
const times = (name: string, factor: number): NonNullable<Lie['down']> =>
  ram((value) => (name in value ? { ...value, [name]: Math.round(number(value, name) * factor) } : value));
const plus = (name: string, more: number): NonNullable<Lie['down']> =>
  ram((value) => (name in value ? { ...value, [name]: number(value, name) + more } : value));
const pages = (factor: number): NonNullable<Lie['down']> =>
  ram((value) => ({
    ...value,
    normal: number(value, 'normal') * factor,
    'normal-bytes': number(value, 'normal-bytes') * factor,
  }));
const within = (name: string, change: (value: JsonObject) => JsonObject): NonNullable<Lie['down']> =>
  status((value) => {
    const part = value[name];
    return isObject(part) ? { ...value, [name]: change(part) } : value;
  });
const cache = (name: string, change: (value: number) => JsonValue): NonNullable<Lie['down']> =>
  within('xbzrle-cache', (value) => ({ ...value, [name]: change(number(value, name)) }));
const completed = ({ status: one }: JsonObject): boolean => one === 'completed';
const active = ({ status: one }: JsonObject): boolean => one === 'active';
const states = (change: (value: JsonObject) => JsonObject) => returned('query-status', change);
/** Shows for ever what it showed first. */
const frozen =
  (name: string): NonNullable<Lie['down']> =>
  (message, talk) =>
    ram((value) => {
      const first = talk.shared.get(name) ?? value[name];
      if (first === undefined) return value;
      talk.shared.set(name, first);
      return { ...value, [name]: first as JsonValue };
    })(message, talk);

export const aboutAmounts = {
  'transferred-tenfold': { says: 'has transferred ten times as much as it has', down: times('transferred', 10) },
  'transferred-in-kilobytes': { says: 'tells kilobytes that were transferred', down: times('transferred', 1 / 1024) },
  'transferred-by-half': { says: 'has transferred half of what it has', down: times('transferred', 0.5) },
  'remaining-in-pages': { says: 'tells pages that remain', down: times('remaining', 1 / 4096) },
  'remaining-halved': {
    says: 'tells half of the pages that remain',
    down: ram((value) => ({ ...value, remaining: Math.floor(number(value, 'remaining') / 8192) * 4096 })),
  },
  'total-without-downtime': {
    says: 'takes the downtime off the time of all',
    down: status((value) =>
      'downtime' in value
        ? { ...value, 'total-time': Math.max(0, number(value, 'total-time') - number(value, 'downtime')) }
        : value,
    ),
  },
  'compression-lost': {
    says: 'does not tell of what it compresses',
    alone: true,
    down: status((value) => without(value, 'compression')),
  },
  'remaining-frozen': { says: 'shows for ever what remained first', down: frozen('remaining') },
  'total-doubled': { says: 'has twice the RAM', down: times('total', 2) },
  'duplicate-doubled': { says: 'counts each page of zeros twice', down: times('duplicate', 2) },
  'duplicate-halved': { says: 'counts every other page of zeros', down: times('duplicate', 0.5) },
  'normal-doubled': { says: 'counts each page twice', down: pages(2) },
  'normal-nothing': { says: 'counts no page', down: pages(0) },
  'page-size-doubled': {
    says: 'tells pages of 8 KiB',
    down: ram((value) => ({ ...value, 'page-size': 8192, 'normal-bytes': 2 * number(value, 'normal-bytes') })),
  },
  'dirty-syncs-plus-one': {
    says: 'has looked for dirty pages once more than it has',
    down: plus('dirty-sync-count', 1),
  },
  'dirty-rate-at-the-end': {
    says: 'has dirty pages a second when it has completed',
    down: ram((value, all) => (completed(all) ? { ...value, 'dirty-pages-rate': 17 } : value)),
  },
  'mbps-doubled': { says: 'tells twice its speed', down: times('mbps', 2) },
  'mbps-negative': { says: 'tells a negative speed', down: ram((value) => ({ ...value, mbps: -1 })) },
  'postcopy-requests-uncounted': { says: 'counts no request of its destination', down: times('postcopy-requests', 0) },
  'multifd-bytes-uncounted': { says: 'counts no bytes of multifd channels', down: times('multifd-bytes', 0) },
  'multifd-bytes-above-all': {
    says: 'counts more bytes of multifd channels than of all',
    down: ram((value) =>
      number(value, 'multifd-bytes') > 0 ? { ...value, 'multifd-bytes': number(value, 'transferred') + 4096 } : value,
    ),
  },
  'precopy-bytes-nothing': { says: 'counts no bytes of precopy', down: times('precopy-bytes', 0) },
  'downtime-bytes-invented': {
    says: 'counts more bytes of the downtime than there are',
    down: plus('downtime-bytes', 1e9),
  },
  'postcopy-bytes-invented': {
    says: 'counts bytes of postcopy where there was none',
    down: ram((value, all) =>
      completed(all) && 'postcopy-bytes' in value ? { ...value, 'postcopy-bytes': 4096 } : value,
    ),
  },
  'pages-per-second-negative': {
    says: 'sends less than no pages a second',
    down: ram((value) => ('pages-per-second' in value ? { ...value, 'pages-per-second': -5 } : value)),
  },
  'figures-of-the-first-migration': {
    says: 'goes on counting in its next migration',
    down: (message, talk) => {
      const { shared, command } = talk;
      if (command?.execute === 'migrate' && 'return' in message) shared.set('before', shared.get('now') ?? 0);
      return ram((value) => {
        shared.set('now', number(value, 'duplicate'));
        return { ...value, duplicate: number(value, 'duplicate') + Number(shared.get('before') ?? 0) };
      })(message, talk);
    },
  },
  'cache-size-fixed': { says: 'shows 64 MiB of cache for ever', down: cache('cache-size', () => 67_108_864) },
  'cache-pages-nothing': { says: 'has sent no page encoded', down: cache('pages', () => 0) },
  'cache-bytes-nothing': { says: 'has sent no byte encoded', down: cache('bytes', () => 0) },
  'cache-bytes-tenfold': { says: 'has sent ten times the bytes encoded', down: cache('bytes', (one) => 10 * one) },
  'cache-pages-doubled': { says: 'counts each encoded page twice', down: cache('pages', (one) => 2 * one) },
  'cache-misses-nothing': { says: 'misses no page in its cache', down: cache('cache-miss', () => 0) },
  'cache-misses-negative': { says: 'misses less than no page', down: cache('cache-miss', () => -1) },
  'cache-miss-rate-percent': {
    says: 'tells misses in per cent',
    down: cache('cache-miss-rate', (one) => 100 * one + 101),
  },
  'cache-overflow-invented': { says: 'has pages that did not fit', down: cache('overflow', (one) => one + 5) },
  'cache-member-lost': {
    says: 'does not show pages that did not fit',
    down: within('xbzrle-cache', (value) => without(value, 'overflow')),
  },
  'throttle-above-its-limit': {
    says: 'throttles by 100 per cent',
    alone: true,
    down: status((value) =>
      'cpu-throttle-percentage' in value ? { ...value, 'cpu-throttle-percentage': 100 } : value,
    ),
  },
  'throttle-unshown': {
    says: 'does not show how much it throttles',
    alone: true,
    down: status((value) => without(value, 'cpu-throttle-percentage')),
  },
  'expected-downtime-missing': {
    says: 'does not tell the downtime that it expects',
    down: status((value) => without(value, 'expected-downtime')),
  },
  'expected-downtime-negative': {
    says: 'expects a downtime below nothing',
    down: status((value) => ('expected-downtime' in value ? { ...value, 'expected-downtime': -1 } : value)),
  },
  'downtime-while-active': {
    says: 'tells a downtime while the guest runs',
    down: status((value) => (active(value) ? { ...value, downtime: 5 } : value)),
  },
  'total-time-nothing': {
    says: 'tells no time at all',
    down: status((value) => ('total-time' in value ? { ...value, 'total-time': 0 } : value)),
  },
  'total-time-doubled': {
    says: 'tells twice the time',
    down: status((value) =>
      'total-time' in value ? { ...value, 'total-time': 2 * number(value, 'total-time') } : value,
    ),
  },
  'setup-time-growing': {
    says: 'tells a time for the set-up that grows',
    down: (message, { shared, ...talk }) =>
      status((value) => {
        if (!('setup-time' in value)) return value;
        const more = Number(shared.get('more') ?? 0) + 1;
        shared.set('more', more);
        return { ...value, 'setup-time': number(value, 'setup-time') + more };
      })(message, { shared, ...talk }),
  },
  'error-of-before-kept': {
    says: 'tells the error of the failure before when it has completed',
    down: (message, talk) =>
      status((value) => {
        if (typeof value['error-desc'] === 'string') talk.shared.set('error', value['error-desc']);
        const kept = talk.shared.get('error') as JsonValue | undefined;
        return kept !== undefined && completed(value) ? { ...value, 'error-desc': kept } : value;
      })(message, talk),
  },
  'error-empty': {
    says: 'describes errors with nothing',
    down: status((value) => ('error-desc' in value ? { ...value, 'error-desc': '' } : value)),
  },
  'migration-member-more': {
    says: 'shows a member of a migration that its schema does not have',
    down: status((value) => ('status' in value ? { ...value, 'qmpspec-unknown': 1 } : value)),
  },
  'migration-status-lost': {
    says: 'does not show the status of a migration that has ended',
    down: status((value) => (completed(value) ? without(value, 'status') : value)),
  },
  'blocktime-missing': {
    says: 'does not show how long postcopy blocked',
    down: status((value) => without(value, 'postcopy-blocktime')),
  },
  'socket-address-wrong': {
    says: 'tells another place than it listens at',
    down: status((value) =>
      Array.isArray(value['socket-address'])
        ? { ...value, 'socket-address': [{ type: 'unix', path: '/nowhere' }] }
        : value,
    ),
  },
  'socket-address-missing': {
    says: 'does not tell where it listens',
    down: status((value) => without(value, 'socket-address')),
  },
  'state-paused-as-running': {
    says: 'shows a stopped guest as running',
    down: states((value) => (value.status === 'paused' ? { ...value, status: 'running', running: true } : value)),
  },
  'state-postmigrate-as-running': {
    says: 'shows a source that has migrated as running',
    down: states((value) => (value.status === 'postmigrate' ? { ...value, running: true } : value)),
  },
  'state-invented': {
    says: 'has a run state of its own',
    down: states((value) => (value.status === 'paused' ? { ...value, status: 'stopped' } : value)),
  },
  'state-member-more': {
    says: 'shows more of its run state than its schema has',
    down: states((value) => ({ ...value, since: 1 })),
  },
  'commands-twice': {
    says: 'lists a command twice',
    down: returned<readonly JsonObject[]>('query-commands', (list) => [...list, list[0] as JsonObject]),
  },
  'commands-with-more': {
    says: 'lists more than the names of commands',
    down: returned<readonly JsonObject[]>('query-commands', (list) => list.map((one) => ({ ...one, oob: false }))),
  },
  'schema-without-oob': {
    says: 'does not tell in its schema what it takes out of band',
    down: returned<readonly JsonObject[]>('query-qmp-schema', (list) => list.map((one) => without(one, 'allow-oob'))),
  },
  'schema-optional-lost': {
    says: 'tells optional members as needed in its schema',
    down: returned<readonly JsonObject[]>('query-qmp-schema', (list) =>
      list.map((one) =>
        Array.isArray(one.members)
          ? { ...one, members: one.members.map((member) => (isObject(member) ? without(member, 'default') : member)) }
          : one,
      ),
    ),
  },
  'schema-dangling': {
    says: 'refers to a type that its schema does not have',
    down: returned<readonly JsonObject[]>('query-qmp-schema', (list) =>
      list.map((one) => (one.name === 'query-migrate' ? { ...one, 'ret-type': '99999' } : one)),
    ),
  },
  'parameters-short': {
    says: 'shows only parameters that were set',
    down: returned<JsonObject>('query-migrate-parameters', (value) => ({
      'max-bandwidth': value['max-bandwidth'] ?? 0,
      'downtime-limit': value['downtime-limit'] ?? 0,
    })),
  },
  'parameters-signed': {
    says: 'shows big values of parameters as negative ones',
    down: returned<JsonObject>('query-migrate-parameters', (value) =>
      Object.fromEntries(
        Object.entries(value).map(([name, one]) => [
          name,
          typeof one === 'bigint' && one > 0x7fff_ffff_ffff_ffffn ? one - 2n ** 64n : one,
        ]),
      ),
    ),
  },
} satisfies Record<string, Lie>;
