/** qmp-protocol.md §15: what works while a process waits for a migration, and what is refused. */
import { existsSync } from 'node:fs';
import type { Trial } from '../../oracle/trial.js';
import type { Session } from '../../protocol/session.js';
import { ChapterBuilder } from '../requirement.js';
import { pauseText } from './10-control.js';
import { fitsExactly } from './dialect-fit.js';
import { eventsAre, look, switchOn, unchanged } from './observe.js';

async function waiting(t: Trial): Promise<Session> {
  const session = await t.session({ to: await t.start({ incoming: 'defer' }, 'destination') });
  await switchOn(t, session, 'events');
  return session;
}

const waitingText = 'Guest is waiting for an incoming migration';
const scratchOf = (t: Trial): string => t.instances[0]?.scratch ?? '';

export const waitingState = new ChapterBuilder(['Migration commands', '11 While waiting'], 'qmp-protocol.md §15', {
  abilities: ['start', 'incoming'],
})
  .must(
    'MIG-SM-I03.idle',
    'a deferred process is in run state inmigrate, not running, and shows no migration',
    async (t) => {
      for (const paused of [false, true]) {
        const instance = await t.start({ incoming: 'defer', ...(paused ? { paused } : {}) }, 'destination');
        const session = await t.session({ to: instance });
        const { 'query-status': status, 'query-migrate': info } = await look(t, session);
        const { status: name, running } = status as { status: string; running: boolean };
        t.same([name, running], ['inmigrate', false], 'query-status');
        t.equal(info, {}, 'query-migrate');
      }
    },
  )
  .must('QMP-RUN-19.migrate', 'migrate is refused', async (t) => {
    const session = await waiting(t);
    await unchanged(t, session, 'migrate', async () => {
      t.failed(
        await session.command('migrate', { uri: `unix:${scratchOf(t)}/absent.sock` }),
        'GenericError',
        waitingText,
      );
      const { badUri, unknownScheme } = t.dialect.migration;
      const text = badUri === 'first' ? unknownScheme('qmpspec-none:1') : waitingText;
      const reply = await session.command('migrate', { uri: 'qmpspec-none:1' });
      t.failed(reply, 'GenericError', fitsExactly(t.facts) ? text : undefined, 'an unknown scheme');
    });
  })
  .must(
    'QMP-RUN-19.dump',
    'dump-guest-memory is refused',
    async (t) => {
      const session = await waiting(t);
      const file = `${scratchOf(t)}/dump`;
      await unchanged(t, session, 'dump-guest-memory', async () => {
        const reply = await session.command('dump-guest-memory', { paging: false, protocol: `file:${file}` });
        t.failed(reply, 'GenericError', 'Dump not allowed during incoming migration.');
      });
      t.check(!existsSync(file), 'no file', 'the file was made');
    },
    { needs: { commands: ['dump-guest-memory'] } },
  )
  .must('QMP-RUN-20.settings', 'capabilities and parameters can be set', async (t) => {
    const session = await waiting(t);
    await switchOn(t, session, 'xbzrle', 'return-path');
    t.succeeded(await session.command('migrate-set-parameters', { 'max-bandwidth': 4711 }));
    const seen = await look(t, session);
    t.equal((seen['query-migrate-parameters'] as { 'max-bandwidth'?: number })['max-bandwidth'], 4711, 'max-bandwidth');
    const on = (seen['query-migrate-capabilities'] as { capability: string; state: boolean }[])
      .filter(({ state }) => state)
      .map(({ capability }) => capability);
    t.same(on.sort(), ['events', 'return-path', 'xbzrle'], 'capabilities that are on');
  })
  .must('QMP-RUN-20.cancel', 'migrate_cancel succeeds and does nothing', async (t) => {
    const session = await waiting(t);
    await unchanged(t, session, 'migrate_cancel', async () => {
      t.equal(t.succeeded(await session.command('migrate_cancel')), {}, 'migrate_cancel');
    });
  })
  .must('QMP-RUN-20.stop-cont', 'stop and cont succeed, show nothing and change nothing that is shown', async (t) => {
    const session = await waiting(t);
    await unchanged(t, session, 'stop and cont', async () => {
      for (const name of ['stop', 'cont', 'cont', 'stop']) t.equal(t.succeeded(await session.command(name)), {}, name);
    });
  })
  .must(
    'QMP-RUN-20.reset',
    'system_reset and system_powerdown are announced and leave the process waiting',
    async (t) => {
      const session = await waiting(t);
      const before = await look(t, session);
      for (const [name, announced] of [
        ['system_reset', 'RESET'],
        ['system_powerdown', 'POWERDOWN'],
      ] as const) {
        const mark = session.mark();
        t.equal(t.succeeded(await session.command(name)), {}, name);
        await session.event(announced, { since: mark });
        eventsAre(t, t.eventNames(await session.fence(mark)), [[announced]], name);
      }
      const after = await look(t, session);
      for (const [name, value] of Object.entries(after)) t.same(value, before[name], name);
    },
    { needs: { commands: ['system_reset', 'system_powerdown'] } },
  )
  .must('QMP-RUN-21', 'the commands that control an outgoing migration answer as on an idle source', async (t) => {
    const session = await waiting(t);
    await unchanged(t, session, 'control commands', async () => {
      t.failed(
        await session.command('migrate-start-postcopy'),
        'GenericError',
        'Enable postcopy with migrate_set_capability before the start of migration',
      );
      const text = 'Migration not in expected state: none';
      t.failed(await session.command('migrate-continue', { state: 'active' }), 'GenericError', text);
      t.equal(t.succeeded(await session.command('migrate-continue', { state: 'none' })), {}, 'migrate-continue none');
      t.failed(await session.command('migrate-pause'), 'GenericError', pauseText(t));
      const recover = await session.command('migrate-recover', { uri: `unix:${scratchOf(t)}/recover.sock` });
      t.failed(recover, 'GenericError', 'Migrate recover can only be run when postcopy is paused.');
    });
  })
  .must(
    'MIG-CMD-MIG-02.waiting',
    'a resume is refused for want of a paused migration before the waiting counts',
    async (t) => {
      const session = await waiting(t);
      await unchanged(t, session, 'resume', async () => {
        const reply = await session.command('migrate', { uri: `unix:${scratchOf(t)}/absent.sock`, resume: true });
        t.failed(reply, 'GenericError', 'Cannot resume if there is no paused migration');
      });
    },
  )
  .must('QMP-RUN-22', 'migrate-incoming on a process that listens already is refused', async (t) => {
    const session = await t.session({ to: await t.start({ incoming: 'unix:in.sock' }, 'destination') });
    await unchanged(t, session, 'migrate-incoming', async () => {
      for (const uri of ['unix:other.sock', 'qmpspec-none:1']) {
        t.failed(
          await session.command('migrate-incoming', { uri }),
          'GenericError',
          t.dialect.migration.startedByUriText,
        );
      }
    });
  })
  .must(
    'MIG-CMD-GEN-09',
    'a waiting process has one set of capabilities and parameters, with the same defaults',
    async (t) => {
      const session = await t.session({ to: await t.start({ incoming: 'defer' }, 'destination') });
      const seen = await look(t, session);
      t.same(seen['query-migrate-parameters'], t.facts.settings?.parameters, 'parameters');
      t.same(seen['query-migrate-capabilities'], t.facts.settings?.capabilities, 'capabilities');
    },
  )
  .done();
