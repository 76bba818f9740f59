import { expect } from 'chai';
import { begun, capabilityOn, eventsOn, migrateTo, Script } from './script.js';

const success = ['M setup', '< {}', 'P 1', 'M active', 'S', 'P 2', 'M completed'];

describe('the judge on one source', () => {
  const permitted: readonly [title: string, lines: readonly string[]][] = [
    ['a plain success (MIG-SM-R01)', [eventsOn, '< {}', migrateTo, ...success]],
    ['more passes while iterating', [...begun, 'P 2', 'P 3', 'S', 'P 4', 'M completed']],
    ['no migration events with events off', [migrateTo, '< {}', 'S']],
    ['a refused connection (MIG-SM-R03)', [eventsOn, '< {}', migrateTo, 'M setup', '< {}', 'M failed']],
    [
      'an unknown scheme (MIG-SM-O03)',
      [eventsOn, '< {}', '> migrate {"uri":"x:y"}', 'M setup', 'M failed', '< !GenericError'],
    ],
    ['cancel while iterating (MIG-SM-C04)', [...begun, '> migrate_cancel', 'M cancelling', '< {}', 'M cancelled']],
    [
      'pre-switchover, then continue, with the reply on either side of device (MIG-SM-O33)',
      [
        eventsOn,
        '< {}',
        capabilityOn('pause-before-switchover'),
        '< {}',
        migrateTo,
        'M setup',
        '< {}',
        'P 1',
        'M active',
        'S',
        'M pre-switchover',
        '> migrate-continue {"state":"pre-switchover"}',
        'M device',
        '< {}',
        'P 2',
        'M completed',
      ],
    ],
    [
      'passes that were counted unseen while events was off (MIG-DEF-18)',
      [migrateTo, '< {}', 'S', '> cont', 'R', '< {}', eventsOn, '< {}', migrateTo, 'M setup', '< {}', 'P 3'],
    ],
    ['quit, with the event on either side of its reply', ['> quit', '< {}', 'E SHUTDOWN', 'exit 0']],
    [
      'an event of another kind',
      ['E RTC_CHANGE', '> query-status', '< {"status":"running","running":true,"singlestep":false}'],
    ],
    ['a refused argument', ['> migrate {"uri":5}', '< !GenericError']],
    ['an unknown command', ['> qmpspec-none', '< !CommandNotFound']],
  ];
  for (const [title, lines] of permitted) {
    it(`permits ${title}`, () => {
      const judgement = new Script().lines(...lines).judge();
      expect(judgement.divergence, JSON.stringify(judgement.divergence)).to.equal(undefined);
      expect(judgement.kind).to.equal('conforms');
      expect(judgement.observations).to.be.greaterThan(0);
    });
  }

  const forbidden: readonly [title: string, row: string, lines: readonly string[]][] = [
    ['active before the reply of migrate', 'MIG-SM-O01', [eventsOn, '< {}', migrateTo, 'M setup', 'P 1']],
    ['a status that is skipped', 'MIG-SM-O12', [eventsOn, '< {}', migrateTo, 'M setup', '< {}', 'P 1', 'S']],
    ['completed without stopping the guest', 'MIG-SM-O30', [...begun, 'M completed']],
    ['an event twice', 'MIG-SM-O12', [...begun, 'M active']],
    ['a pass number that does not count on', 'MIG-SM-O20', [...begun, 'P 7']],
    ['migration events with events off', 'MIG-SM-O01', [migrateTo, 'M setup']],
    [
      'a second migrate that is accepted',
      'MIG-CMD-MIG-05',
      [eventsOn, '< {}', migrateTo, 'M setup', '< {}', migrateTo, '< {}'],
    ],
    ['a continue in the wrong state', 'MIG-CMD-CONT-01', ['> migrate-continue {"state":"pre-switchover"}', '< {}']],
    ['cancelled without cancelling', 'MIG-SM-O21', [...begun, '> migrate_cancel', '< {}', 'M cancelled']],
    [
      'a lost parameter',
      'MIG-CMD-QPAR-01',
      [
        '> migrate-set-parameters {"downtime-limit":5}',
        '< {}',
        '> query-migrate-parameters',
        '< {"downtime-limit":300}',
      ],
    ],
    ['status none shown', 'MIG-CMD-QMIG-01', ['> query-migrate', '< {"status":"active"}']],
    ['STOP twice', 'MIG-SM-O22', ['> stop', 'S', 'S']],
    ['a first pass that is not 1', 'MIG-CMD-EVT-04', [eventsOn, '< {}', migrateTo, 'M setup', '< {}', 'P 0']],
    ['a pass number that begins anew in the same migration', 'MIG-CMD-EVT-04', [...begun, 'P 2', 'P 1']],
    ['a reply too many', '', ['> query-status', '< {"status":"running","running":true}', '< {}']],
    ['death', '', [migrateTo, '< {}', 'die SIGSEGV']],
  ];
  for (const [title, row, lines] of forbidden) {
    it(`finds ${title}`, () => {
      const { kind, divergence } = new Script().lines(...lines).judge();
      expect(kind).to.equal('divergence');
      expect(divergence?.permitted).not.to.have.lengthOf(0);
      const rows = divergence?.permitted.flatMap((one) => one.rows) ?? [];
      if (row !== '') expect(rows.join(' ')).to.include(row.slice(0, 8));
      expect(divergence?.entry).to.be.a('number');
    });
  }

  it('looks at the dialect: device always in 10.0', () => {
    const lines = [...begun, 'S', 'M device', 'P 2', 'M completed'];
    expect(new Script().lines(...lines).judge('10.0').kind).to.equal('conforms');
    expect(new Script().lines(...lines).judge('3.0').kind).to.equal('divergence');
  });

  it('names a known defect of an affected version, and a divergence of any other', () => {
    const lines = [...begun, '> migrate_cancel', 'M cancelling', '< {}', 'M failed'];
    const affected = new Script().lines(...lines).judge('3.0', ['MIG-DEF-01']);
    expect([affected.kind, affected.defects]).to.deep.equal(['known-defect', ['MIG-DEF-01']]);
    expect(new Script().lines(...lines).judge('3.0').kind).to.equal('divergence');
  });

  it('says that there was nothing to judge', () => {
    expect(new Script().judge().observations).to.equal(1);
    const { transcript } = new Script();
    transcript.entries.length = 2;
    expect(new Script().judge().kind).to.equal('conforms');
  });

  it('judges figures: counters never run backwards (MIG-CMD-INV-03)', () => {
    const ram = (normal: number) =>
      JSON.stringify({ 'page-size': 4096, normal, 'normal-bytes': normal * 4096, total: 8192, remaining: 0 });
    const info = (normal: number) =>
      `< {"status":"active","total-time":1,"expected-downtime":1,"setup-time":0,"ram":${ram(normal)}}`;
    const begin = [...begun, '> query-migrate'];
    const up = new Script().lines(...begin, info(1), '> query-migrate', info(2)).judge();
    expect(up.kind).to.equal('conforms');
    const down = new Script().lines(...begin, info(2), '> query-migrate', info(1)).judge();
    expect(down.divergence?.permitted[0]?.rows).to.deep.equal(['MIG-CMD-INV-03']);
  });
});
