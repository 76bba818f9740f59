/** One figure or one state that is shown wrong, in one situation only. */
import { type Call, type CallFault, inArea, type Members } from './fault.js';
import { stale } from './in-details.js';
import { without } from './messages.js';

const info = (change: (value: Members, call: Call) => Members): Record<string, CallFault> => ({
  'query-migrate': (call) => change(call.next() as Members, call),
});
const whileIn = (states: readonly string[], change: (value: Members) => Members) =>
  info((value) => (states.includes(String(value.status)) ? change(value) : value));
const ram = (change: (ram: Members) => Members) =>
  info((value) => (value.ram === undefined ? value : { ...value, ram: change(value.ram as Members) }));
/** Of a source: a destination shows no memory. */
const whileSending = (change: (ram: Members) => Members) =>
  whileIn(['active'], (value) => (value.ram === undefined ? value : { ...value, ram: change(value.ram as Members) }));

export const detailsOfQueries = inArea('query-migrate', {
  'downtime-missing': {
    title: 'does not show the downtime of a completed migration',
    rows: ['MIG-CMD-QMIG-03'],
    calls: whileIn(['completed'], (value) => without(value, 'downtime')),
  },
  'total-time-in-seconds': {
    title: 'shows the total time in seconds',
    rows: ['MIG-CMD-QMIG-03', 'MIG-CMD-INV-04'],
    calls: info((value) =>
      value['total-time'] === undefined
        ? value
        : { ...value, 'total-time': Math.floor(Number(value['total-time']) / 1000) },
    ),
  },
  'setup-time-missing': {
    title: 'does not show the time of the setup',
    rows: ['MIG-CMD-QMIG-03'],
    calls: info((value) => without(value, 'setup-time')),
  },
  'expected-downtime-missing': {
    title: 'does not show the downtime that it expects',
    rows: ['MIG-CMD-QMIG-03'],
    calls: whileIn(['active'], (value) => without(value, 'expected-downtime')),
  },
  'expected-downtime-left': {
    title: 'shows the downtime that it expects when it is through',
    rows: ['MIG-CMD-QMIG-03'],
    calls: whileIn(['completed'], (value) => ({ ...value, 'expected-downtime': 300 })),
  },
  'error-desc-of-success': {
    title: 'shows a description of an error when all went well',
    rows: ['MIG-CMD-QMIG-03'],
    calls: whileIn(['completed'], (value) => ({ ...value, 'error-desc': 'Success' })),
  },
  'page-size-missing': {
    title: 'does not show the size of a page',
    rows: ['MIG-CMD-QMIG-03'],
    calls: ram((value) => without(value, 'page-size')),
  },
  'page-size-wrong': {
    title: 'shows pages of 64 KiB',
    rows: ['MIG-CMD-INV-01', 'MIG-CMD-QMIG-03'],
    calls: ram((value) => ({ ...value, 'page-size': 65536 })),
  },
  'sync-count-missing': {
    title: 'does not show how often it looked for dirty pages',
    rows: ['MIG-CMD-QMIG-03'],
    calls: ram((value) => without(value, 'dirty-sync-count')),
  },
  'postcopy-requests-missing': {
    title: 'does not show the number of pages that were asked for',
    rows: ['MIG-CMD-QMIG-03'],
    calls: ram((value) => without(value, 'postcopy-requests')),
  },
  'total-in-pages': {
    title: 'shows the total of RAM in pages',
    rows: ['MIG-CMD-INV-02', 'MIG-CMD-QMIG-03'],
    calls: ram((value) => ({ ...value, total: Math.floor(Number(value.total) / 4096) })),
  },
  'mbps-missing': {
    title: 'does not show how fast it was',
    rows: ['MIG-CMD-QMIG-03'],
    calls: ram((value) => without(value, 'mbps')),
  },
  'mbps-in-bytes': {
    title: 'shows megabytes a second as long as it goes on',
    rows: ['MIG-CMD-QMIG-03'],
    calls: whileSending((value) => ({ ...value, mbps: Number(value.mbps) / 8 })),
  },
  'rates-from-the-start': {
    title: 'shows a rate of dirty pages before it has looked for any twice',
    rows: ['MIG-CMD-QMIG-03'],
    calls: whileSending((value) => ({ ...value, 'dirty-pages-rate': 200 })),
  },
  'mbps-negative': {
    title: 'shows a speed below nothing',
    rows: ['MIG-CMD-QMIG-03'],
    calls: ram((value) => ({ ...value, mbps: -1 })),
  },
  'transferred-as-text': {
    title: 'shows the bytes that it sent as a text',
    rows: ['MIG-CMD-QMIG-03'],
    calls: ram((value) => ({ ...value, transferred: String(value.transferred) })),
  },
  'duplicate-negative': {
    title: 'shows fewer pages of one byte than none',
    rows: ['MIG-CMD-QMIG-03'],
    calls: ram((value) => ({ ...value, duplicate: -1 })),
  },
  'ram-with-more': {
    title: 'shows more of RAM than there is',
    rows: ['MIG-CMD-QMIG-03'],
    calls: ram((value) => ({ ...value, dirty: 0 })),
  },
  'disk-shown': {
    title: 'shows the disks where none is migrated',
    rows: ['MIG-CMD-QMIG-03'],
    calls: info((value) => (value.ram === undefined ? value : { ...value, disk: value.ram })),
  },
  'cache-figures-uncalled': {
    title: 'shows the figures of XBZRLE where it is off',
    rows: ['MIG-CMD-QMIG-03', 'MIG-XBZ-STAT-01'],
    calls: info((value) => {
      if (value.ram === undefined || value['xbzrle-cache'] !== undefined) return value;
      const figures = {
        'cache-size': 67108864,
        bytes: 0,
        pages: 0,
        'cache-miss': 0,
        'cache-miss-rate': 0,
        overflow: 0,
      };
      return { ...value, 'xbzrle-cache': figures };
    }),
  },
  'cache-figures-lost': {
    title: 'does not show the figures of XBZRLE',
    rows: ['MIG-XBZ-STAT-01', 'MIG-CMD-QMIG-03'],
    calls: info((value) => without(value, 'xbzrle-cache')),
  },
  'throttle-uncalled': {
    title: 'shows a throttled guest where it is not',
    rows: ['MIG-CMD-QMIG-03'],
    calls: whileIn(['active'], (value) => ({ ...value, 'cpu-throttle-percentage': 20 })),
  },
  'failed-with-ram': {
    title: 'shows the RAM of a failed migration',
    rows: ['MIG-CMD-QMIG-03'],
    calls: whileIn(['failed'], (value) => ({
      ...value,
      ram: { total: 0, transferred: 0, remaining: 0, duplicate: 0, skipped: 0, normal: 0, 'normal-bytes': 0 },
    })),
  },
  'place-twice': {
    title: 'tells twice where it listens',
    rows: ['MIG-CMD-INC-05'],
    dialect: '7.2',
    calls: info((value) => {
      const told = value['socket-address'];
      return Array.isArray(told) ? { ...value, 'socket-address': [...told, ...told] } : value;
    }),
  },
  'port-of-another': {
    title: 'tells the port after the one on which it listens',
    rows: ['MIG-CMD-INC-05'],
    dialect: '7.2',
    calls: info((value) => {
      const told = value['socket-address'];
      if (!Array.isArray(told)) return value;
      const next = told.map((one) => (one.port === undefined ? one : { ...one, port: `${Number(one.port) + 1}` }));
      return { ...value, 'socket-address': next };
    }),
  },
  'setup-a-little-longer': {
    title: 'tells 5 ms more of set-up than there were',
    rows: ['MIG-CMD-QMIG-03'],
    calls: info((value) =>
      value['setup-time'] === undefined ? value : { ...value, 'setup-time': Number(value['setup-time']) + 5 },
    ),
  },
  'cancelled-with-times': {
    title: 'shows the times of a cancelled migration',
    rows: ['MIG-CMD-QMIG-03'],
    calls: whileIn(['cancelled'], (value) => ({ ...value, 'total-time': 1, downtime: 0 })),
  },
  'pre-switchover-as-active': {
    title: 'shows a migration that waits for the switch-over as active',
    rows: ['MIG-CMD-QMIG-03'],
    calls: whileIn(['pre-switchover'], (value) => ({ ...value, status: 'active' })),
  },
  'cancelling-as-active': {
    title: 'shows a migration that is being cancelled as active',
    rows: ['MIG-SM-C02', 'MIG-CMD-QMIG-03'],
    calls: whileIn(['cancelling'], (value) => ({ ...value, status: 'active' })),
  },
  'postcopy-as-active': {
    title: 'shows postcopy as active',
    rows: ['MIG-CMD-QMIG-03'],
    calls: whileIn(['postcopy-active'], (value) => ({ ...value, status: 'active' })),
  },
});

export const detailsOfRunState = inArea('run state', {
  'postmigrate-as-paused': {
    title: 'shows a migrated guest as paused',
    rows: ['QMP-RUN-01'],
    calls: { 'query-status': ({ next }) => renamed(next() as Members, 'postmigrate', 'paused') },
  },
  'inmigrate-as-prelaunch': {
    title: 'shows a guest that waits for a migration as one before its start',
    rows: ['QMP-RUN-04'],
    calls: { 'query-status': ({ next }) => renamed(next() as Members, 'inmigrate', 'prelaunch') },
  },
  'finish-migrate-as-paused': {
    title: 'shows a guest that is stopped for the switch-over as paused',
    rows: ['QMP-RUN-01', 'MIG-SM-O30'],
    calls: { 'query-status': ({ next }) => renamed(next() as Members, 'finish-migrate', 'paused') },
  },
  'yank-forgets-migration': {
    title: 'leaves the migration out of what can be yanked',
    rows: ['QMP-D-04'],
    dialect: '7.2',
    calls: { 'query-yank': () => [] },
  },
  'status-stale': {
    title: 'shows the run state that the query before should have shown',
    rows: ['QMP-RUN-01'],
    calls: stale('query-status'),
  },
});

function renamed(value: Members, from: string, to: string): Members {
  return value.status === from ? { ...value, status: to } : value;
}
