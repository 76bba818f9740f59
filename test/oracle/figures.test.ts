/** The value invariants of query-migrate that hang on settings and on the past (commands.md §8.6). */
import { expect } from 'chai';
import { capabilityOn, eventsOn, migrateTo, Script } from './tracker/script.js';

const begun = (...before: readonly string[]) => [
  ...[eventsOn, '< {}'],
  ...before.flatMap((command) => [command, '< {}']),
  ...[migrateTo, 'M setup', '< {}', 'P 1', 'M active'],
];
const shown = (more: object, ram: object = {}) => {
  const figures = { 'page-size': 4096, normal: 1, 'normal-bytes': 4096, total: 8192, remaining: 0, transferred: 5000 };
  const info = { status: 'active', 'total-time': 1, 'expected-downtime': 300, 'setup-time': 0 };
  return ['> query-migrate', `< ${JSON.stringify({ ...info, ...more, ram: { ...figures, ...ram } })}`];
};
const misses = { 'cache-size': 4096, bytes: 0, pages: 0, 'cache-miss': 0, 'encoding-rate': 0, overflow: 0 };
const throttled = (percentage: number) => shown({ 'cpu-throttle-percentage': percentage });
const channels = (bytes: number) => shown({}, { 'multifd-bytes': bytes });
const limits = (initial: number, most: number) =>
  `> migrate-set-parameters {"cpu-throttle-initial":${initial},"max-cpu-throttle":${most}}`;
const converge = capabilityOn('auto-converge');
const again = ['S', 'P 2', 'M completed', '> cont', 'R', '< {}', migrateTo, 'M setup', '< {}', 'P 1', 'M active'];

const ended = [
  ...['> query-status', '< {"status":"postmigrate","running":false}'],
  '> query-migrate',
  `< ${JSON.stringify({
    ...{ status: 'completed', 'total-time': 1, downtime: 1, 'setup-time': 0 },
    ram: {
      'page-size': 4096,
      normal: 1,
      duplicate: 0,
      'normal-bytes': 4096,
      total: 8192,
      remaining: 0,
      transferred: 5000,
    },
  })}`,
];

const whole = ended.map((line) => line.replace('"duplicate":0', '"duplicate":1'));
/** As it is shown once blocks that are shared are left out. */
const without = whole.slice(2).map((line) => line.replace('"total":8192', '"total":0'));

/** The end of one that compresses, and what its pages became. */
const packed = (bytes: number) => {
  const compression = { pages: 1, busy: 0, 'busy-rate': 0, 'compressed-size': bytes, 'compression-rate': 0 };
  return whole.map((line) => line.replace('"ram":', `"compression":${JSON.stringify(compression)},"ram":`));
};
const compress = begun(capabilityOn('compress'));
const passed = ['S', 'P 2', 'M completed'];

const permitted: [title: string, lines: readonly string[]][] = [
  ['a throttle between its limits', [...begun(converge, limits(30, 50)), ...throttled(30), ...throttled(50)]],
  [
    'another total once another part of memory would be migrated',
    [...begun(), 'S', 'P 2', 'M completed', ...whole, capabilityOn('x-ignore-shared'), '< {}', ...without],
  ],
  ['compressed pages that are smaller', [...compress, ...passed, ...packed(3000)]],
  ['nearly nothing of what was compressed', [...compress, ...passed, ...packed(-64)]],
  ['what an earlier migration had compressed', [...compress, ...again, ...passed, ...packed(9000)]],
  [
    'a downtime that is told before the time of all',
    [
      ...[...begun(), ...passed],
      ...whole.slice(2).map((line) => line.replace('"total-time":1,"downtime":1', '"total-time":0,"downtime":4')),
    ],
  ],
  ['a throttle of the defaults', [...begun(converge), ...throttled(20), ...throttled(99)]],
  [
    'a throttle beyond a limit that came later (MIG-SM-O23)',
    [...begun(converge, limits(30, 90)), ...throttled(80), limits(40, 50), '< {}', ...throttled(80)],
  ],
  [
    'a throttle of a limit that was in force between two queries',
    [...begun(converge, limits(30, 50)), limits(60, 70), '< {}', limits(30, 50), '< {}', ...throttled(70)],
  ],
  ['a lower throttle in the next migration', [...begun(converge), ...throttled(80), ...again, ...throttled(20)]],
  ['bytes of multifd with multifd', [...begun(capabilityOn('multifd')), ...channels(4096)]],
  [
    'bytes of multifd that an earlier migration left',
    [
      ...[...begun(capabilityOn('multifd')), ...channels(4096), 'S', 'P 2', 'M completed', '> cont', 'R', '< {}'],
      ...['> migrate-set-capabilities {"capabilities":[{"capability":"multifd","state":false}]}', '< {}'],
      ...[migrateTo, 'M setup', '< {}', 'P 1', 'M active', ...channels(4096)],
    ],
  ],
  ['no bytes of multifd', [...begun(), ...channels(0)]],
  [
    'a rate of misses that an earlier migration left',
    [
      ...[...begun(capabilityOn('xbzrle')), 'wait 1500', ...again],
      ...shown({ 'xbzrle-cache': { ...misses, 'cache-miss-rate': 0.5 } }),
    ],
  ],
  ['a migration that has lasted', [...begun(), 'wait 5000', ...shown({ 'total-time': 5000 })]],
  ['pages that were sent again', [...begun(), ...shown({}, { duplicate: 20, 'dirty-sync-count': 1 })]],
  [
    'pages that were sent compressed and not counted, once that is switched off (MIG-CMD-INV-07)',
    [
      ...[...begun(capabilityOn('compress')), 'S', 'P 2', 'M completed'],
      ...['> migrate-set-capabilities {"capabilities":[{"capability":"compress","state":false}]}', '< {}'],
      ...ended,
    ],
  ],
];

const shownOnce = (ram: object) => [...begun(), ...shown({}, ram)];
const rates = { 'pages-per-second': 10, mbps: 0.3, 'dirty-pages-rate': 7, remaining: 4096 };
const none = { 'pages-per-second': 0, mbps: 0, 'dirty-pages-rate': 0 };
permitted.push(['rates once a window has ended', [...begun(), 'wait 2000', ...shown({}, rates)]]);

/** A migration that is over, with these figures of its own. */
const over = (more: object, ram: object = {}) => {
  const info = JSON.parse((whole.at(-1) as string).slice(2));
  const figures = { ...info, ...more, ram: { ...info.ram, ...ram } };
  return [
    ...begun(),
    'wait 2000',
    'S',
    'P 2',
    'M completed',
    ...whole.slice(0, 2),
    '> query-migrate',
    `< ${JSON.stringify(figures)}`,
  ];
};
/** One that tells of no pass. */
const untold = [migrateTo, '< {}'];
const slow = { 'total-time': 1000, 'setup-time': 0 };
permitted.push(
  ['bytes that fit the pages', over({}, { transferred: 4096 + 17 })],
  ['a speed that fits bytes and time', over(slow, { mbps: (5000 * 8) / 1e6 })],
  [
    'requests of a destination once postcopy was possible',
    [...begun(capabilityOn('postcopy-ram')), ...shown({}, { 'postcopy-requests': 3 })],
  ],
  ['as many passes as there can be', [...untold, ...shown({}, { 'dirty-sync-count': 90 })]],
);

/** 100 pages, two of them sent, and so many bytes that remain before the switch-over. */
const paused = (remaining: number) =>
  shown({ status: 'pre-switchover' }, { duplicate: 1, total: 409_600, remaining, 'dirty-sync-count': 2 });
permitted.push(
  [
    'pages that all were sent or remain',
    [...begun(capabilityOn('pause-before-switchover')), 'S', 'M pre-switchover', ...paused(98 * 4096)],
  ],
  ['a pass that is told of a moment after it is counted', [...begun(), ...shown({}, { 'dirty-sync-count': 2 })]],
);

/** … and another time for the set-up. */
const late = (setup: number) =>
  shown(
    { status: 'pre-switchover', 'setup-time': setup },
    { duplicate: 1, total: 409_600, remaining: 98 * 4096, 'dirty-sync-count': 2 },
  );
permitted.push(['as many passes as were told, in the end', over({}, { 'dirty-sync-count': 2 })]);
permitted.push([
  'a speed below nothing, where another clock has the set-up take longer than all',
  over({ 'total-time': 4, 'setup-time': 5, downtime: 0 }, { mbps: -4000 }),
]);

const forbidden: readonly [title: string, row: string, lines: readonly string[]][] = [
  ['more passes than were told', 'MIG-CMD-EVT-04', [...begun(), ...shown({}, { 'dirty-sync-count': 3 })]],
  ['more passes than were told, in the end', 'MIG-CMD-EVT-04', over({}, { 'dirty-sync-count': 3 })],
  [
    'more bytes in all parts than there are',
    'MIG-CMD-INV-01',
    over({}, { 'precopy-bytes': 4500, 'downtime-bytes': 501, 'postcopy-bytes': 0 }),
  ],
  [
    'another set-up once the guest stood',
    'MIG-CMD-INV-03',
    [...begun(capabilityOn('pause-before-switchover')), 'S', 'M pre-switchover', ...paused(98 * 4096), ...late(1)],
  ],
  ['fewer pages than there are', 'MIG-CMD-INV-07', [...begun(), 'S', 'P 2', 'M completed', ...ended]],
  ['a throttle below its beginning', 'MIG-CMD-INV-08', [...begun(converge, limits(30, 50)), ...throttled(20)]],
  ['a throttle above its maximum', 'MIG-CMD-INV-08', [...begun(converge, limits(30, 50)), ...throttled(60)]],
  ['a throttle that goes down', 'MIG-CMD-INV-08', [...begun(converge), ...throttled(40), ...throttled(30)]],
  ['a throttle that nobody asked for', 'MIG-CMD-QMIG-03', [...begun(), ...throttled(20)]],
  ['bytes of multifd without multifd', 'MIG-CMD-INV-06', [...begun(), ...channels(4096)]],
  ['more bytes than pages have', 'MIG-CMD-INV-01', over({}, { transferred: 3e6 })],
  ['fewer bytes than pages have', 'MIG-CMD-INV-01', over({}, { transferred: 4000 })],
  ['a speed above what was sent', 'MIG-CMD-QMIG-03', over(slow, { mbps: 12 })],
  ['a speed below what was sent', 'MIG-CMD-QMIG-03', over(slow, { mbps: 0.001 })],
  ['a downtime beyond all time', 'MIG-CMD-INV-03', over({ downtime: 3000, 'total-time': 3000 })],
  ['pages of no size that there is', 'MIG-CMD-INV-01', shownOnce({ 'page-size': 4097, normal: 0, 'normal-bytes': 0 })],
  ['requests of no postcopy', 'MIG-CMD-INV-06', shownOnce({ 'postcopy-requests': 1 })],
  ['bytes of no postcopy', 'MIG-CMD-INV-06', shownOnce({ 'postcopy-bytes': 1 })],
  ['copies that nobody meant to avoid', 'MIG-CMD-INV-06', shownOnce({ 'dirty-sync-missed-zero-copy': 1 })],
  [
    'a first pass of all that is the second one',
    'MIG-CMD-EVT-04',
    begun().map((line) => (line === 'P 1' ? 'P 2' : line)),
  ],
  ['fewer passes than were told of', 'MIG-CMD-EVT-04', [...begun(), 'P 2', ...shown({}, { 'dirty-sync-count': 1 })]],
  [
    'pages that were neither sent nor remain',
    'MIG-CMD-INV-07',
    [...begun(capabilityOn('pause-before-switchover')), 'S', 'M pre-switchover', ...paused(12288)],
  ],
  ['more passes than time for them', 'MIG-CMD-INV-03', [...untold, ...shown({}, { 'dirty-sync-count': 1e6 })]],
  [
    'a time from before the present migration',
    'MIG-CMD-INV-03',
    [...begun(), 'wait 2000', ...again, ...shown({ 'total-time': 1500 })],
  ],
  ['a failure without a text', 'MIG-CMD-QMIG-03', [...begun(), ...shown({ 'error-desc': '' })]],
  [
    'pages that took no bytes',
    'MIG-CMD-INV-01',
    [...begun(), ...shown({}, { duplicate: 0, 'precopy-bytes': 9, 'downtime-bytes': 0, 'postcopy-bytes': 0 })],
  ],
  [
    'fewer pages once it has resumed',
    'MIG-CMD-INV-03',
    [
      ...[eventsOn, '< {}', capabilityOn('postcopy-ram'), '< {}', migrateTo, 'M setup', '< {}', 'P 1', 'M active'],
      ...['> migrate-start-postcopy', '< {}', 'M postcopy-active', 'S', 'P 2', 'M postcopy-paused'],
      ...shown({ status: 'postcopy-paused' }, { normal: 3, 'normal-bytes': 12288 }),
      ...['> migrate {"uri":"unix:/run/y","resume":true}', '< {}', 'M postcopy-recover'],
      ...shown({ status: 'postcopy-recover' }, { normal: 2, 'normal-bytes': 8192 }),
    ],
  ],
  ...Object.entries(rates).flatMap(([name, rate]): [string, string, readonly string[]][] =>
    name === 'remaining'
      ? []
      : [
          [
            `a ${name} before a window has ended`,
            'MIG-CMD-QMIG-03',
            [...begun(), ...shown({}, { ...rates, ...none, [name]: rate })],
          ],
        ],
  ),
  [
    'a rate of misses before a window has ended',
    'MIG-CMD-QMIG-03',
    [...begun(capabilityOn('xbzrle')), ...shown({ 'xbzrle-cache': { ...misses, 'cache-miss-rate': 0.5 } })],
  ],
  [
    'more pages a second than there are pages in a tenth of it',
    'MIG-CMD-QMIG-03',
    [...begun(), 'wait 2000', ...shown({}, { ...rates, 'pages-per-second': 11 })],
  ],
  [
    'a speed with which more would have been sent',
    'MIG-CMD-QMIG-03',
    [...begun(), 'wait 2000', ...shown({}, { ...rates, mbps: 90 })],
  ],
  [
    'a downtime longer than the migration',
    'MIG-CMD-INV-09',
    [...begun(), 'S', 'P 2', 'M completed', ...whole.map((line) => line.replace('"downtime":1', '"downtime":4'))],
  ],
  [
    'a downtime longer than the migration, before its run state is known',
    'MIG-CMD-INV-09',
    [...begun(), ...passed, ...whole.slice(2).map((line) => line.replace('"downtime":1', '"downtime":4'))],
  ],
  ['more of what was compressed than was transferred', 'MIG-CMD-QMIG-03', [...compress, ...passed, ...packed(9000)]],
  ['a figure below nothing', 'MIG-CMD-QMIG-03', [...begun(), ...shown({}, { mbps: -1.5 })]],
  [
    'a speed below nothing, though the set-up was within the time of all',
    'MIG-CMD-QMIG-03',
    over({ 'total-time': 5, 'setup-time': 5 }, { mbps: -1.5 }),
  ],
  [
    'a migration that is older than the command to migrate',
    'MIG-CMD-INV-03',
    [...begun(), ...shown({ 'total-time': 5000 })],
  ],
  [
    'more pages than can have been sent',
    'MIG-CMD-INV-07',
    [...begun(), ...shown({}, { duplicate: 100, 'dirty-sync-count': 1 })],
  ],
  ['another total all the same', 'MIG-CMD-INV-03', [...begun(), 'S', 'P 2', 'M completed', ...whole, ...without]],
  [
    'more bytes of multifd than of all together',
    'MIG-CMD-INV-06',
    [...begun(capabilityOn('multifd')), ...channels(6000)],
  ],
];

describe('figures', () => {
  it('that break are a known defect where releases are known for it', () => {
    const lines = [
      ...[eventsOn, '< {}', capabilityOn('postcopy-ram'), '< {}', migrateTo, 'M setup', '< {}', 'P 1', 'M active'],
      ...['> migrate-start-postcopy', '< {}', 'M postcopy-active', 'S', 'P 2'],
      ...shown({ status: 'postcopy-active' }, { remaining: -4096 }),
    ];
    const judge = (...defects: string[]) => new Script().lines(...lines).judge('7.2', defects);
    expect(judge('MIG-DEF-24').defects).to.deep.equal(['MIG-DEF-24']);
    expect(judge().divergence?.permitted.flatMap(({ rows }) => rows)).to.deep.equal(['MIG-CMD-INV-02']);
  });

  for (const [title, lines] of permitted) {
    it(`permit ${title}`, () => {
      const { kind, divergence } = new Script().lines(...lines).judge('7.2');
      expect(kind, JSON.stringify(divergence)).to.equal('conforms');
    });
  }
  for (const [title, row, lines] of forbidden) {
    it(`do not permit ${title} (${row})`, () => {
      const { kind, divergence } = new Script().lines(...lines).judge('7.2');
      expect(kind).to.equal('divergence');
      expect(divergence?.permitted.flatMap(({ rows }) => rows)).to.include(row);
    });
  }
});
