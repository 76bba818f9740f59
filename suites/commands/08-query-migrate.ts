/** commands.md §8: query-migrate, as far as no migration runs. */
import { isObject } from '../../protocol/json.js';
import { validatorsFor } from '../../qapi/validators.js';
import { ChapterBuilder } from '../requirement.js';
import { channel } from '../state-machine/source.js';
import { diskNeeds, showsDisk } from './08-disk.js';
import { eventful, migrationBecomes, runStateBecomes, unchanged } from './observe.js';
import { refusedPort } from './refused-port.js';

const needs = { abilities: ['start', 'local'] } as const;

export const queryMigrate = new ChapterBuilder(['Migration commands', '8 query-migrate'], 'commands.md §8')
  .must(
    'MIG-CMD-QMIG-01.idle',
    'before any migration the answer is an empty object',
    async (t) => {
      const session = await t.session();
      t.equal(t.succeeded(await session.command('query-migrate')), {}, 'query-migrate');
    },
    { needs: { abilities: ['start'] } },
  )
  .must(
    'MIG-CMD-QMIG-01.after-refusals',
    'refused control commands do not make it show a status',
    async (t) => {
      const session = await eventful(t);
      await unchanged(t, session, 'refused commands', async () => {
        for (const name of ['migrate-pause', 'migrate-start-postcopy', 'migrate_cancel']) await session.command(name);
        await session.command('migrate-continue', { state: 'active' });
      });
      t.equal(t.succeeded(await session.command('query-migrate')), {}, 'query-migrate');
    },
    { needs: { abilities: ['start'] } },
  )
  .must('MIG-CMD-QMIG-03.disk', 'while a disk is migrated its figures are shown, and not afterwards', showsDisk, {
    needs: diskNeeds,
  })
  .must(
    'MIG-CMD-QMIG-03.failed',
    'after a refused connection it shows failed and why, and nothing else',
    async (t) => {
      const session = await t.session({ condition: 'migrated' });
      const { scratch } = await t.instance();
      t.succeeded(await session.command('migrate', { uri: `unix:${scratch}/absent.sock` }));
      const info = await migrationBecomes(t, session, 'failed');
      t.returned('query-migrate', info, ['status', 'error-desc']);
      const faults = validatorsFor(t.facts.schema).returns('query-migrate')(info);
      t.same(
        faults.map(({ path, expected }) => `${path}: ${expected}`),
        [],
        'faults against the schema',
      );
      t.same(t.succeeded(await session.command('query-migrate')), info, 'asked again');
    },
    { needs },
  )
  .must(
    'MIG-CMD-QMIG-03.tcp',
    'a refused tcp connection shows the reason of the system',
    async (t) => {
      const session = await t.session({ condition: 'migrated' });
      const held = await refusedPort();
      try {
        t.succeeded(await session.command('migrate', { uri: `tcp:127.0.0.1:${held.port}` }));
        const info = await migrationBecomes(t, session, 'failed');
        t.returned('query-migrate', info, ['status', 'error-desc']);
        t.check(String(info['error-desc']).length > 0, 'a text', 'an empty one', 'error-desc');
      } finally {
        held.release();
      }
    },
    { needs },
  )
  .must(
    'MIG-CMD-QMIG-03.settings',
    'a failed migration is shown the same whatever the settings are afterwards',
    async (t) => {
      const session = await t.session({ condition: 'migrated' });
      const { scratch } = await t.instance();
      t.succeeded(await session.command('migrate', { uri: `unix:${scratch}/absent.sock` }));
      const info = await migrationBecomes(t, session, 'failed');
      const capabilities = ['xbzrle', 'events'].map((capability) => ({ capability, state: true }));
      t.succeeded(await session.command('migrate-set-capabilities', { capabilities }));
      t.succeeded(await session.command('migrate-set-parameters', { 'max-bandwidth': 4711 }));
      t.same(t.succeeded(await session.command('query-migrate')), info, 'query-migrate');
    },
    { needs },
  )
  .must(
    'MIG-CMD-MIG-21.error-desc',
    'the text of a failure gives way to that of the next one',
    async (t) => {
      const session = await t.session({ condition: 'migrated' });
      const { scratch } = await t.instance();
      const texts: string[] = [];
      for (const name of ['first', 'second']) {
        t.succeeded(await session.command('migrate', { uri: `unix:${scratch}/${name}.sock` }), name);
        const info = await migrationBecomes(t, session, 'failed');
        texts.push(isObject(info) ? String(info['error-desc']) : '');
      }
      if (t.strictDesc) t.check(texts[1]?.includes('second.sock') === true, 'the second path in the text', texts[1]);
      t.check(texts[1]?.includes('first.sock') === false, 'no first path in the text', texts[1]);
      const peer = await channel(t, await t.instance(), 'answer');
      t.succeeded(await session.command('migrate', { uri: peer.uri }), 'third');
      const info = await migrationBecomes(t, session, 'completed');
      t.check(info['error-desc'] === undefined, 'no text behind a good migration', String(info['error-desc']));
      await runStateBecomes(t, session, 'postmigrate');
    },
    { needs },
  )
  .done();
