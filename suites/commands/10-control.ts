/** commands.md §10: cancel, continue, start-postcopy, pause and recover, before any migration and after a failed one. */
import type { Trial } from '../../oracle/trial.js';
import type { Session } from '../../protocol/session.js';
import { statusesOf } from '../../qapi/enums.js';
import { ChapterBuilder } from '../requirement.js';
import { unlessIntrospected } from './dialect-fit.js';
import { eventful, switchOn, unchanged } from './observe.js';

const enablePostcopy = 'Enable postcopy with migrate_set_capability before the start of migration';
const startFirst = 'Postcopy must be started after migration has been started';
const recoverText = 'Migrate recover can only be run when postcopy is paused.';

export const pauseText = (t: Trial): string =>
  `migrate-pause is currently only supported during postcopy-active ${t.dialect.migration.pauseInRecover ? 'or postcopy-recover ' : ''}state`;

/** A session on the plain instance, with `events` on, whose last migration has failed. */
async function failed(t: Trial): Promise<Session> {
  const session = await eventful(t, 'migrated');
  const { scratch } = await t.instance();
  t.succeeded(await session.command('migrate', { uri: `unix:${scratch}/absent.sock` }));
  await session.event('MIGRATION', { test: ({ status }) => status === 'failed' });
  return session;
}

const states = {
  none: { reach: eventful, needs: { abilities: ['start'] } },
  failed: { reach: failed, needs: { abilities: ['start', 'local'] } },
} as const;

const chapter = new ChapterBuilder(['Migration commands', '10 Control'], 'commands.md §10');
for (const [state, { reach, needs }] of Object.entries(states)) {
  const where = state === 'none' ? 'before any migration' : 'after a failed migration';
  chapter
    .must(
      `MIG-CMD-CAN-02.${state}`,
      `${where} migrate_cancel succeeds and does nothing`,
      async (t) => {
        const session = await reach(t);
        await unchanged(t, session, 'migrate_cancel', async () => {
          for (let i = 0; i < 3; i++)
            t.equal(t.succeeded(await session.command('migrate_cancel')), {}, 'migrate_cancel');
        });
      },
      { needs },
    )
    .must(
      `MIG-CMD-CONT-01.${state}`,
      `${where} migrate-continue succeeds for "${state}" and for no other status`,
      async (t) => {
        const session = await reach(t);
        const statuses = statusesOf(t.facts.schema);
        t.check(statuses.includes(state), 'statuses in the schema', statuses.join(', '));
        await unchanged(t, session, 'migrate-continue', async () => {
          for (const name of statuses) {
            const reply = await session.command('migrate-continue', { state: name });
            if (name === state) t.equal(t.succeeded(reply, name), {}, name);
            else t.failed(reply, 'GenericError', `Migration not in expected state: ${state}`, name);
          }
        });
      },
      { needs },
    )
    .must(
      `MIG-CMD-SPC-01.${state}`,
      `${where} migrate-start-postcopy wants a postcopy capability first`,
      async (t) => {
        const session = await reach(t);
        await unchanged(t, session, 'without a capability', async () => {
          t.failed(await session.command('migrate-start-postcopy'), 'GenericError', enablePostcopy);
        });
        // Others do not help.
        await switchOn(t, session, 'return-path', 'xbzrle', 'auto-converge');
        t.failed(await session.command('migrate-start-postcopy'), 'GenericError', enablePostcopy);
      },
      { needs },
    )
    .must(
      `MIG-CMD-PAU-03.${state}`,
      `${where} migrate-pause is refused`,
      async (t) => {
        const session = await reach(t);
        await unchanged(t, session, 'migrate-pause', async () => {
          t.failed(await session.command('migrate-pause'), 'GenericError', pauseText(t));
        });
        await switchOn(t, session, 'postcopy-ram');
        t.failed(await session.command('migrate-pause'), 'GenericError', pauseText(t), 'with postcopy-ram');
      },
      { needs },
    )
    .must(
      `MIG-CMD-REC-01.${state}`,
      `${where} migrate-recover is refused, whatever the URI`,
      async (t) => {
        const session = await reach(t);
        const { scratch } = await t.instance();
        await unchanged(t, session, 'migrate-recover', async () => {
          for (const uri of [`unix:${scratch}/recover.sock`, 'tcp:127.0.0.1:0', 'qmpspec-none:1', '', 'defer']) {
            t.failed(await session.command('migrate-recover', { uri }), 'GenericError', recoverText, uri);
          }
        });
      },
      { needs },
    );
}

for (const capability of ['postcopy-ram', 'dirty-bitmaps']) {
  chapter
    .must(
      `MIG-CMD-SPC-02.${capability}`,
      `with ${capability}, migrate-start-postcopy wants a migration`,
      async (t) => {
        const session = await eventful(t);
        await switchOn(t, session, capability);
        await unchanged(t, session, 'migrate-start-postcopy', async () => {
          t.failed(await session.command('migrate-start-postcopy'), 'GenericError', startFirst);
        });
      },
      { needs: { ...states.none.needs, capabilities: [capability] } },
    )
    .must(
      `MIG-CMD-SPC-03.${capability}`,
      `with ${capability}, migrate-start-postcopy succeeds after a failed migration, without effect`,
      async (t) => {
        const session = await failed(t);
        await switchOn(t, session, capability);
        await unchanged(t, session, 'migrate-start-postcopy', async () => {
          for (let i = 0; i < 2; i++)
            t.equal(t.succeeded(await session.command('migrate-start-postcopy')), {}, 'again');
        });
      },
      { needs: { ...states.failed.needs, capabilities: [capability] } },
    );
}

export const control = chapter
  .must(
    'MIG-CMD-CONT-01.enum',
    'migrate-continue refuses names that are no status',
    async (t) => {
      const session = await eventful(t);
      await unchanged(t, session, 'refused calls', async () => {
        for (const name of ['', 'None', 'NONE', 'none ', 'qmpspec-none', 'pre_switchover', 'inmigrate']) {
          const reply = await session.command('migrate-continue', { state: name });
          t.failed(reply, 'GenericError', t.dialect.protocol.enumError('state', name), name);
        }
      });
    },
    { needs: { abilities: ['start'] } },
  )
  .must(
    'MIG-CMD-SCAP-02.failed',
    'after a failed migration capabilities can be set',
    async (t) => {
      const session = await failed(t);
      await switchOn(t, session, 'xbzrle');
      t.equal(
        t.succeeded(await session.command('migrate-set-capabilities', { capabilities: [] })),
        {},
        'an empty list',
      );
    },
    { needs: states.failed.needs },
  )
  .must(
    'MIG-CMD-CAN-01.commands',
    'the control commands answer in order when they are sent without waiting',
    async (t) => {
      const session = await eventful(t);
      const mark = session.mark();
      const calls: readonly (readonly [string, object?])[] = [
        ['migrate_cancel'],
        ['migrate-pause'],
        ['migrate-continue', { state: 'none' }],
        ['migrate-start-postcopy'],
        ['migrate_cancel'],
        ['migrate-recover', { uri: 'qmpspec-none:1' }],
        ['query-migrate'],
      ];
      const ids = calls.map(([name, args]) => session.post(name, args));
      const messages = await session.take(mark, ids.length, 'a reply for each');
      t.same(
        messages.map(({ value }) => (value as { id?: string }).id ?? null),
        ids,
        'ids',
      );
      const good = messages.map(({ kind }) => kind === 'success');
      t.same(good, [true, false, true, false, true, false, true], 'successes');
    },
    { needs: { abilities: ['start'], unless: unlessIntrospected } },
  )
  .done();
