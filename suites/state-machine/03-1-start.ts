/** state-machine.md §3.1: a source begins. */
import { aString } from '../../oracle/patterns.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject } from '../../protocol/json.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { refusedPort } from '../commands/refused-port.js';
import { ChapterBuilder } from '../requirement.js';
import { awaitOrDefect } from './defects.js';
import { migrateTo, startsPrograms, swallow, tellsOfProgram } from './exec.js';
import { completed, peerNeeds, slow, source } from './source.js';
import { device, story, tells } from './story.js';
import { inProgress, nothingToResume } from './texts.js';

const anAbsentMember = (info: JsonObject, name: string) => !Object.hasOwn(info, name);

/** The text is for people, and compared as that of an error reply is. */
function noCredentials(t: Trial, info: JsonObject): void {
  const text = "No TLS credentials with id 'qmpspec-none'";
  t.equal(info['error-desc'], t.strictDesc ? text : aString, 'error-desc');
}

export const start = new ChapterBuilder(['State machine', '3.1 Start'], 'state-machine.md §3.1', peerNeeds)
  .must('MIG-SM-O01', 'migrate enters setup before its reply, and stays there while it connects', async (t) => {
    const one = await source(t, 'full');
    await one.migrate();
    await one.statusIs('setup');
    await one.runStateIs('running');
    await one.tells('setup ↵migrate');
    const second = await one.session.command('migrate', { uri: one.peer.uri });
    t.failed(second, 'GenericError', inProgress, 'a second migrate');
    await one.statusIs('setup');
    one.turn();
    await one.peer.release();
    await one.until('completed');
    await one.runs('postmigrate');
    await one.emits(`P active P* S ${device(t)} P completed`, 'once it is let in');
  })
  .must('MIG-SM-O01.again', 'a failed and a cancelled migration can be followed by another one', async (t) => {
    const one = await source(t, 'answer');
    const absent = `unix:${one.instance.scratch}/absent.sock`;
    for (const step of ['first', 'second']) {
      one.turn();
      t.succeeded(await migrateTo(one.session, absent), step);
      await one.until('failed');
      await one.tells('setup ↵migrate failed', step);
    }
    one.turn();
    await one.migrate();
    await one.until('completed');
    await one.runs('postmigrate');
    await one.tells(`setup ↵migrate P active P* S ${device(t)} P completed`, 'after two failures');
  })
  .must('MIG-SM-O02', 'a program is connected at once', async (t) => {
    const one = await source(t, 'absent');
    const reply = await migrateTo(one.session, swallow);
    if (!startsPrograms(t, reply)) return;
    t.equal(t.succeeded(reply), {}, 'migrate');
    await completed(t, one.session);
    await tellsOfProgram(t, one, `P active P* S ${device(t)} P completed`);
  })
  .must(
    'MIG-SM-O03',
    'an unknown scheme fails in the reply; whether it shows as a failed migration depends on the release',
    async (t) => {
      const one = await source(t, 'absent', { untouched: true });
      const { badUri, unknownScheme } = t.dialect.migration;
      for (const uri of ['qmpspec-none:1', '', 'UNIX:/x']) {
        one.turn();
        t.failed(await migrateTo(one.session, uri), 'GenericError', unknownScheme(uri), uri);
        await one.tells(badUri === 'first' ? '✗migrate' : 'setup failed ✗migrate', uri);
        await one.statusIs(badUri === 'first' ? 'none' : 'failed');
        t.check(anAbsentMember(await one.info(), 'error-desc'), 'no error-desc', 'one', uri);
      }
      await one.runStateIs('running');
    },
    { needs: { unless: unlessExact } },
  )
  .must('MIG-SM-O04', 'an error of a known scheme that shows at once fails before the reply', async (t) => {
    const one = await source(t, 'absent');
    // The second failure is shown, and nothing of the first.
    for (const name of ['qmpspec-none', 'qmpspec-another']) {
      one.turn();
      const reply = await migrateTo(one.session, `fd:${name}`);
      t.failed(reply, 'GenericError', `File descriptor named '${name}' has not been found`);
      await one.tells('setup failed ✗migrate');
      const info = await one.info();
      t.same(info.status, 'failed', 'status');
      const error = isObject(reply.value) ? reply.value.error : undefined;
      t.same(info['error-desc'], isObject(error) ? error.desc : undefined, 'error-desc');
      await one.runStateIs('running');
    }
  })
  .must(
    'MIG-SM-O05',
    'unusable TLS credentials of a program fail before the reply, which is a success',
    async (t) => {
      const one = await source(t, 'absent', { parameters: { 'tls-creds': 'qmpspec-none' } });
      const reply = await migrateTo(one.session, swallow);
      if (!startsPrograms(t, reply)) return;
      t.equal(t.succeeded(reply), {}, 'migrate');
      await one.tells('setup failed ↵migrate');
      noCredentials(t, await one.info());
    },
    { needs: { parameters: ['tls-creds'] } },
  )
  .must('MIG-SM-O06', 'a migrate that its checks refuse leaves no trace', async (t) => {
    const one = await source(t, 'answer', { untouched: true });
    const reply = await one.session.command('migrate', { uri: one.peer.uri, resume: true });
    t.failed(reply, 'GenericError', nothingToResume);
    t.failed(await one.session.command('migrate', { uri: 5 }), 'GenericError');
    await one.tells('✗migrate ✗migrate');
    await one.statusIs('none');
    t.check(one.peer.connections === 0, 'no connection', `${one.peer.connections}`);
  })
  .must('MIG-SM-O07', 'being connected is no event and no state of its own', async (t) => {
    const one = await source(t, 'full');
    await one.migrate();
    one.turn();
    await one.peer.release();
    await one.peer.until('end-of-stream', one.session.deadline);
    await one.until('completed');
    await one.runs('postmigrate');
    await one.emits(`P active P* S ${device(t)} P completed`);
    t.check(one.peer.connections === 1, 'one connection', `${one.peer.connections}`);
  })
  .must('MIG-SM-O08', 'a refused connection fails after the reply and tells why', async (t) => {
    const one = await source(t, 'absent');
    await one.migrate();
    await one.until('failed');
    await one.tells('setup ↵migrate failed');
    const info = await one.info();
    t.same(info.status, 'failed', 'status');
    t.check(typeof info['error-desc'] === 'string' && info['error-desc'] !== '', 'a text', 'none', 'error-desc');
    await one.runStateIs('running');
  })
  .must('MIG-SM-O08.tcp', 'a refused tcp connection fails after the reply', async (t) => {
    const one = await source(t, 'absent');
    const held = await refusedPort();
    t.atEnd(async () => held.release());
    t.succeeded(await migrateTo(one.session, `tcp:127.0.0.1:${held.port}`));
    await one.until('failed');
    await one.tells('setup ↵migrate failed');
    await one.runStateIs('running');
  })
  .must('MIG-SM-O08.late', 'a connection that is refused after a while fails then', async (t) => {
    const one = await source(t, 'full');
    await one.migrate();
    await one.statusIs('setup');
    one.peer.cut();
    await one.until('failed');
    await one.tells('setup ↵migrate failed');
    await one.runStateIs('running');
  })
  .must(
    'MIG-SM-O09',
    'unusable TLS credentials fail once the socket is connected',
    async (t) => {
      const one = await source(t, 'answer', { parameters: { 'tls-creds': 'qmpspec-none' } });
      await one.migrate();
      await one.until('failed');
      await one.tells('setup ↵migrate failed');
      noCredentials(t, await one.info());
      await one.runStateIs('running');
    },
    { needs: { parameters: ['tls-creds'] } },
  )
  .must(
    'MIG-SM-O10.failed',
    'a TLS handshake that the peer breaks off fails the migration',
    async (t) => {
      const one = await source(t, 'cut', { bytes: 1 });
      const credentials = { 'qom-type': 'tls-creds-anon', id: 'qmpspec', endpoint: 'client' };
      const id = one.session.post('object-add', credentials);
      const answered = await awaitOrDefect(t, 'MIG-DEF-42', 'a reply to object-add', () => one.session.reply(id));
      if (!answered) return;
      const made = await one.session.reply(id);
      // A build without TLS, or one that names its objects differently, says nothing about this row.
      if (made.kind === 'failure') return t.failed(made, 'GenericError', undefined, 'object-add');
      await one.does('migrate-set-parameters', { 'tls-creds': 'qmpspec', 'tls-hostname': 'localhost' });
      one.turn();
      await one.migrate();
      await one.until('failed');
      await one.tells('setup ↵migrate failed');
      await one.runStateIs('running');
    },
    { needs: { parameters: ['tls-creds'], commands: ['object-add'], unless: unlessExact } },
  )
  .must('MIG-SM-O12', 'the first pass and then active follow the reply', async (t) => {
    // Where RAM is somewhere else, what it has of zeros would be sent at once.
    const one = await source(t, 'stall', { ram: 4, parameters: { 'max-bandwidth': slow } });
    await one.migrate();
    await one.until('active');
    await one.tells('setup ↵migrate P active P*');
    await one.statusIs('active');
    await one.runStateIs('running');
  })
  .must('MIG-SM-O13', 'a peer that closes at once fails the migration and leaves the guest alone', async (t) => {
    const one = await source(t, 'cut', { ram: 4 });
    await one.migrate();
    await one.until('failed');
    tells(t, await story(t, one.session, 0), 'setup ↵migrate P? active? P* failed');
    await one.runStateIs('running');
    await one.statusIs('failed');
  })
  .done();
