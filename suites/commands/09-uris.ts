/** commands.md §9.3: the forms of a URI, and what is said at once and later of those that do not work. */
import { event, failure, success } from '../../oracle/patterns.js';
import type { Trial } from '../../oracle/trial.js';
import { eventName } from '../../protocol/message.js';
import type { Session } from '../../protocol/session.js';
import { ChapterBuilder } from '../requirement.js';
import { stampedWithin } from '../stamps.js';
import { active, peerNeeds, source } from '../state-machine/source.js';
import { refusedUri } from './bad-uri.js';
import { fitsExactly, unlessExact } from './dialect-fit.js';
import { becomes, eventful, eventsAre, migrationBecomes } from './observe.js';
import { quoted } from './quoted.js';
import { refusedPort } from './refused-port.js';

const needs = { abilities: ['start', 'local'] } as const;
const migration = (status: string) => event('MIGRATION', { status });

/** A URI that is accepted and fails later: events in order, and the text (strict mode only). */
async function failsLater(t: Trial, session: Session, uri: string, desc: RegExp | string): Promise<void> {
  const mark = session.mark();
  const id = session.post('migrate', { uri });
  await session.event('MIGRATION', { since: mark, test: ({ status }) => status === 'failed' });
  t.sequence(await session.fence(mark), [migration('setup'), success({}, id), migration('failed')]);
  const info = await migrationBecomes(t, session, 'failed');
  t.returned('query-migrate', info, ['status', 'error-desc'], [], uri);
  // The text is for people: compared as that of an error reply is.
  const reply = { error: { class: 'GenericError', desc: info['error-desc'] ?? '' } };
  const received = { ...(session.log.at(-1) as (typeof session.log)[number]), kind: 'failure', value: reply } as const;
  t.matches(received, failure('GenericError', desc));
}

export const uris = new ChapterBuilder(['Migration commands', '9 migrate', 'URIs'], 'commands.md §9.3', {
  abilities: ['start'],
})
  .must('MIG-CMD-MIG-30', 'a scheme that is not known is refused, and leaves no text behind', async (t) => {
    const session = await eventful(t, 'migrated');
    for (const uri of [
      'qmpspec-none:1',
      '',
      ':',
      'tcp',
      'unix',
      'TCP:127.0.0.1:1',
      ' tcp:127.0.0.1:1',
      'Unix:/x',
      'defer',
    ]) {
      await refusedUri(t, session, uri, 'scheme', t.dialect.migration.unknownScheme(uri));
    }
  })
  .must('MIG-CMD-MIG-31.tcp', 'a tcp address that cannot be read is refused at once', async (t) => {
    const session = await eventful(t, 'migrated');
    for (const rest of ['', 'x', '127.0.0.1', '127.0.0.1:']) {
      await refusedUri(t, session, `tcp:${rest}`, 'address', `error parsing address '${rest}'`);
    }
    await refusedUri(t, session, 'tcp:[::1', 'address', "error parsing IPv6 address '[::1'");
  })
  .must('MIG-CMD-MIG-31.fd', 'a descriptor name that this monitor was not given is refused at once', async (t) => {
    const session = await eventful(t, 'migrated');
    for (const name of ['qmpspec-none', '99', '-1', '0x1']) {
      await refusedUri(t, session, `fd:${name}`, 'object', `File descriptor named '${name}' has not been found`);
    }
  })
  .must(
    'MIG-CMD-MIG-31.empty-unix',
    'an empty unix path is refused at once where the release reads it first',
    async (t) => {
      const session = await eventful(t, 'migrated');
      if (t.dialect.migration.emptyUnixPathRefused) {
        await refusedUri(t, session, 'unix:', 'address', 'invalid Unix socket address');
      } else {
        await failsLater(t, session, 'unix:', /./);
      }
    },
    { needs: { unless: unlessExact } },
  )
  .must(
    'MIG-CMD-MIG-32.unix',
    'a unix socket that is not there fails after the reply',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const { scratch } = await t.instance();
      const path = `${scratch}/absent.sock`;
      const reason = 'No such file or directory';
      await failsLater(t, session, `unix:${path}`, t.dialect.migration.connectUnixError(path, reason));
    },
    { needs },
  )
  .must(
    'MIG-CMD-MIG-32.long-path',
    'a unix path beyond the limit of the system fails after the reply',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const { scratch } = await t.instance();
      const path = `${scratch}/${'x'.repeat(200)}`;
      await failsLater(t, session, `unix:${path}`, `UNIX socket path '${path}' is too long`);
    },
    { needs },
  )
  .must(
    'MIG-CMD-MIG-32.tcp',
    'a refused tcp connection fails after the reply',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const held = await refusedPort();
      try {
        const address = `127.0.0.1:${held.port}`;
        await failsLater(t, session, `tcp:${address}`, t.dialect.migration.connectError(address, 'Connection refused'));
      } finally {
        held.release();
      }
    },
    { needs },
  )
  .must(
    'MIG-CMD-MIG-32.options',
    'unknown options behind a tcp address are ignored',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const held = await refusedPort();
      try {
        const address = `127.0.0.1:${held.port}`;
        const text = t.dialect.migration.connectError(address, 'Connection refused');
        await failsLater(t, session, `tcp:${address},qmpspec=none`, text);
      } finally {
        held.release();
      }
    },
    {
      needs: {
        ...needs,
        unless: ({ dialect }) =>
          dialect.migration.unknownAddressOptions === 'refused' ? 'it refuses them' : undefined,
      },
    },
  )
  .must(
    'MIG-CMD-MIG-32.resolution',
    'a port name that nobody knows fails after the reply',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const address = '127.0.0.1:qmpspec-none';
      await failsLater(
        t,
        session,
        `tcp:${address}`,
        new RegExp(`^address resolution failed for ${quoted(address)}: .`),
      );
    },
    { needs },
  )
  .must(
    'MIG-CMD-MIG-21.retry',
    'after a failure the next migration begins as the first one did',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const { scratch } = await t.instance();
      for (const name of ['a', 'b', 'c']) {
        const path = `${scratch}/${name}.sock`;
        const text = t.dialect.migration.connectUnixError(path, 'No such file or directory');
        await failsLater(t, session, `unix:${path}`, text);
      }
    },
    { needs },
  )
  .must(
    'MIG-CMD-MIG-30.clears',
    'an unknown scheme after a failed connection does not keep its text',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const { scratch } = await t.instance();
      await failsLater(t, session, `unix:${scratch}/absent.sock`, /absent\.sock/);
      const scheme = 'qmpspec-none:1';
      await refusedUri(t, session, scheme, 'scheme', t.dialect.migration.unknownScheme(scheme));
    },
    { needs },
  )
  .must(
    'QMP-EVT-24',
    'a refused socket: setup, then the reply, then failed',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const { scratch } = await t.instance();
      const mark = session.mark();
      const id = session.post('migrate', { uri: `unix:${scratch}/absent.sock` });
      const messages = await session.take(mark, 3, 'setup, the reply and failed');
      t.sequence(messages, [migration('setup'), success({}, id), migration('failed')]);
      t.silent((await session.fence(mark)).slice(3), 'afterwards');
    },
    { needs },
  )
  .must(
    'QMP-EVT-24.off',
    'without the capability events a refused socket shows no event',
    async (t) => {
      const session = await t.session({ condition: 'migrated' });
      const { scratch } = await t.instance();
      const mark = session.mark();
      t.equal(t.succeeded(await session.command('migrate', { uri: `unix:${scratch}/absent.sock` })), {}, 'migrate');
      await migrationBecomes(t, session, 'failed');
      eventsAre(t, t.eventNames(await session.fence(mark)), [[]], 'events');
    },
    { needs },
  )
  .must(
    'QMP-EVT-24.switch',
    'events are shown from the next change on after they are switched on, and no longer when off',
    async (t) => {
      const session = await t.session({ condition: 'migrated' });
      const { scratch } = await t.instance();
      for (const state of [false, true, false]) {
        const capabilities = [{ capability: 'events', state }];
        t.succeeded(await session.command('migrate-set-capabilities', { capabilities }));
        const mark = session.mark();
        t.succeeded(await session.command('migrate', { uri: `unix:${scratch}/absent.sock` }));
        if (state) await session.event('MIGRATION', { since: mark, test: ({ status }) => status === 'failed' });
        else await migrationBecomes(t, session, 'failed');
        const expected = state ? ['MIGRATION(setup)', 'MIGRATION(failed)'] : [];
        eventsAre(t, t.eventNames(await session.fence(mark)), [expected], `events ${state}`);
      }
    },
    { needs },
  )
  .must(
    'QMP-EVT-25',
    'an unknown protocol: setup and failed before the error, or the error alone where it is read first',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const mark = session.mark();
      const id = session.post('migrate', { uri: 'qmpspec-none:1' });
      await session.reply(id, { since: mark });
      const error = failure('GenericError', t.dialect.migration.unknownScheme('qmpspec-none:1'), id);
      const announced = [migration('setup'), migration('failed'), error];
      const messages = await session.fence(mark);
      if (!fitsExactly(t.facts)) t.sequence(messages, announced, [failure('GenericError', undefined, id)]);
      else t.sequence(messages, t.dialect.migration.badUri === 'first' ? [error] : announced);
    },
  )
  .must('QMP-EVT-25.off', 'without the capability events an unknown protocol shows no event', async (t) => {
    const session = await t.session({ condition: 'migrated' });
    const mark = session.mark();
    t.failed(await session.command('migrate', { uri: 'qmpspec-none:1' }), 'GenericError');
    eventsAre(t, t.eventNames(await session.fence(mark)), [[]], 'events');
  })
  .must('QMP-EVT-26', 'an unknown descriptor: setup and failed before the error', async (t) => {
    const session = await eventful(t, 'migrated');
    const mark = session.mark();
    const id = session.post('migrate', { uri: 'fd:qmpspec-none' });
    await session.reply(id, { since: mark });
    const text = "File descriptor named 'qmpspec-none' has not been found";
    const error = failure('GenericError', text, id);
    t.sequence(await session.fence(mark), [migration('setup'), migration('failed'), error]);
  })
  .must(
    'MIG-CMD-EVT-01.monitors',
    'every monitor sees the same migration events',
    async (t) => {
      const instance = await t.start({ monitors: [{ transport: 'unix' }, { transport: 'unix' }] });
      const session = await t.session({ to: instance });
      const other = await t.session({ to: instance, monitor: 1 });
      const capabilities = [{ capability: 'events', state: true }];
      t.succeeded(await session.command('migrate-set-capabilities', { capabilities }));
      const [here, there] = [session.mark(), other.mark()];
      t.succeeded(await session.command('migrate', { uri: `unix:${instance.scratch}/absent.sock` }));
      const failed = { test: ({ status }: { readonly status?: unknown }) => status === 'failed' };
      await Promise.all([session.event('MIGRATION', failed), other.event('MIGRATION', failed)]);
      const events = async (one: Session, mark: number) =>
        (await one.fence(mark)).filter(({ kind }) => kind === 'event').map(({ value }) => value ?? null);
      const seen = await events(session, here);
      t.check(seen.length === 2, 'two events', `${seen.length}`);
      t.same(await events(other, there), seen, 'the other monitor, with the same timestamps');
    },
    { needs: { abilities: ['start', 'arguments', 'local'] } },
  )
  .must(
    'MIG-CMD-EVT-01.whole',
    'every monitor sees the events of a whole migration in the same order, each stamped when it happened',
    async (t) => {
      const one = await source(t, 'answer', { start: { monitors: [{ transport: 'unix' }, { transport: 'unix' }] } });
      const other = await t.session({ to: one.instance, monitor: 1 });
      const [here, there] = [one.session.mark(), other.mark()];
      const began = Date.now();
      await one.migrate();
      await one.until('completed');
      await one.runs('postmigrate');
      await one.does('cont');
      await one.does('stop');
      const events = async (session: Session, mark: number) =>
        (await session.fence(mark)).filter(({ kind }) => kind === 'event').map(({ value }) => value ?? null);
      const seen = await events(one.session, here);
      const over = Date.now();
      t.same(await events(other, there), seen, 'the other monitor, with the same timestamps');
      for (const event of seen) stampedWithin(t, event, began, over);
    },
    { needs: { ...peerNeeds, abilities: [...peerNeeds.abilities, 'arguments', 'local'] } },
  )
  .must(
    'MIG-CMD-EVT-01.passes',
    'a pass is stamped when it begins, however long the one before it took',
    async (t) => {
      const one = await active(t);
      const words = 'a first pass that takes its time';
      await becomes(t, one.session, 'query-migrate', words, ({ 'total-time': time }) => Number(time) >= 100);
      one.turn();
      const began = Date.now();
      await one.does('migrate-set-parameters', { 'max-bandwidth': 0 });
      await one.until('completed');
      await one.runs('postmigrate');
      const passes = one.messages.filter((message) => eventName(message) === 'MIGRATION_PASS');
      t.check(passes.length > 0, 'another pass', 'none');
      for (const { value } of passes) stampedWithin(t, value, began, Date.now());
    },
    { needs: { ...peerNeeds, abilities: [...peerNeeds.abilities, 'local'] } },
  )
  .must(
    'MIG-CMD-EVT-01.data',
    'a migration event has status and nothing else as data',
    async (t) => {
      const session = await eventful(t, 'migrated');
      const { scratch } = await t.instance();
      t.succeeded(await session.command('migrate', { uri: `unix:${scratch}/absent.sock` }));
      const failed = await session.event('MIGRATION', { test: ({ status }) => status === 'failed' });
      for (const message of [await session.event('MIGRATION'), failed]) {
        t.members(message.value, ['event', 'data', 'timestamp'], [], 'the event');
        t.members((message.value as { data: never }).data, ['status'], [], 'its data');
      }
    },
    { needs },
  )
  .must(
    'MIG-CMD-MIG-30.silent',
    'a refused URI shows nothing to a monitor without events, and the guest runs on',
    async (t) => {
      const session = await t.session({ condition: 'migrated' });
      const mark = session.mark();
      const before = t.succeeded(await session.command('query-status'));
      t.failed(
        await session.command('migrate', { uri: 'tcp:127.0.0.1' }),
        'GenericError',
        "error parsing address '127.0.0.1'",
      );
      eventsAre(t, t.eventNames(await session.fence(mark)), [[]], 'events');
      t.same(t.succeeded(await session.command('query-status')), before, 'query-status');
    },
  )
  .done();
