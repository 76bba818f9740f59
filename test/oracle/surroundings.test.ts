import { expect } from 'chai';
import { capabilityOn, eventsOn, migrateTo, Script } from './tracker/script.js';

const begin = [eventsOn, '< {}'];
const withPath = [...begin, capabilityOn('return-path'), '< {}'];
const toFinalWait = [migrateTo, 'M setup', '< {}', 'P 1', 'M active', 'S', 'P 2'];
const listener = ['@destination', eventsOn, '< {}', '> migrate-incoming {"uri":"unix:/run/x"}', 'M setup', '< {}'];
const peer = (behaviour: string) => `channel listens at /run/x: ${behaviour}`;
const accepted = 'channel connection 1: accepted';
const ended = 'channel connection 1: the stream has ended';

type Case = readonly [title: string, lines: readonly string[]];

describe('what surrounds a process', () => {
  const permitted: readonly Case[] = [
    ['completed after SHUT 0', [...withPath, peer('answer'), ...toFinalWait, accepted, ended, 'M completed']],
    [
      'completed without a return path, whatever the peer read',
      [...begin, peer('stall'), ...toFinalWait, 'M completed'],
    ],
    ['failed after a cut', [...begin, peer('stall'), ...toFinalWait.slice(0, 5), accepted, 'channel cut', 'M failed']],
    [
      'a full queue that lets in',
      [
        ...begin,
        'channel the queue at /run/x is full',
        migrateTo,
        'M setup',
        '< {}',
        'channel released',
        'P 1',
        'M active',
      ],
    ],
    ['nobody there', [...begin, 'channel nobody listens at /run/x', migrateTo, 'M setup', '< {}', 'M failed']],
    [
      'another peer there by the time',
      [...withPath, peer('answer'), ...toFinalWait, ended, peer('silent'), 'M completed'],
    ],
    [
      'a failure after a cancel (MIG-DEF-01 apart, its channel is shut)',
      [...begin, peer('answer'), ...toFinalWait.slice(0, 5), '> migrate_cancel', 'M cancelling', '< {}', 'M cancelled'],
    ],
    [
      'both sides to the end, the destination first',
      [
        ...begin,
        ...listener,
        '@source',
        ...toFinalWait,
        '@destination',
        'M active',
        'R',
        'M completed',
        '@source',
        'M completed',
      ],
    ],
    [
      'a source that has written all and fails',
      [
        ...withPath,
        ...listener,
        '@source',
        ...toFinalWait,
        '@destination',
        'M active',
        'R',
        'M completed',
        '@source',
        'M failed',
        'R',
      ],
    ],
    [
      'a destination that cannot load',
      [
        ...begin,
        ...listener,
        '@source',
        ...toFinalWait,
        '@destination',
        'M active',
        'M failed',
        'exit 1',
        '@source',
        'M completed',
      ],
    ],
  ];
  for (const [title, lines] of permitted) {
    it(`permits ${title}`, () => {
      const judgement = new Script().lines(...lines).judge('7.2');
      expect(judgement.divergence, JSON.stringify(judgement.divergence)).to.equal(undefined);
      expect(judgement.kind).to.equal('conforms');
    });
  }

  const forbidden: readonly (readonly [title: string, row: string, lines: readonly string[]])[] = [
    [
      'completed while the peer withholds SHUT',
      'MIG-SM-O37',
      [...withPath, peer('silent'), ...toFinalWait, ended, 'M completed'],
    ],
    ['completed before the end was read', 'MIG-SM-O37', [...withPath, peer('answer'), ...toFinalWait, 'M completed']],
    ['completed after SHUT 1', 'MIG-SM-O38', [...withPath, peer('error'), ...toFinalWait, ended, 'M completed']],
    [
      'active while nobody listens',
      'MIG-SM-O08',
      [...begin, 'channel nobody listens at /run/x', migrateTo, 'M setup', '< {}', 'P 1'],
    ],
    [
      'active while the queue is full',
      'MIG-SM-O07',
      [...begin, 'channel the queue at /run/x is full', migrateTo, 'M setup', '< {}', 'P 1'],
    ],
    [
      'failed while the peer reads on',
      'MIG-SM-O21',
      [...begin, peer('answer'), ...toFinalWait.slice(0, 5), accepted, 'M failed'],
    ],
    [
      'a destination completed with what its source never sent',
      'MIG-SM-I21',
      [
        ...begin,
        ...listener,
        '@source',
        ...toFinalWait.slice(0, 5),
        'M failed',
        '@destination',
        'M active',
        'R',
        'M completed',
      ],
    ],
    [
      'a source that fails before the end which its destination has loaded',
      'MIG-SM-I21',
      [
        ...begin,
        ...listener,
        '@source',
        ...toFinalWait.slice(0, 5),
        '@destination',
        'M active',
        'R',
        'M completed',
        '@source',
        'M failed',
      ],
    ],
    [
      'a source that completed on a SHUT 0 which a failed load cannot have sent',
      'MIG-SM-I21',
      [
        ...withPath,
        ...listener,
        '@source',
        ...toFinalWait,
        '@destination',
        'M active',
        '@source',
        'M completed',
        '@destination',
        'M failed',
      ],
    ],
    [
      'a connect that failed although the destination accepted it',
      'MIG-SM-I09',
      [
        ...begin,
        ...listener,
        '@source',
        migrateTo,
        'M setup',
        '< {}',
        '@destination',
        'M active',
        '@source',
        'M failed',
      ],
    ],
  ];
  for (const [title, row, lines] of forbidden) {
    it(`finds ${title}`, () => {
      const { kind, divergence } = new Script().lines(...lines).judge('7.2');
      expect(kind).to.equal('divergence');
      expect(divergence?.permitted.flatMap(({ rows }) => rows)).to.include(row);
    });
  }
});

describe('a second monitor', () => {
  const second = ['@source#2', '@source'];
  const permitted: readonly Case[] = [
    [
      'a stop there, seen here before its reply',
      [...second, '@source#2', '> stop', '@source', 'S', '@source#2', 'S', '< {}'],
    ],
    ['a stop there, answered before it is seen here', [...second, '@source#2', '> stop', 'S', '< {}', '@source', 'S']],
    [
      'settings there that show here',
      [
        ...second,
        '@source#2',
        '> migrate-set-parameters {"downtime-limit":5}',
        '< {}',
        '@source',
        '> migrate-set-parameters {"downtime-limit":-1}',
        '< !GenericError',
      ],
    ],
    [
      'a race of two monitors, either order',
      [...second, '> stop', '@source#2', '> cont', '@source', 'S', '< {}', 'R', '@source#2', 'S', 'R', '< {}'],
    ],
    [
      'a migration begun there',
      [
        eventsOn,
        '< {}',
        ...second,
        '@source#2',
        migrateTo,
        'M setup',
        '< {}',
        '@source',
        'M setup',
        'P 1',
        'M active',
        '@source#2',
        'P 1',
        'M active',
      ],
    ],
  ];
  for (const [title, lines] of permitted) {
    it(`permits ${title}`, () => {
      const judgement = new Script().lines(...lines).judge('7.2');
      expect(judgement.divergence, JSON.stringify(judgement.divergence)).to.equal(undefined);
      expect(judgement.kind).to.equal('conforms');
    });
  }

  it('is not taken for the first one, on which the same was done out of band in another transcript', () => {
    const capability = '{"capabilities":[{"capability":"postcopy-ram","state":true}]}';
    const away = ['M setup', '< {}', 'P 1', 'M active', '> migrate-start-postcopy', '< {}', 'S', 'M device', 'P 2'];
    const begin = [eventsOn, '< {}', `> migrate-set-capabilities ${capability}`, '< {}', migrateTo, ...away];
    const one = new Script({}, true).lines(
      ...begin,
      'M postcopy-active',
      '>> migrate-pause',
      '< {}',
      'M postcopy-paused',
    );
    const two = new Script().lines(
      ...begin,
      ...['M postcopy-active', '@source#2', '> migrate-pause', '< {}', 'M postcopy-paused', '@source'],
      ...['M postcopy-paused', '> migrate {"uri":"unix:/x","resume":true}', 'M postcopy-recover-setup', '< {}'],
    );
    for (const script of [one, two]) expect(script.judge('10.0')).to.deep.include({ kind: 'conforms' });
  });

  const forbidden: readonly Case[] = [
    ['a refusal of what cannot be refused', [...second, '@source#2', '> stop', '< !GenericError']],
    ['success of what must be refused', [...second, '@source#2', '> migrate-continue {"state":"device"}', '< {}']],
    ['an event without its cause', [...second, '@source#2', '> cont', '@source', 'S']],
    [
      'a reply that was answered before the command that it follows',
      [
        eventsOn,
        '< {}',
        ...second,
        '@source#2',
        migrateTo,
        '< {}',
        '@source',
        // Sent after migrate was answered there, so it must meet a migration that is under way.
        '> migrate-set-capabilities {"capabilities":[{"capability":"xbzrle","state":true}]}',
        '< {}',
      ],
    ],
    [
      'an event that another connection did not get',
      [
        ...second,
        '> query-status',
        '< {"status":"running","running":true,"singlestep":false}',
        '> stop',
        'S',
        '< {}',
        '> cont',
        'R',
        '< {}',
        '@source#2',
        'R',
      ],
    ],
  ];
  for (const [title, lines] of forbidden) {
    it(`finds ${title}`, () => {
      expect(new Script().lines(...lines).judge('7.2').kind).to.equal('divergence');
    });
  }
});
