/** commands.md §9.3: TLS credentials that cannot be used, found before any handshake. */
import { event, success } from '../../oracle/patterns.js';
import type { Trial } from '../../oracle/trial.js';
import type { Session } from '../../protocol/session.js';
import { ChapterBuilder } from '../requirement.js';
import { eventful, migrationBecomes } from './observe.js';
import { listenAt } from './our-listener.js';

const needs = { abilities: ['start', 'local'] } as const;

/** Migrates to a listener of ours, and back gives the text of the failure. */
async function failure(t: Trial, session: Session, path: string): Promise<string> {
  const mark = session.mark();
  const id = session.post('migrate', { uri: `unix:${path}` });
  await session.event('MIGRATION', { since: mark, test: ({ status }) => status === 'failed' });
  const expected = [event('MIGRATION', { status: 'setup' }), success({}, id), event('MIGRATION', { status: 'failed' })];
  t.sequence(await session.fence(mark), expected);
  const info = await migrationBecomes(t, session, 'failed');
  t.returned('query-migrate', info, ['status', 'error-desc']);
  return String(info['error-desc']);
}

/** A text says why; that it names what it is about is a matter of its words. */
function names(t: Trial, text: string, what: string): void {
  t.check(text !== '', 'a text', text, 'error-desc');
  if (t.strictDesc) t.check(text.includes(what), `${what} in the text`, text, 'error-desc');
}

export const tls = new ChapterBuilder(['Migration commands', '9 migrate', 'TLS'], 'commands.md §9.3', needs)
  .must(
    'MIG-CMD-MIG-34.id',
    'credentials that nobody defined fail once the connection stands, and name their id',
    async (t) => {
      const session = await eventful(t, 'migrated');
      t.succeeded(await session.command('migrate-set-parameters', { 'tls-creds': 'qmpspec-none' }));
      const path = `${(await t.instance()).scratch}/ours.sock`;
      const ours = await listenAt(path);
      try {
        const text = await failure(t, session, path);
        names(t, text, 'qmpspec-none');
      } finally {
        ours.close();
      }
    },
  )
  .must('MIG-CMD-MIG-34.connect', 'a connection that is refused is what fails, whatever the credentials', async (t) => {
    const session = await eventful(t, 'migrated');
    t.succeeded(await session.command('migrate-set-parameters', { 'tls-creds': 'qmpspec-none' }));
    const text = await failure(t, session, `${(await t.instance()).scratch}/absent.sock`);
    names(t, text, 'absent.sock');
    t.check(!text.includes('qmpspec-none'), 'no id of credentials in the text', text, 'error-desc');
  })
  .must(
    'MIG-CMD-MIG-34.off',
    'credentials that are switched off again by null or the empty text do not matter',
    async (t) => {
      const session = await eventful(t, 'migrated');
      for (const off of [null, '']) {
        t.succeeded(await session.command('migrate-set-parameters', { 'tls-creds': 'qmpspec-none' }));
        t.succeeded(await session.command('migrate-set-parameters', { 'tls-creds': off }));
        const text = await failure(t, session, `${(await t.instance()).scratch}/absent.sock`);
        names(t, text, 'absent.sock');
        t.check(!text.includes('qmpspec-none'), 'no id of credentials in the text', text, 'error-desc');
      }
    },
  )
  .done();
