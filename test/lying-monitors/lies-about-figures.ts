import { isObject, type JsonObject } from '../../protocol/json.js';
import { ram, status } from './ask.js';
import { type Lie, without } from './lie.js';

const number = (value: JsonObject, name: string): number => Number(value[name] ?? 0);
const times = (name: string, factor: number) =>
  status((value) => (name in value ? { ...value, [name]: Math.round(number(value, name) * factor) } : value));
const ended = ({ status }: JsonObject): boolean => status === 'completed';

export const aboutFigures = {
  'transferred-frozen': {
    says: 'shows for ever how much it had transferred when it was asked first',
    down: (message, talk) =>
      ram((value) => {
        const first = talk.shared.get('transferred') ?? value.transferred ?? 0;
        talk.shared.set('transferred', first);
        return { ...value, transferred: first as number };
      })(message, talk),
  },
  'transferred-backwards': {
    says: 'has transferred less each time that it is asked',
    down: (message, talk) =>
      ram((value) => {
        const less = Number(talk.shared.get('less') ?? 0) + 1;
        talk.shared.set('less', less);
        return { ...value, transferred: Math.max(0, number(value, 'transferred') - less) };
      })(message, talk),
  },
  'remaining-after-the-end': {
    says: 'has RAM left to send when it has completed',
    down: ram((value, all) => (ended(all) ? { ...value, remaining: 4096 } : value)),
  },
  'remaining-above-total': {
    says: 'has more RAM left to send than there is',
    down: ram((value, all) => (ended(all) ? value : { ...value, remaining: number(value, 'total') + 4096 })),
  },
  'total-time-seconds': { says: 'tells the total time in seconds', down: times('total-time', 0.001) },
  'total-time-microseconds': { says: 'tells the total time in microseconds', down: times('total-time', 1000) },
  'total-time-missing': {
    says: 'does not tell the total time',
    down: status((value) => without(value, 'total-time')),
  },
  'downtime-missing': {
    says: 'does not tell the downtime of a completed migration',
    down: status((value) => without(value, 'downtime')),
  },
  'downtime-microseconds': {
    says: 'tells the downtime in microseconds',
    down: status((value) => ('downtime' in value ? { ...value, downtime: 1000 * number(value, 'downtime') } : value)),
  },
  'downtime-nothing': {
    says: 'tells no downtime at all',
    down: status((value) => ('downtime' in value ? { ...value, downtime: 0 } : value)),
  },
  'downtime-longer-than-all': {
    says: 'tells a downtime longer than the migration',
    down: status((value) => ('downtime' in value ? { ...value, downtime: number(value, 'total-time') + 100 } : value)),
  },
  'downtime-expected-for-ever': {
    says: 'tells the downtime that it expects when it has completed',
    down: status((value) => (ended(value) ? { ...value, 'expected-downtime': 300 } : value)),
  },
  'setup-time-missing': {
    says: 'does not tell the time for the set-up',
    down: status((value) => without(value, 'setup-time')),
  },
  'setup-time-negative': {
    says: 'tells a set-up that took less than nothing',
    down: status((value) => ('setup-time' in value ? { ...value, 'setup-time': -1 } : value)),
  },
  'setup-time-longer-than-all': {
    says: 'tells a set-up longer than the migration',
    down: status((value) =>
      ended(value) && 'setup-time' in value ? { ...value, 'setup-time': number(value, 'total-time') + 100 } : value,
    ),
  },
  'dirty-syncs-uncounted': {
    says: 'does not count how often it looked for dirty pages',
    down: ram((value) => ({ ...value, 'dirty-sync-count': 0 })),
  },
  'dirty-syncs-doubled': {
    says: 'counts each look for dirty pages twice',
    down: ram((value) => ({ ...value, 'dirty-sync-count': 2 * number(value, 'dirty-sync-count') })),
  },
  'mbps-in-kilobits': {
    says: 'tells its speed in kilobits',
    down: ram((value) => ({ ...value, mbps: 1000 * number(value, 'mbps') })),
  },
  'mbps-nothing': { says: 'tells no speed when it has completed', down: ram((value) => ({ ...value, mbps: 0 })) },
  'mbps-as-string': {
    says: 'tells its speed as a string',
    down: ram((value) => ({ ...value, mbps: String(value.mbps) })),
  },
  'page-size-kilobyte': {
    says: 'tells pages of 1024 bytes',
    down: ram((value) => ({ ...value, 'page-size': 1024 })),
  },
  'zero-pages-as-normal': {
    says: 'takes pages of zeros for normal ones in its statistics',
    down: ram((value) => {
      const normal = number(value, 'normal') + number(value, 'duplicate');
      return { ...value, normal, duplicate: 0, 'normal-bytes': 4096 * normal };
    }),
  },
  'ram-total-less': {
    says: 'tells a page of RAM less than there is',
    down: ram((value) => ({ ...value, total: number(value, 'total') - 4096 })),
  },
  'ram-skipped': {
    says: 'claims to have skipped a page',
    down: ram((value) => ({ ...value, skipped: 1 })),
  },
  'ram-as-list': {
    says: 'shows the statistics of RAM in a list',
    down: status((value) => (isObject(value.ram) ? { ...value, ram: [value.ram] } : value)),
  },
  'ram-member-lost': {
    says: 'does not show the rate of dirty pages',
    down: ram((value) => without(value, 'dirty-pages-rate')),
  },
  'ram-member-more': {
    says: 'shows a figure of RAM that its schema does not have',
    down: ram((value) => ({ ...value, 'qmpspec-unknown': 1 })),
  },
  'ram-missing-at-the-end': {
    says: 'shows no statistics of RAM when it has completed',
    down: status((value) => (ended(value) ? without(value, 'ram') : value)),
  },
  'postcopy-requests-invented': {
    says: 'counts requests of a destination where there was no postcopy',
    down: ram((value, all) => (ended(all) ? { ...value, 'postcopy-requests': 7 } : value)),
  },
  'multifd-bytes-invented': {
    says: 'counts bytes of multifd channels where there are none',
    down: ram((value, all) => (ended(all) ? { ...value, 'multifd-bytes': 4096 } : value)),
  },
  'throttle-uncalled': {
    says: 'shows how much it throttles the guest when it does not',
    down: status((value) => ('status' in value ? { ...value, 'cpu-throttle-percentage': 20 } : value)),
  },
  'xbzrle-figures-uncalled': {
    says: 'shows figures of XBZRLE when that is off',
    down: status((value) =>
      'ram' in value && !('xbzrle-cache' in value)
        ? {
            ...value,
            'xbzrle-cache': { 'cache-size': 0, bytes: 0, pages: 0, 'cache-miss': 0, 'cache-miss-rate': 0, overflow: 0 },
          }
        : value,
    ),
  },
  'xbzrle-figures-missing': {
    says: 'shows no figures of XBZRLE',
    down: status((value) => without(value, 'xbzrle-cache')),
  },
  'error-at-success': {
    says: 'describes an error when it has completed',
    down: status((value) => (ended(value) ? { ...value, 'error-desc': 'none' } : value)),
  },
} satisfies Record<string, Lie>;
