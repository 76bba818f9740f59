/** What `query-migrate` and `query-status` say that is not so. */
import { type CallFault, inArea, type Memory } from './fault.js';

type Members = Record<string, unknown>;
type Change = (info: Members, memory: Memory) => Members;

const info = (change: Change): { readonly 'query-migrate': CallFault } => ({
  'query-migrate': (call) => change(call.next() as Members, call.memory),
});
/** Changes `ram`, where it is shown; a change gets what is shown and how often it was. */
const ram = (change: (ram: Members, shown: number, status: string) => Members) =>
  info((value, memory) => {
    if (value.ram === undefined) return value;
    const shown = Number(memory.get('ram shown') ?? 0) + 1;
    memory.set('ram shown', shown);
    return {
      ...value,
      ram: { ...(value.ram as Members), ...change(value.ram as Members, shown, String(value.status)) },
    };
  });
/** Shows a throttle where auto-converge is on and the migration goes on; a change gets the parameters. */
const throttle = (change: (parameters: Members) => number | undefined): { readonly 'query-migrate': CallFault } => ({
  'query-migrate': (call) => {
    const value = call.next() as Members;
    const converges = (call.ask('query-migrate-capabilities') as Members[]).some(
      ({ capability, state }) => capability === 'auto-converge' && state === true,
    );
    const shown = change(call.ask('query-migrate-parameters') as Members);
    return value.status !== 'active' || !converges || shown === undefined
      ? value
      : { ...value, 'cpu-throttle-percentage': shown };
  },
});
const without = (value: Members, name: string): Members => {
  const { [name]: _, ...rest } = value;
  return rest;
};
const status = (from: string, to: string) =>
  info((value) => (value.status === from ? { ...value, status: to } : value));
const number = (value: unknown): number => Number(value ?? 0);
const page = 4096;

const queryRows = ['MIG-CMD-QMIG-01', 'MIG-CMD-QMIG-02', 'MIG-CMD-QMIG-03'];

export const queryFaults = inArea('query-migrate', {
  'info-active-as-setup': {
    title: 'shows an active migration as being set up',
    rows: ['MIG-CMD-QMIG-03'],
    calls: status('active', 'setup'),
  },
  'info-completed-as-active': {
    title: 'shows a completed migration as active',
    rows: queryRows,
    calls: status('completed', 'active'),
  },
  'info-failed-as-cancelled': {
    title: 'shows a failed migration as cancelled',
    rows: queryRows,
    calls: status('failed', 'cancelled'),
  },
  'info-cancelled-as-none': {
    title: 'shows a cancelled migration as none',
    rows: queryRows,
    calls: status('cancelled', 'none'),
  },
  'info-paused-as-active': {
    title: 'shows a paused postcopy as active',
    rows: queryRows,
    calls: status('postcopy-paused', 'postcopy-active'),
  },
  'info-none-named': {
    title: 'shows status none before the first migration',
    rows: ['MIG-CMD-QMIG-01'],
    calls: info((value) => (value.status === undefined ? { status: 'none' } : value)),
  },
  'info-empty': { title: 'never shows anything', rows: queryRows, calls: info(() => ({})) },
  'info-without-status': {
    title: 'does not show the status',
    rows: queryRows,
    calls: info((value) => without(value, 'status')),
  },
  'info-frozen': {
    title: 'shows for ever what it showed first',
    rows: queryRows,
    calls: info((value, memory) => {
      if (!memory.has('info')) memory.set('info', value);
      return memory.get('info') as Members;
    }),
  },
  'info-one-behind': {
    title: 'shows what the query before should have shown',
    rows: queryRows,
    calls: info((value, memory) => {
      const before = (memory.get('info') ?? {}) as Members;
      memory.set('info', value);
      return before;
    }),
  },
  'info-without-total-time': {
    title: 'does not show total-time',
    rows: ['MIG-CMD-QMIG-03'],
    calls: info((value) => without(value, 'total-time')),
  },
  'info-without-ram': {
    title: 'does not show ram',
    rows: ['MIG-CMD-QMIG-03'],
    calls: info((value) => without(value, 'ram')),
  },
  'info-ram-when-cancelled': {
    title: 'shows ram after a cancel',
    rows: ['MIG-CMD-QMIG-03'],
    calls: info((value) => (value.status === 'cancelled' ? { ...value, ram: {} } : value)),
  },
  'info-downtime-early': {
    title: 'shows downtime while the migration runs',
    rows: ['MIG-CMD-QMIG-03'],
    calls: info((value) => (value.status === 'active' ? { ...value, downtime: 0 } : value)),
  },
  'error-desc-lost': {
    title: 'does not say why it could not connect',
    rows: ['MIG-CMD-QMIG-03'],
    calls: info((value) => without(value, 'error-desc')),
  },
  'error-desc-left-over': {
    title: 'still says of a migration why the one before it failed',
    rows: ['MIG-CMD-QMIG-03'],
    calls: info((value, memory) => {
      if (value['error-desc'] !== undefined) memory.set('error', value['error-desc']);
      const left = memory.get('error');
      return left === undefined || value.status === undefined ? value : { ...value, 'error-desc': left };
    }),
  },
  'normal-bytes-wrong': {
    title: 'counts normal-bytes with the header of each page',
    rows: ['MIG-CMD-INV-01'],
    calls: ram(({ normal }) => ({ 'normal-bytes': number(normal) * (page + 8) })),
  },
  'remaining-broken': {
    title: 'shows remaining bytes that make no whole pages',
    rows: ['MIG-CMD-INV-02'],
    calls: ram(({ remaining }) => ({ remaining: number(remaining) + 1 })),
  },
  'remaining-halved': {
    title: 'shows half of the pages that remain',
    rows: ['MIG-CMD-INV-02'],
    calls: ram(({ remaining }) => ({ remaining: Math.floor(number(remaining) / page / 2) * page })),
  },
  'compression-lost': {
    title: 'does not tell of what it compresses',
    rows: ['MIG-CMD-QMIG-03'],
    dialect: '7.2',
    calls: info((value) => without(value, 'compression')),
  },
  'compressed-size-in-bits': {
    title: 'tells in bits what compressed pages became',
    rows: ['MIG-CMD-QMIG-03'],
    dialect: '7.2',
    calls: info((value) => {
      if (value.compression === undefined) return value;
      const compression = value.compression as Members;
      return {
        ...value,
        compression: { ...compression, 'compressed-size': number(compression['compressed-size']) * 8 },
      };
    }),
  },
  'total-without-downtime': {
    title: 'takes the downtime off the time of all',
    rows: ['MIG-CMD-INV-09'],
    calls: info((value) =>
      value.downtime === undefined
        ? value
        : { ...value, 'total-time': Math.max(0, number(value['total-time']) - number(value.downtime)) },
    ),
  },
  'remaining-beyond-total': {
    title: 'shows more remaining bytes than there are',
    rows: ['MIG-CMD-INV-02'],
    calls: ram(({ total }) => ({ remaining: number(total) + page })),
  },
  'remaining-when-completed': {
    title: 'shows a page that remains when all is done',
    rows: ['MIG-CMD-INV-04'],
    calls: ram(({ remaining }, _, at) => ({ remaining: at === 'completed' ? page : remaining })),
  },
  'rate-when-completed': {
    title: 'shows a rate of dirty pages when all is done',
    rows: ['MIG-CMD-INV-04'],
    calls: ram(() => ({ 'dirty-pages-rate': 7 })),
  },
  'transferred-backwards': {
    title: 'counts transferred bytes backwards',
    rows: ['MIG-CMD-INV-03'],
    calls: ram((_, shown) => ({ transferred: 2 ** 40 - shown })),
  },
  'passes-backwards': {
    title: 'counts dirty syncs backwards',
    rows: ['MIG-CMD-INV-03', 'MIG-CMD-EVT-04'],
    calls: ram((_, shown) => ({ 'dirty-sync-count': 1000 - shown })),
  },
  'total-changes': {
    title: 'changes the size of the guest’s RAM on the way',
    rows: ['MIG-CMD-INV-03'],
    calls: ram(({ total }, shown) => ({ total: number(total) + shown * page })),
  },
  'skipped-counted': {
    title: 'counts zero pages as skipped',
    rows: ['MIG-CMD-INV-05'],
    calls: ram(() => ({ skipped: 3 })),
  },
  'multifd-beyond-transferred': {
    title: 'shows more bytes of multifd channels than of all together',
    rows: ['MIG-CMD-INV-06'],
    calls: ram(({ transferred }) => ({ 'multifd-bytes': number(transferred) + 1 })),
  },
  'multifd-without-multifd': {
    title: 'counts bytes of multifd channels although there are none',
    rows: ['MIG-CMD-INV-06'],
    calls: ram(({ transferred }) => ({ 'multifd-bytes': transferred })),
  },
  'throttle-at-default': {
    title: 'begins to throttle the guest at the default although another beginning was set',
    rows: ['MIG-CMD-INV-08'],
    calls: throttle(({ 'cpu-throttle-initial': initial }) => (initial === 20 ? undefined : 20)),
  },
  'throttle-unbounded': {
    title: 'throttles the guest beyond the maximum that was set',
    rows: ['MIG-CMD-INV-08'],
    calls: throttle(({ 'max-cpu-throttle': most }) => (most === 99 ? undefined : 99)),
  },
  'throttle-unasked': {
    title: 'throttles the guest although nobody asked for it',
    rows: ['MIG-CMD-QMIG-03'],
    calls: info((value) =>
      value['expected-downtime'] === undefined ? value : { 'cpu-throttle-percentage': 20, ...value },
    ),
  },
  'pages-frozen': {
    title: 'never counts a page',
    rows: ['MIG-CMD-INV-07'],
    calls: ram(() => ({ normal: 0, 'normal-bytes': 0, duplicate: 0 })),
  },
  'total-time-runs-on': {
    title: 'lets total-time run on when all is done',
    rows: ['MIG-CMD-INV-04'],
    calls: info((value, memory) => {
      const shown = Number(memory.get('shown') ?? 0) + 1;
      memory.set('shown', shown);
      return value['total-time'] === undefined
        ? value
        : { ...value, 'total-time': number(value['total-time']) + shown * 1000 };
    }),
  },
  'total-time-backwards': {
    title: 'lets total-time run backwards',
    rows: ['MIG-CMD-INV-03'],
    calls: info((value, memory) => {
      const shown = Number(memory.get('shown') ?? 0) + 1;
      memory.set('shown', shown);
      return value['total-time'] === undefined ? value : { ...value, 'total-time': 10 ** 9 - shown };
    }),
  },
  'setup-time-grows': {
    title: 'lets setup-time grow while the migration is active',
    rows: ['MIG-CMD-INV-03'],
    calls: info((value, memory) => {
      const shown = Number(memory.get('shown') ?? 0) + 1;
      memory.set('shown', shown);
      return value['setup-time'] === undefined ? value : { ...value, 'setup-time': shown };
    }),
  },
  'downtime-negative': {
    title: 'shows a negative downtime',
    rows: ['MIG-CMD-INV-03'],
    calls: info((value) => (value.downtime === undefined ? value : { ...value, downtime: -1 })),
  },
});

const runState = (change: Change): { readonly 'query-status': CallFault } => ({
  'query-status': (call) => change(call.next() as Members, call.memory),
});

export const runStateQueryFaults = inArea('run state', {
  'run-state-always-running': {
    title: 'says that the guest runs while it is stopped',
    rows: ['QMP-RUN-10', 'QMP-RUN-11'],
    calls: runState((value) => ({ ...value, status: 'running', running: true })),
  },
  'run-state-paused-in-switch-over': {
    title: 'says paused while a switch-over is under way',
    rows: ['QMP-RUN-10', 'QMP-RUN-11'],
    calls: runState((value) => (value.status === 'finish-migrate' ? { ...value, status: 'paused' } : value)),
  },
  'running-contradicts': {
    title: 'says of a run state other than running that the guest runs',
    rows: ['QMP-RUN-10', 'QMP-RUN-11'],
    calls: runState((value) => ({ ...value, running: true })),
  },
});
