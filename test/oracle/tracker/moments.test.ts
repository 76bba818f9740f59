/** What real monitors were seen to do between the outputs of one step, and other deep corners. */
import { expect } from 'chai';
import type { DialectName } from '../../../reference/dialects/dialect.js';
import { begun, capabilityOn, eventsOn, migrateTo, Script } from './script.js';

const held = [
  eventsOn,
  '< {}',
  capabilityOn('pause-before-switchover'),
  '< {}',
  capabilityOn('postcopy-ram'),
  '< {}',
  migrateTo,
  'M setup',
  '< {}',
  '> migrate-start-postcopy',
  '< {}',
  'P 1',
  'M active',
  'S',
  'M pre-switchover',
];
const proceed = '> migrate-continue {"state":"pre-switchover"}';
const colo = [eventsOn, '< {}', capabilityOn('x-colo'), '< {}', migrateTo, 'M setup', '< {}', 'P 1', 'M active', 'S'];
const quit = ['> quit', 'E SHUTDOWN'];

const incoming = ['> migrate-incoming {"uri":"unix:/run/y"}', 'M setup', '< {}'];
const listening = [
  '@destination',
  eventsOn,
  '< {}',
  capabilityOn('postcopy-ram'),
  '< {}',
  ...incoming,
  'M active',
  'M postcopy-active',
];

describe('the judge, one moment at a time', () => {
  const permitted: readonly [title: string, dialect: DialectName, lines: readonly string[]][] = [
    [
      'a stop that tells of itself only after the sync of the switch-over that met it (MIG-SM-O22)',
      '7.2',
      [...begun, '> stop', 'P 2', 'M completed', 'S', '< {}'],
    ],
    [
      'a stop that tells of itself only after the switch to postcopy that met it (MIG-SM-O22)',
      '7.2',
      [
        ...[eventsOn, '< {}', capabilityOn('postcopy-ram'), '< {}', migrateTo, 'M setup', '< {}'],
        ...['> migrate-start-postcopy', '< {}', 'P 1', 'M active', '> stop'],
        ...['M postcopy-active', 'P 2', 'S', '< {}', 'M completed'],
      ],
    ],
    [
      'a stop that tells of itself only after the status of the switch-over that met it (MIG-SM-O22)',
      '10.0',
      [...begun, '> stop', 'M device', 'S', '< {}', 'P 2', 'M completed'],
    ],
    [
      'a stop that tells of itself only after it was held (MIG-SM-O22, O32)',
      '10.0',
      [
        ...[...held.slice(0, 4), ...held.slice(6, 9), 'P 1', 'M active'],
        ...['> stop', 'M pre-switchover', 'S', '< {}'],
      ],
    ],
    [
      'a refusal of migrate whose reply the guest of a destination overtakes (MIG-SM-I07)',
      '10.0',
      [...listening.slice(0, -1), migrateTo, 'M postcopy-active', 'R', '< !GenericError'],
    ],
    [
      'a migrate on such a destination that is refused while its postcopy is paused (MIG-CMD-MIG-22, MIG-SM-I46)',
      '10.0',
      [...listening, 'R', migrateTo, 'M setup', 'M postcopy-paused', '< !GenericError'],
    ],
    [
      'the same, told the other way round (MIG-SM-E02)',
      '10.0',
      [...listening, 'R', migrateTo, 'M postcopy-paused', 'M setup', '< !GenericError'],
    ],
    [
      'a pause before the switch-over that COLO is lost by (MIG-SM-O86)',
      '7.2',
      [
        ...[capabilityOn('pause-before-switchover'), '< {}', capabilityOn('x-colo'), '< {}', ...begun],
        ...['S', 'M pre-switchover', proceed, '< {}', 'M device', 'P 2', 'M completed'],
      ],
    ],
    [
      'passes that went unseen while events were off in COLO (MIG-CMD-EVT-04)',
      '3.0',
      [
        ...colo,
        'P 2',
        'M colo',
        'R',
        eventsOn.replace('true', 'false'),
        '< {}',
        'S',
        'R',
        eventsOn,
        '< {}',
        'S',
        'P 4',
      ],
    ],
    [
      'a failure of the second reader after the guest of a destination runs (MIG-SM-I36, I38)',
      '10.0',
      [...listening, 'R', 'M failed', 'exit 1'],
    ],
    [
      'a pause that comes before the guest of a destination runs (MIG-SM-I36, I46)',
      '10.0',
      [...listening, 'M postcopy-paused', 'R'],
    ],
    [
      'a migrate on a destination whose guest runs in postcopy (MIG-CMD-MIG-22)',
      '7.2',
      [...listening, 'R', migrateTo, 'M setup', '< !GenericError', '> query-migrate', '< {"status":"setup"}'],
    ],
    [
      'a failover before the guest of the secondary is started (MIG-SM-I60, I63)',
      '10.0',
      [
        '@destination',
        eventsOn,
        '< {}',
        capabilityOn('x-colo'),
        '< {}',
        ...incoming,
        'M active',
        'M colo',
        '> x-colo-lost-heartbeat',
        'M completed',
        'R',
        'E COLO_EXIT {"mode":"secondary","reason":"request"}',
        '< {}',
      ],
    ],
    [
      'a resume that fails at once with a status of its own (MIG-SM-O70)',
      '10.0',
      [
        eventsOn,
        '< {}',
        capabilityOn('postcopy-ram'),
        '< {}',
        migrateTo,
        'M setup',
        '< {}',
        '> migrate-start-postcopy',
        '< {}',
        'P 1',
        'M active',
        'S',
        'M device',
        'P 2',
        'M postcopy-active',
        'M postcopy-paused',
        '> migrate {"uri":"fd:none","resume":true}',
        'M postcopy-recover-setup',
        'M postcopy-paused',
        '< !GenericError',
      ],
    ],
    [
      'the reply of migrate-continue between postcopy-active and its sync (MIG-SM-O53)',
      '7.2',
      [...held, proceed, 'M postcopy-active', '< {}', 'P 2'],
    ],
    [
      'a query between STOP and the status that follows it',
      '7.2',
      [...held.slice(0, -1), '> query-status', '< {"status":"finish-migrate","running":false}', 'M pre-switchover'],
    ],
    [
      'a cancel of the switch to postcopy that is first taken for a continue (MIG-SM-C08)',
      '7.2',
      [...held, '> migrate_cancel', 'M postcopy-active', 'M cancelling', 'M cancelled', '< {}'],
    ],
    [
      'dirty syncs that a cancel came before (MIG-SM-C04)',
      '7.2',
      [...begun, '> migrate_cancel', 'M cancelling', '< {}', 'P 2', 'P 3', 'M cancelled'],
    ],
    [
      'a quit in pre-switchover that tells of its cancel (QMP-D-44)',
      '7.2',
      [
        ...held.slice(0, 4),
        ...held.slice(6, 9),
        ...held.slice(11),
        ...quit,
        'M device',
        'M cancelling',
        '< {}',
        'exit 0',
      ],
    ],
    [
      'a quit whose cancel comes behind its reply, in releases between',
      '7.2',
      [...begun, '> quit', '< {}', 'E SHUTDOWN', 'M cancelling', 'exit 0'],
    ],
    [
      'a quit in COLO, whose thread tells of its end',
      '7.2',
      [...colo, 'P 2', 'M colo', ...quit, 'E COLO_EXIT {"mode":"primary","reason":"error"}', '< {}', 'exit 0'],
    ],
    ...(['7.2', '10.0'] as const).map((release): [string, DialectName, string[]] => [
      `a failover whose RESUME comes before the end of COLO is told (MIG-SM-O84, ${release})`,
      release,
      [
        ...colo,
        ...(release === '10.0' ? ['M device'] : []),
        ...['P 2', 'M colo', '> x-colo-lost-heartbeat', '< {}', 'M completed', 'R'],
        'E COLO_EXIT {"mode":"primary","reason":"request"}',
      ],
    ]),
    [
      'a migrate in COLO that is refused too late (state-machine.md §10.1)',
      '7.2',
      [
        ...colo,
        'P 2',
        'M colo',
        migrateTo,
        'M setup',
        '< !GenericError',
        '> query-migrate',
        '< {"status":"setup"}',
        'R',
      ],
    ],
    [
      'a stop that finds the switch-over stopping the guest, before that is told (MIG-SM-O30, O43)',
      '10.0',
      [...begun, '> stop', '< {}', '> query-status', '< {"status":"finish-migrate","running":false}', 'S', 'M device'],
    ],
    [
      'a stop that finds so in a cancelled migration, whose guest runs again (MIG-SM-C05)',
      '10.0',
      [...begun, '> migrate_cancel', 'M cancelling', '< {}', '> stop', '< {}', 'S', 'R', 'M cancelled'],
    ],
  ];
  for (const [title, dialect, lines] of permitted) {
    it(`permits ${title}`, () => {
      const { kind, divergence } = new Script().lines(...lines).judge(dialect);
      expect(kind, JSON.stringify(divergence)).to.equal('conforms');
    });
  }

  const forbidden: readonly [title: string, dialect: DialectName, lines: readonly string[]][] = [
    ['the sync before postcopy-active', '7.2', [...held, proceed, 'P 2', 'M postcopy-active', '< {}']],
    ['a stop that never tells of itself', '7.2', [...begun, '> stop', 'P 2', 'M completed', '< {}']],
    ['a stop that leaves the guest running', '7.2', [...begun, '> stop', '< {}', 'P 2']],
    ['a stop that is not told before the next event', '10.0', [...begun, '> stop', '< {}', 'M device']],
    ['a stop that tells of itself twice', '7.2', [...begun, '> stop', 'S', 'P 2', 'S', '< {}']],
    ['a second sync in the switch', '7.2', [...held, proceed, 'M postcopy-active', '< {}', 'P 2', 'P 3']],
    ['a completion instead of COLO', '7.2', [...colo, 'P 2', 'M completed']],
    ['a migrate in COLO that is accepted', '7.2', [...colo, 'P 2', 'M colo', migrateTo, 'M setup', '< {}']],
    [
      'a migrate in COLO that gets stuck, of a 10.0',
      '10.0',
      [...colo, 'M device', 'P 2', 'M colo', migrateTo, 'M setup'],
    ],
    ['a status after the end of a quit', '7.2', [eventsOn, '< {}', ...quit, '< {}', 'M setup', 'exit 0']],
  ];
  for (const [title, dialect, lines] of forbidden) {
    it(`does not permit ${title}`, () => {
      expect(new Script().lines(...lines).judge(dialect).kind).to.equal('divergence');
    });
  }

  it('does not wait for the setup of a destination that listened before anybody was there', () => {
    const script = new Script({ incoming: 'unix:/x' });
    expect(script.lines(eventsOn, '< {}', 'M active', 'R', 'M completed').judge('7.2').kind).to.equal('conforms');
    const late = new Script({ incoming: 'unix:/x' });
    expect(late.lines('M setup', eventsOn, '< {}', 'M active', 'M failed', 'exit 1').judge('7.2').kind).to.equal(
      'conforms',
    );
  });

  it('takes a listener that is still open for a recovery where it stays open (MIG-SM-I52)', () => {
    const lines = [
      eventsOn,
      '< {}',
      capabilityOn('postcopy-ram'),
      '< {}',
      '> migrate-incoming {"uri":"unix:/x"}',
      'M setup',
      '< {}',
      'M active',
      'M postcopy-active',
      'R',
      'M postcopy-paused',
      'M postcopy-recover',
    ];
    const judge = (dialect: DialectName) => new Script({ incoming: 'defer' }).lines(...lines).judge(dialect).kind;
    expect(judge('7.2')).to.equal('conforms');
    expect(judge('3.0')).to.equal('divergence');
  });

  it('lets a cancel end a switch to postcopy whose last dirty sync has not come (MIG-SM-C10)', () => {
    const on = ['events', 'postcopy-ram', 'pause-before-switchover'].map((capability) => ({ capability, state: true }));
    const held = [
      `> migrate-set-capabilities ${JSON.stringify({ capabilities: on })}`,
      '< {}',
      ...[migrateTo, 'M setup', '< {}', 'P 1', 'M active', '> migrate-start-postcopy', '< {}', 'S', 'M pre-switchover'],
      ...['> migrate-continue {"state":"pre-switchover"}', 'M postcopy-active', '< {}'],
    ];
    const judge = (...lines: readonly string[]) => new Script().lines(...held, ...lines).judge('7.2').kind;
    expect(judge('> migrate_cancel', 'M cancelling', '< {}', 'M cancelled', '> cont', 'R', '< {}')).to.equal(
      'conforms',
    );
    expect(judge('> migrate_cancel', 'M cancelling', '< {}', 'P 2', 'M cancelled')).to.equal('conforms');
    expect(judge('M cancelled')).to.equal('divergence');
  });

  it('knows a migrate that meets the end of a failover (MIG-DEF-15)', () => {
    const failover = ['P 2', 'M colo', '> x-colo-lost-heartbeat', 'M completed', '< {}'];
    const lines = [...colo, ...failover, migrateTo, 'M setup', '< !GenericError'];
    const judge = (...defects: string[]) => new Script().lines(...lines).judge('7.2', defects);
    expect(judge('MIG-DEF-15').defects).to.deep.equal(['MIG-DEF-15']);
    expect(judge().kind).to.equal('divergence');
  });

  it('knows a death by the reader of a return path whose migration was cancelled (MIG-DEF-28)', () => {
    const capabilities = [
      { capability: 'events', state: true },
      { capability: 'return-path', state: true },
    ];
    const setUp = [`> migrate-set-capabilities ${JSON.stringify({ capabilities })}`, '< {}'];
    const first = [
      migrateTo,
      'M setup',
      '< {}',
      'P 1',
      'M active',
      '> migrate_cancel',
      'M cancelling',
      'M cancelled',
      '< {}',
    ];
    const second = [migrateTo, 'M setup', '< {}', 'P 1', 'M active', 'die SIGSEGV'];
    const judge = (lines: readonly string[], ...defects: string[]) =>
      new Script().lines(...lines).judge('7.2', defects);
    expect(judge([...setUp, ...first, ...second], 'MIG-DEF-28').defects).to.deep.equal(['MIG-DEF-28']);
    expect(judge([...setUp, ...first, ...second]).kind).to.equal('divergence');
    expect(judge([...setUp, ...second], 'MIG-DEF-28').kind).to.equal('divergence');
  });

  it('knows a death that the connection of a cancelled migration brings (MIG-DEF-15)', () => {
    const cancel = ['> migrate_cancel', 'M cancelling', 'M cancelled', '< {}'];
    const begin = [eventsOn, '< {}', migrateTo, 'M setup', '< {}', ...cancel];
    const lines = [...begin, migrateTo, 'M setup', '< !GenericError', ...cancel, 'die SIGSEGV'];
    const judge = (...defects: string[]) => new Script().lines(...lines).judge('10.0', defects);
    expect(judge('MIG-DEF-15').defects).to.deep.equal(['MIG-DEF-15']);
    expect(judge().kind).to.equal('divergence');
  });

  it('knows a cancel that the pause of a recovery overtakes (MIG-DEF-02)', () => {
    const paused = ['M postcopy-active', 'P 2', 'M postcopy-paused'];
    const recovered = [
      '> migrate {"uri":"unix:/run/x","resume":true}',
      '< {}',
      'M postcopy-recover',
      'M postcopy-active',
    ];
    const lines = [
      ...[eventsOn, '< {}', capabilityOn('postcopy-ram'), '< {}', migrateTo, 'M setup', '< {}', 'P 1', 'M active'],
      ...['> migrate-start-postcopy', '< {}', paused[0] as string, 'S', ...paused.slice(1), ...recovered],
      ...['> migrate_cancel', 'M cancelling', '< {}', 'M postcopy-paused', '> query-migrate'],
    ];
    const judge = (...defects: string[]) => new Script().lines(...lines).judge('7.2', defects);
    expect(judge('MIG-DEF-02').defects).to.deep.equal(['MIG-DEF-02']);
    expect(judge().kind).to.equal('divergence');
  });

  it('knows a defect by the last words of the process, before the state that it was in', () => {
    const death = [...held, "says m.c:1: migrate_fd_connect: Assertion `!s->cleanup_bh' failed.", 'die SIGABRT'];
    const judge = (...defects: string[]) => new Script().lines(...death).judge('7.2', defects);
    expect(judge('MIG-DEF-09', 'MIG-DEF-15').defects).to.deep.equal(['MIG-DEF-09']);
    expect(judge().kind).to.equal('divergence');
  });
});
