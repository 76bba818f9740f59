/** commands.md §9.1: what `migrate` checks before it begins, as far as an idle source shows it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Trial } from '../../oracle/trial.js';
import { ChapterBuilder } from '../requirement.js';
import { fitsExactly, unlessExact } from './dialect-fit.js';
import { becomes, eventful, eventsAre, migrationBecomes, switchOn, unchanged } from './observe.js';
import { qcowImage } from './qcow-image.js';

const noPaused = 'Cannot resume if there is no paused migration';
const needs = { abilities: ['start', 'local'] } as const;
const incompatible = 'Command options are incompatible with current migration capabilities';

const hasDetach = (t: Trial): boolean => !t.dialect.migration.removedArguments.includes('migrate.detach');

export const migrate = new ChapterBuilder(['Migration commands', '9 migrate', 'preconditions'], 'commands.md §9.1')
  .must(
    'MIG-CMD-MIG-02.none',
    'without a paused migration there is nothing to resume',
    async (t) => {
      const session = await eventful(t);
      const { scratch } = await t.instance();
      await unchanged(t, session, 'resume', async () => {
        for (const more of hasDetach(t) ? [{}, { detach: true }, { detach: false }] : [{}]) {
          const reply = await session.command('migrate', { uri: `unix:${scratch}/absent.sock`, resume: true, ...more });
          t.failed(reply, 'GenericError', noPaused);
        }
      });
    },
    { needs },
  )
  .must(
    'MIG-CMD-MIG-02.before-03',
    'the check for a paused migration comes before that of release-ram',
    async (t) => {
      const session = await eventful(t);
      await switchOn(t, session, 'release-ram');
      const { scratch } = await t.instance();
      await unchanged(t, session, 'resume', async () => {
        const reply = await session.command('migrate', { uri: `unix:${scratch}/absent.sock`, resume: true });
        t.failed(reply, 'GenericError', noPaused);
      });
    },
    { needs: { ...needs, capabilities: ['release-ram'] } },
  )
  .must(
    'MIG-CMD-MIG-02.failed',
    'a failed migration is not one to resume, and stays failed with its text',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const { scratch } = await t.instance();
      const uri = `unix:${scratch}/absent.sock`;
      t.succeeded(await session.command('migrate', { uri }));
      await session.event('MIGRATION', { test: ({ status }) => status === 'failed' });
      await unchanged(t, session, 'resume', async () => {
        t.failed(await session.command('migrate', { uri, resume: true }), 'GenericError', noPaused);
      });
    },
    { needs },
  )
  .must(
    'MIG-CMD-MIG-02.scheme',
    'a resume with an unknown scheme is refused as well, and shows nothing',
    async (t) => {
      const session = await eventful(t);
      await unchanged(t, session, 'resume', async () => {
        const reply = await session.command('migrate', { uri: 'qmpspec-none:1', resume: true });
        const { badUri, unknownScheme } = t.dialect.migration;
        const texts = [badUri === 'first' ? unknownScheme('qmpspec-none:1') : noPaused];
        t.failed(reply, 'GenericError', fitsExactly(t.facts) ? texts : undefined);
      });
    },
    { needs: { abilities: ['start'] } },
  )
  .must(
    'MIG-CMD-MIG-09',
    'blk and inc are refused when block migration is switched on by the settings',
    async (t) => {
      const session = await eventful(t, 'migrated');
      await switchOn(t, session, 'block');
      const { scratch } = await t.instance();
      await unchanged(t, session, 'refused calls', async () => {
        for (const option of ['blk', 'inc']) {
          const reply = await session.command('migrate', { uri: `unix:${scratch}/absent.sock`, [option]: true });
          t.failed(reply, 'GenericError', incompatible, option);
        }
      });
      const accepted = { uri: `unix:${scratch}/absent.sock`, blk: false, inc: false };
      t.equal(t.succeeded(await session.command('migrate', accepted)), {}, 'with both false');
      await migrationBecomes(t, session, 'failed');
    },
    { needs: { ...needs, capabilities: ['block'], members: ['migrate.blk'] } },
  )
  .must(
    'MIG-CMD-MIG-09.incremental',
    'blk and inc are refused when block-incremental is set',
    async (t) => {
      const session = await eventful(t);
      t.succeeded(await session.command('migrate-set-parameters', { 'block-incremental': true }));
      const { scratch } = await t.instance();
      await unchanged(t, session, 'refused calls', async () => {
        for (const option of ['blk', 'inc']) {
          const reply = await session.command('migrate', { uri: `unix:${scratch}/absent.sock`, [option]: true });
          t.failed(reply, 'GenericError', incompatible, option);
        }
      });
    },
    { needs: { ...needs, parameters: ['block-incremental'], capabilities: ['block'], members: ['migrate.blk'] } },
  )
  .must(
    'MIG-CMD-MIG-20',
    'blk and inc leave the settings as they were once the migration has failed',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const { scratch } = await t.instance();
      for (const option of ['blk', 'inc']) {
        const settings = async () => [
          t.succeeded(await session.command('query-migrate-capabilities')),
          t.succeeded(await session.command('query-migrate-parameters')),
        ];
        const before = await settings();
        const mark = session.mark();
        const reply = await session.command('migrate', { uri: `unix:${scratch}/absent.sock`, [option]: true });
        t.succeeded(reply, option);
        await session.event('MIGRATION', { since: mark, test: ({ status }) => status === 'failed' });
        await migrationBecomes(t, session, 'failed');
        t.same(await settings(), before, `settings after ${option}`);
      }
    },
    { needs: { ...needs, capabilities: ['block'], members: ['migrate.blk'] } },
  )
  .must(
    'MIG-CMD-MIG-08',
    'a registered blocker refuses the migration before anything happens',
    async (t) => {
      const session = await eventful(t);
      const { scratch } = await t.instance();
      const filename = join(scratch, 'blocker.qcow');
      await writeFile(filename, qcowImage());
      const node = { driver: 'qcow', 'node-name': 'qmpspec', file: { driver: 'file', filename } };
      const added = await session.command('blockdev-add', node);
      if (added.kind === 'failure') {
        t.failed(added, 'GenericError', undefined, 'a build without qcow');
        return;
      }
      const text = "The qcow format used by node 'qmpspec' does not support live migration";
      await unchanged(t, session, 'the refused call', async () => {
        t.failed(await session.command('migrate', { uri: `unix:${scratch}/absent.sock` }), 'GenericError', text);
      });
      const info = t.succeeded(await session.command('query-migrate'));
      // Later releases tell the reasons at any time.
      if (t.dialect.name === '3.0') t.returned('query-migrate', info, [], ['blocked-reasons']);
      else t.same(info, { 'blocked-reasons': [text] }, 'query-migrate');
    },
    {
      needs: {
        ...needs,
        commands: ['blockdev-add'],
        unless: (facts) => (facts.commands === undefined ? 'commands are not listed' : unlessExact(facts)),
      },
    },
  )
  .must(
    'MIG-CMD-MIG-01.detach',
    'detach is accepted and changes nothing',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const { scratch } = await t.instance();
      for (const detach of [true, false]) {
        const mark = session.mark();
        const reply = await session.command('migrate', { uri: `unix:${scratch}/absent.sock`, detach });
        t.equal(t.succeeded(reply), {}, `detach ${detach}`);
        await session.event('MIGRATION', { since: mark, test: ({ status }) => status === 'failed' });
        eventsAre(t, t.eventNames(await session.fence(mark)), [['MIGRATION(setup)', 'MIGRATION(failed)']], `${detach}`);
      }
    },
    { needs: { ...needs, members: ['migrate.detach'] } },
  )
  .must(
    'MIG-CMD-MIG-35',
    'a failed connection leaves the guest alone, running or stopped',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const { scratch } = await t.instance();
      for (const state of ['running', 'paused']) {
        if (state === 'paused') t.succeeded(await session.command('stop'));
        const before = t.succeeded(await session.command('query-status'));
        const mark = session.mark();
        t.succeeded(await session.command('migrate', { uri: `unix:${scratch}/absent.sock` }), state);
        await migrationBecomes(t, session, 'failed');
        eventsAre(t, t.eventNames(await session.fence(mark)), [['MIGRATION(setup)', 'MIGRATION(failed)']], state);
        t.same(t.succeeded(await session.command('query-status')), before, `${state} afterwards`);
      }
      t.succeeded(await session.command('cont'));
      await becomes(t, session, 'query-status', 'running', ({ status }) => status === 'running');
    },
    { needs },
  )
  .must(
    'MIG-CMD-MIG-01.channels',
    'a release with channels wants either a URI or channels',
    async (t) => {
      const session = await eventful(t);
      await unchanged(t, session, 'refused calls', async () => {
        for (const args of hasDetach(t) ? [{}, { detach: true }] : [{}]) {
          const reply = await session.command('migrate', args);
          t.failed(reply, 'GenericError', t.dialect.migration.needsUriText);
        }
      });
    },
    { needs: { members: ['migrate.channels'] } },
  )
  .done();
