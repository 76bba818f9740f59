/** What is overdue once nothing has stirred for long although the process answered all along. */
import { expect } from 'chai';
import type { DialectName } from '../../reference/dialects/dialect.js';
import { begun, capabilityOn, eventsOn, migrateTo, Script } from './tracker/script.js';

const cancelled = [...begun, '> migrate_cancel', 'M cancelling', '< {}'];

/** The client asks every so many milliseconds, and is answered. */
const asks = (times: number, pause: number, status = 'running') =>
  Array.from({ length: times }, () => [
    `wait ${pause}`,
    '> query-status',
    `< {"status":"${status}","running":${status === 'running'}}`,
  ]).flat();

const judge = (lines: readonly string[], dialect: DialectName = '7.2', ...defects: string[]) =>
  new Script().lines(...lines).judge(dialect, defects);

describe('silence', () => {
  it('is a divergence where the next step is due by itself (MIG-SM-C04)', () => {
    const { kind, divergence } = judge([...cancelled, ...asks(20, 200)]);
    expect(kind).to.equal('divergence');
    expect(divergence?.got).to.equal('silence until the deadline');
    expect(divergence?.permitted.map(({ words }) => words)).to.include('event MIGRATION cancelled');
    expect(divergence?.permitted.flatMap(({ rows }) => rows)).to.include('MIG-SM-C04');
  });

  const permitted: readonly [title: string, lines: readonly string[]][] = [
    ['while it is short', [...cancelled, ...asks(9, 200)]],
    ['of a process that did not answer either', [...cancelled, ...asks(4, 10_000)]],
    [
      'that ends in time, again and again',
      [...cancelled, ...asks(9, 200), '> stop', 'S', '< {}', ...asks(9, 200, 'paused')],
    ],
    ['where the peer alone can bring the next step', [...begun, ...asks(40, 200)]],
    [
      'of a source that waits for its client (MIG-SM-O32)',
      [
        ...[capabilityOn('pause-before-switchover'), '< {}', ...begun, 'S', 'M pre-switchover'],
        ...asks(40, 200, 'finish-migrate'),
      ],
    ],
    [
      'of a cancel that waits for a child which does not read (MIG-SM-C12)',
      cancelled.map((line) => line.replace('unix:/run/x', 'exec:cat')).concat(asks(40, 200)),
    ],
    [
      'of a cancel that waits for its connection (MIG-SM-C02)',
      [eventsOn, '< {}', migrateTo, 'M setup', '< {}', '> migrate_cancel', 'M cancelling', '< {}', ...asks(40, 200)],
    ],
  ];
  for (const [title, lines] of permitted) {
    it(`is permitted ${title}`, () => {
      const { kind, divergence } = judge(lines);
      expect(kind, JSON.stringify(divergence)).to.equal('conforms');
    });
  }

  it('counts what one process does as a reason for another to go on', () => {
    const lines = [...cancelled, ...asks(9, 200), '@destination', eventsOn, '< {}', '@source', ...asks(9, 200)];
    expect(judge(lines).kind).to.equal('conforms');
  });

  it('is a known defect where releases are known for it', () => {
    const hung = [
      ...[eventsOn, '< {}', capabilityOn('return-path'), '< {}', migrateTo, 'M setup', '< {}', 'P 1', 'M active'],
      ...['> migrate_cancel', 'M cancelling', '< {}', ...asks(20, 200)],
    ];
    expect(judge(hung, '3.0', 'MIG-DEF-03').defects).to.deep.equal(['MIG-DEF-03']);
    expect(judge(hung, '3.0').kind).to.equal('divergence');
  });

  it('is a known defect of a cancel that met the beginning of pre-switchover', () => {
    const met = [
      ...[eventsOn, '< {}', capabilityOn('pause-before-switchover'), '< {}', migrateTo, 'M setup', '< {}', 'P 1'],
      ...['M active', '> migrate_cancel', 'S', 'M cancelling', '< {}', ...asks(20, 200, 'finish-migrate')],
    ];
    expect(judge(met, '7.2', 'MIG-DEF-23').defects).to.deep.equal(['MIG-DEF-23']);
    expect(judge(met, '7.2').kind).to.equal('divergence');
  });
});
