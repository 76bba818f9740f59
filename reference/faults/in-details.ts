/** Small things in one place only: one command, one state, one member. What is wrong everywhere is found everywhere. */
import type { TalkFaults } from '../monitor/talk-faults.js';
import { type CallFault, type EventFault, type Fault, inArea, type Members, type Raised } from './fault.js';
import { errorOf, idOf, isEvent, isReply } from './messages.js';

type Planned = Omit<Fault, 'area'>;

const migration =
  (test: (status: string) => boolean, change: (raised: Raised) => readonly Raised[]): EventFault =>
  (raised) =>
    raised.event === 'MIGRATION' && test(String(raised.data?.status)) ? change(raised) : [raised];
const misspelt = (right: string, wrong: string, row: string): Planned => ({
  title: `announces ${right} as ${wrong}`,
  rows: [row, 'MIG-CMD-EVT-01'],
  event: migration(
    (status) => status === right,
    ({ event, data }) => [{ event, data: { ...data, status: wrong } }],
  ),
});
const lost =
  (name: string): EventFault =>
  (raised) =>
    raised.event === name ? [] : [raised];
const changed =
  (name: string, change: (data: Members) => Members | undefined): EventFault =>
  (raised) => {
    if (raised.event !== name) return [raised];
    const data = change(raised.data ?? {});
    return [data === undefined ? { event: name } : { event: name, data }];
  };

/** Answers a query with what it should have answered the time before. */
export const stale = (query: string): Record<string, CallFault> => ({
  [query]: ({ next, memory }) => {
    const now = next();
    const before = memory.get(query) ?? now;
    memory.set(query, now);
    return before;
  },
});

const failuresOf = (command: string, errorClass: string): Planned => ({
  title: `tells the errors of ${command} as ${errorClass}`,
  rows: ['QMP-ERR-05'],
  talk: {
    said: (message, talk) => [
      'error' in message && talk.command === command
        ? { ...message, error: { ...errorOf(message), class: errorClass } }
        : message,
    ],
  },
});

const idsThat = (title: string, change: (id: unknown) => unknown): Planned => ({
  title,
  rows: ['QMP-REPLY-04'],
  talk: {
    said: (message) => {
      const id = idOf(message);
      if (!isReply(message) || id === undefined) return [message];
      const other = change(id);
      return [other === id ? message : ({ ...message, id: other } as typeof message)];
    },
  },
});

/** Events with a time of their own: the n-th of a process gets what `change` makes of the right one. */
const told = (
  change: (microseconds: bigint, memory: Map<string, unknown>) => bigint,
): NonNullable<TalkFaults['said']> => {
  return (message, { memory }) => {
    const stamp = message.timestamp as Members | undefined;
    if (!isEvent(message) || stamp === undefined) return [message];
    const right = BigInt(String(stamp.seconds)) * 1000000n + BigInt(String(stamp.microseconds));
    const wrong = change(right, memory);
    const timestamp = { seconds: wrong / 1000000n, microseconds: wrong % 1000000n };
    return [{ ...message, timestamp: timestamp as unknown as typeof message.timestamp }];
  };
};

const sticky = (capability: string): Planned => ({
  title: `never switches ${capability} off again`,
  rows: ['MIG-CMD-SCAP-09', 'MIG-CMD-QCAP-01'],
  calls: {
    'query-migrate-capabilities': ({ next, memory }) => {
      const list = next() as readonly Members[];
      const on = list.some((one) => one.capability === capability && one.state === true);
      if (on) memory.set(`sticky ${capability}`, true);
      if (!memory.has(`sticky ${capability}`)) return list;
      return list.map((one) => (one.capability === capability ? { ...one, state: true } : one));
    },
  },
});
const shownCapped = (parameter: string, cap: number): Planned => ({
  title: `shows ${parameter} as ${cap} at most`,
  rows: ['MIG-CMD-SPAR-02', 'MIG-CMD-QPAR-01'],
  calls: {
    'query-migrate-parameters': ({ next }) => {
      const value = next() as Members;
      return Number(value[parameter]) > cap ? { ...value, [parameter]: cap } : value;
    },
  },
});

export const detailsOfEvents = inArea('events', {
  'pre-switchover-misspelt': misspelt('pre-switchover', 'pre-switch-over', 'MIG-SM-O30'),
  'cancelling-misspelt': misspelt('cancelling', 'canceling', 'MIG-SM-C04'),
  'postcopy-active-misspelt': misspelt('postcopy-active', 'postcopy_active', 'MIG-SM-O50'),
  'postcopy-events-twice': {
    title: 'announces the states of postcopy twice',
    rows: ['MIG-SM-O50', 'MIG-CMD-EVT-01'],
    event: migration(
      (status) => status.startsWith('postcopy'),
      (raised) => [raised, raised],
    ),
  },
  'migration-with-more': {
    title: 'tells in the event MIGRATION what came before',
    rows: ['MIG-CMD-EVT-01'],
    event: changed('MIGRATION', (data) => ({ ...data, previous: 'none' })),
  },
  'failed-with-reason': {
    title: 'tells in the event of a failure why',
    rows: ['MIG-CMD-EVT-01'],
    event: migration(
      (status) => status === 'failed',
      ({ event, data }) => [{ event, data: { ...data, 'error-desc': 'because' } }],
    ),
  },
  'pass-with-more': {
    title: 'tells more than its number of a pass',
    rows: ['MIG-CMD-EVT-04'],
    event: changed('MIGRATION_PASS', (data) => ({ ...data, 'dirty-pages': 0 })),
  },
  'pass-renamed': {
    title: 'tells the number of a pass under another name',
    rows: ['MIG-CMD-EVT-04'],
    event: changed('MIGRATION_PASS', ({ pass }) => ({ number: pass })),
  },
  'passes-from-two': {
    title: 'counts passes from two',
    rows: ['MIG-CMD-EVT-04', 'MIG-SM-O13'],
    event: changed('MIGRATION_PASS', ({ pass }) => ({ pass: Number(pass) + 1 })),
  },
  'resume-with-data': {
    title: 'gives RESUME an empty data member',
    rows: ['QMP-EVT-08', 'QMP-EVT-01'],
    event: changed('RESUME', () => ({})),
  },
  'resume-after-load-lost': {
    title: 'does not tell that the guest goes on after a load',
    rows: ['QMP-EVT-08', 'MIG-CMD-EVT-06'],
    event: (raised, memory) => {
      const { event, data } = raised;
      if (event === 'MIGRATION' && data?.status === 'setup') memory.set('stopped here', false);
      if (event === 'STOP') memory.set('stopped here', true);
      return event === 'RESUME' && memory.get('stopped here') === false ? [] : [raised];
    },
  },
  'reset-lost': { title: 'does not tell of a reset', rows: ['QMP-EVT-10'], event: lost('RESET') },
  'reset-by-guest': {
    title: 'blames the guest for a reset',
    rows: ['QMP-EVT-10'],
    event: changed('RESET', (data) => ({ ...data, guest: true })),
  },
  'reset-without-data': {
    title: 'tells a reset without data',
    rows: ['QMP-EVT-10'],
    event: changed('RESET', () => undefined),
  },
  'shutdown-lost': { title: 'does not tell of its end', rows: ['QMP-EVT-12'], event: lost('SHUTDOWN') },
  'shutdown-by-guest': {
    title: 'blames the guest for its end',
    rows: ['QMP-EVT-12'],
    event: changed('SHUTDOWN', (data) => ({ ...data, guest: true })),
  },
  'powerdown-lost': { title: 'does not tell of a powerdown', rows: ['QMP-EVT-11'], event: lost('POWERDOWN') },
});

export const detailsOfReplies = inArea('protocol', {
  'descriptor-of-another-number': {
    title: 'tells of a descriptor that was added another number than it shows later',
    rows: ['QMP-FD-12', 'QMP-FD-13'],
    calls: {
      'add-fd': ({ next }) => {
        const added = next() as Members;
        return { ...added, fd: Number(added.fd) + 1 };
      },
    },
  },
  'time-goes-back': {
    title: 'gives every event a time before that of the last one',
    rows: ['QMP-EVT-02'],
    talk: {
      said: told((right, memory) => {
        const before = memory.get('time') as bigint | undefined;
        const now = before === undefined ? right : before - 1n;
        memory.set('time', now);
        return now;
      }),
    },
  },
  'time-stands-still': {
    title: 'gives every event the time of its first one',
    rows: ['QMP-EVT-02'],
    talk: {
      said: told((right, memory) => {
        if (!memory.has('time')) memory.set('time', right);
        return memory.get('time') as bigint;
      }),
    },
  },
  'time-ahead': {
    title: 'is an hour ahead of its time',
    rows: ['QMP-EVT-02'],
    talk: { said: told((right) => right + 3_600_000_000n) },
  },
  'class-of-migrate': failuresOf('migrate', 'DeviceNotFound'),
  'class-of-migrate-incoming': failuresOf('migrate-incoming', 'CommandNotFound'),
  'class-of-migrate-continue': failuresOf('migrate-continue', 'DeviceNotActive'),
  'class-of-migrate-set-parameters': failuresOf('migrate-set-parameters', 'CommandNotFound'),
  'class-of-migrate-set-capabilities': failuresOf('migrate-set-capabilities', 'KVMMissingCap'),
  'class-of-migrate-start-postcopy': failuresOf('migrate-start-postcopy', 'DeviceNotFound'),
  'class-of-qmp-capabilities': failuresOf('qmp_capabilities', 'DeviceNotFound'),
  'large-ids-rounded': idsThat('gives large numbers back rounded', (id) =>
    typeof id === 'bigint' && id > 2n ** 53n ? BigInt(Number(id)) : id,
  ),
  'empty-ids-lost': idsThat('gives an empty text back as null', (id) => (id === '' ? null : id)),
  'boolean-ids-as-numbers': idsThat('gives true back as 1', (id) => (id === true ? 1n : id)),
  'id-of-first-in-line': {
    title: 'answers commands that came together with the id of the first of them',
    rows: ['QMP-REPLY-04', 'QMP-REPLY-09'],
    talk: {
      said: (message, { memory, after }) => {
        const id = idOf(message);
        if (!isReply(message) || id === undefined) return [message];
        const first = memory.get('first id');
        if (first !== undefined) return [{ ...message, id: first } as typeof message];
        memory.set('first id', id);
        after(0, () => memory.delete('first id'));
        return [message];
      },
    },
  },
});

export const detailsOfSettings = inArea('settings', {
  'parameters-stale': {
    title: 'shows the parameters as the query before should have shown them',
    rows: ['MIG-CMD-QPAR-01', 'MIG-CMD-SPAR-02'],
    calls: stale('query-migrate-parameters'),
  },
  'capabilities-stale': {
    title: 'shows the capabilities as the query before should have shown them',
    rows: ['MIG-CMD-QCAP-01', 'MIG-CMD-SCAP-09'],
    calls: stale('query-migrate-capabilities'),
  },
  'xbzrle-sticky': sticky('xbzrle'),
  'events-sticky': sticky('events'),
  'auto-converge-sticky': sticky('auto-converge'),
  'return-path-sticky': sticky('return-path'),
  'release-ram-sticky': sticky('release-ram'),
  'postcopy-ram-sticky': sticky('postcopy-ram'),
  'throttle-capped': shownCapped('cpu-throttle-increment', 50),
  'throttle-start-capped': shownCapped('cpu-throttle-initial', 90),
  'bandwidth-capped': shownCapped('max-bandwidth', 0xffffffff),
  'downtime-capped': shownCapped('downtime-limit', 1_999_999),
  'postcopy-bandwidth-capped': shownCapped('max-postcopy-bandwidth', 0xffffffff),
  'cache-capped': shownCapped('xbzrle-cache-size', 0x7fffffff),
  'checkpoint-delay-capped': shownCapped('x-checkpoint-delay', 0x7fffffff),
});
