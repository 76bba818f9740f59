/** commands.md §11: migrate-incoming. */
import { existsSync } from 'node:fs';
import { event, failure, success } from '../../oracle/patterns.js';
import { hasDefect } from '../../oracle/release.js';
import type { Trial } from '../../oracle/trial.js';
import { openSocket } from '../../protocol/address.js';
import { isObject, type JsonObject, type JsonValue, stringifyJson } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import { describeExit, type Instance, TargetError } from '../../targets/target.js';
import { ChapterBuilder } from '../requirement.js';
import { fitsExactly, unlessExact } from './dialect-fit.js';
import { look, switchOn, unchanged } from './observe.js';
import { quoted } from './quoted.js';

const setup = event('MIGRATION', { status: 'setup' });
const started = 'The incoming migration has already been started';

interface Deferred {
  readonly instance: Instance;
  readonly session: Session;
}

/** A process that waits for `migrate-incoming`, with `events` as asked. */
async function deferred(t: Trial, events: boolean): Promise<Deferred> {
  const instance = await t.start({ incoming: 'defer' }, 'destination');
  const session = await t.session({ to: instance });
  if (events) await switchOn(t, session, 'events');
  return { instance, session };
}

/** One call: the event `setup` comes first where the release says so; nothing else comes. */
async function calls(
  t: Trial,
  session: Session,
  uri: string,
  events: boolean,
  outcome: 'listens' | 'listens-silently' | 'unreadable' | 'cannot-bind',
  desc?: string | RegExp,
) {
  const mark = session.mark();
  const id = session.post('migrate-incoming', { uri });
  await session.reply(id, { since: mark });
  const good = outcome === 'listens' || outcome === 'listens-silently';
  const reply = good ? success({}, id) : failure('GenericError', desc, id);
  const messages = await session.fence(mark);
  const always = t.dialect.migration.incomingSetup === 'event';
  const announced = always || (events && (outcome === 'listens' || outcome === 'cannot-bind'));
  if (fitsExactly(t.facts)) t.sequence(messages, announced ? [setup, reply] : [reply]);
  else t.sequence(messages, [setup, reply], [reply]);
}

/** What `query-migrate` shows of a process that listens (or is deferred). */
function waits(t: Trial, info: JsonValue, listening: boolean, address: boolean): void {
  const { incomingSetup, showsSocketAddress } = t.dialect.migration;
  const members = [
    ...(listening && incomingSetup === 'state' ? ['status'] : []),
    ...(listening && address && showsSocketAddress ? ['socket-address'] : []),
  ];
  if (fitsExactly(t.facts)) t.returned('query-migrate', info, members);
  else t.returned('query-migrate', info, [], ['status', 'socket-address']);
  if (isObject(info) && 'status' in info) t.equal(info.status, 'setup', 'status');
}

/** Calls that cannot be read, each of which leaves everything as it was. */
async function refusesSchemes(t: Trial, session: Session): Promise<void> {
  for (const uri of ['qmpspec-none:1', '', ':', 'tcp', 'UNIX:/x']) {
    const before = await look(t, session);
    await calls(t, session, uri, true, 'unreadable', `unknown migration protocol: ${uri}`);
    const after = await look(t, session);
    for (const [name, value] of Object.entries(after)) t.same(value, before[name], `${name} after '${uri}'`);
  }
  await calls(t, session, 'defer', true, 'unreadable', t.dialect.migration.incomingDeferText);
}

/** It waits still, and shows that it listens. */
async function listensNow(t: Trial, { instance, session }: Deferred, status: JsonValue): Promise<void> {
  const path = `${instance.scratch}/in.sock`;
  t.check(existsSync(path), 'a socket', 'no in.sock');
  waits(t, t.succeeded(await session.command('query-migrate')), true, true);
  t.same(t.succeeded(await session.command('query-status')), status, 'query-status');
}

async function tellsWhere(t: Trial, { instance, session }: Deferred): Promise<void> {
  const path = `${instance.scratch}/in.sock`;
  const info = t.succeeded(await session.command('query-migrate'));
  const told = isObject(info) ? info['socket-address'] : undefined;
  t.same(told, [{ type: 'unix', path }], 'socket-address');
}

/** A second call opens no second listener. */
async function refusesASecond(t: Trial, { instance, session }: Deferred): Promise<void> {
  const { scratch } = instance;
  const before = await look(t, session);
  const mark = session.mark();
  for (const uri of [`unix:${scratch}/second.sock`, 'qmpspec-none:1']) {
    t.failed(await session.command('migrate-incoming', { uri }), 'GenericError', started, uri);
  }
  const events = (await session.fence(mark)).filter(({ kind }) => kind === 'event');
  const listens = existsSync(`${scratch}/second.sock`);
  if (hasDefect(t.facts, 'MIG-DEF-06') && (events.length > 0 || listens)) {
    t.same(t.eventNames(events).join(), 'MIGRATION(setup),MIGRATION(setup)', 'events');
    return t.knownDefect('MIG-DEF-06', 'the refusals alone', 'each with its event, and a second listener');
  }
  t.silent(events, 'events');
  t.check(!listens, 'no second listener', 'second.sock exists');
  const after = await look(t, session);
  for (const [name, value] of Object.entries(after)) t.same(value, before[name], name);
}

const listens = (t: Trial, { instance, session }: Deferred, events: boolean, tells = true) =>
  calls(t, session, `unix:${instance.scratch}/in.sock`, events, tells ? 'listens' : 'listens-silently');

/** One process that goes through all of it, for whoever looks at a part; alone each does its own part. */
const listening = (t: Trial, alone: (t: Trial) => Promise<void>) =>
  t.observed(
    'a deferred process until it listens',
    async (t) => {
      const one = await deferred(t, true);
      const status = t.succeeded(await one.session.command('query-status'));
      waits(t, t.succeeded(await one.session.command('query-migrate')), false, false);
      await refusesSchemes(t, one.session);
      await listens(t, one, true);
      await listensNow(t, one, status);
      if (t.dialect.migration.showsSocketAddress) await tellsWhere(t, one);
      await refusesASecond(t, one);
    },
    alone,
  );

/** A call that cannot be read, then a good one. */
async function triesTwice(t: Trial, events: boolean): Promise<void> {
  const one = await deferred(t, events);
  const text = 'unknown migration protocol: qmpspec-none:1';
  await calls(t, one.session, 'qmpspec-none:1', events, 'unreadable', text);
  await listens(t, one, events);
}

const withoutEvents = (t: Trial, alone: (t: Trial) => Promise<void>) =>
  t.observed('a deferred process without events', (t) => triesTwice(t, false), alone);

const bindFails = async (t: Trial, { instance, session }: Deferred): Promise<void> => {
  const path = `${instance.scratch}/no-such-folder/in.sock`;
  // The reason is that of the system, or of a library above it.
  const text = new RegExp(`^Failed to bind socket to ${quoted(path)}: .`);
  await calls(t, session, `unix:${path}`, true, 'cannot-bind', text);
};

/** Once a bind has failed. */
async function triesAgain(t: Trial, one: Deferred): Promise<void> {
  const { failedBindSticks, incomingSetup } = t.dialect.migration;
  // What is a state is told once.
  if (!failedBindSticks) return listens(t, one, true, incomingSetup === 'event');
  // A release that corrects this is no worse.
  t.matches(
    await one.session.command('migrate-incoming', { uri: `unix:${one.instance.scratch}/in.sock` }),
    failure('GenericError', 'Illegal migration incoming state: setup'),
    success({}),
  );
}

const unbound = (t: Trial, alone: (t: Trial) => Promise<void>) =>
  t.observed(
    'a deferred process that cannot bind',
    async (t) => {
      const one = await deferred(t, true);
      await bindFails(t, one);
      waits(t, t.succeeded(await one.session.command('query-migrate')), true, false);
      await triesAgain(t, one);
    },
    alone,
  );

const needs = { abilities: ['start', 'incoming'] } as const;

export const incoming = new ChapterBuilder(['Migration commands', '11 migrate-incoming'], 'commands.md §11', needs)
  .must('MIG-CMD-INC-01.none', 'a process that waits for nothing refuses it, whatever the URI', async (t) => {
    const session = await t.session();
    await switchOn(t, session, 'events');
    const { scratch } = await t.instance();
    await unchanged(t, session, 'migrate-incoming', async () => {
      for (const uri of [`unix:${scratch}/incoming.sock`, 'qmpspec-none:1', '', 'defer']) {
        t.failed(
          await session.command('migrate-incoming', { uri }),
          'GenericError',
          t.dialect.migration.notDeferredText,
        );
      }
    });
    t.check(!existsSync(`${scratch}/incoming.sock`), 'no listener', 'incoming.sock exists');
  })
  .must('MIG-CMD-INC-01.uri', 'a process that was started with a URI refuses it', async (t) => {
    // The instance's folder is not known before it is started, but it is the working directory.
    const instance = await t.start({ incoming: 'unix:first.sock' }, 'destination');
    const session = await t.session({ to: instance });
    await switchOn(t, session, 'events');
    const { scratch } = instance;
    await unchanged(t, session, 'migrate-incoming', async () => {
      const reply = await session.command('migrate-incoming', { uri: `unix:${scratch}/second.sock` });
      t.failed(reply, 'GenericError', t.dialect.migration.startedByUriText);
    });
    t.check(!existsSync(`${scratch}/second.sock`), 'no second listener', 'second.sock exists');
    waits(t, t.succeeded(await session.command('query-migrate')), true, true);
  })
  .must('MIG-CMD-INC-02', 'a second call is refused and opens no second listener', (t) =>
    listening(t, async (t) => {
      const one = await deferred(t, true);
      await listens(t, one, true);
      await refusesASecond(t, one);
    }),
  )
  .must('MIG-CMD-INC-03.events', 'with events on, a good URI is announced before the reply', (t) =>
    listening(t, async (t) => listens(t, await deferred(t, true), true)),
  )
  .must(
    'MIG-CMD-INC-03.off',
    'with events off, setup is announced all the same where the release does not look at them',
    (t) => withoutEvents(t, async (t) => listens(t, await deferred(t, false), false)),
  )
  .must('QMP-EVT-29', 'a call with an unknown protocol, then a good one: the events of each', async (t) => {
    await listening(t, (t) => triesTwice(t, true));
    await withoutEvents(t, (t) => triesTwice(t, false));
  })
  .must('MIG-CMD-INC-04.scheme', 'an unknown scheme is refused, and the call may be repeated', (t) =>
    listening(t, async (t) => {
      const one = await deferred(t, true);
      await refusesSchemes(t, one.session);
      await listens(t, one, true);
    }),
  )
  .must(
    'MIG-CMD-INC-04.address',
    'a tcp address that cannot be read is refused, and the call may be repeated',
    async (t) => {
      const { session } = await deferred(t, true);
      for (const rest of ['', 'x', '127.0.0.1', '127.0.0.1:']) {
        await calls(t, session, `tcp:${rest}`, true, 'unreadable', `error parsing address '${rest}'`);
        t.equal(t.succeeded(await session.command('query-migrate')), {}, 'query-migrate');
      }
      await calls(t, session, 'tcp:127.0.0.1:0', true, 'listens');
    },
  )
  .must(
    'MIG-CMD-INC-04.bind',
    'a socket that cannot be bound is refused in the reply',
    (t) =>
      unbound(t, async (t) => {
        const one = await deferred(t, true);
        await bindFails(t, one);
        waits(t, t.succeeded(await one.session.command('query-migrate')), true, false);
      }),
    { needs: { unless: unlessExact } },
  )
  .must(
    'MIG-CMD-INC-04.retry',
    'after a failed bind the call may be repeated, except where the state sticks',
    (t) =>
      unbound(t, async (t) => {
        const one = await deferred(t, true);
        const uri = `unix:${one.instance.scratch}/no-such-folder/in.sock`;
        t.failed(await one.session.command('migrate-incoming', { uri }), 'GenericError');
        await triesAgain(t, one);
      }),
    { needs: { unless: unlessExact } },
  )
  .must('MIG-CMD-INC-05', 'after a success the process listens, and still waits', (t) =>
    listening(t, async (t) => {
      const one = await deferred(t, true);
      const status = t.succeeded(await one.session.command('query-status'));
      waits(t, t.succeeded(await one.session.command('query-migrate')), false, false);
      await listens(t, one, true);
      await listensNow(t, one, status);
    }),
  )
  .must(
    'MIG-CMD-INC-05.address',
    'a listening process tells where, in releases that do',
    (t) =>
      listening(t, async (t) => {
        const one = await deferred(t, true);
        await listens(t, one, true);
        await tellsWhere(t, one);
      }),
    { needs: { unless: ({ dialect }) => (dialect.migration.showsSocketAddress ? undefined : 'it does not tell') } },
  )
  .must(
    'MIG-CMD-INC-05.tcp',
    'a process that listens on a tcp port tells which, and a client is taken there',
    async (t) => {
      const { session } = await deferred(t, true);
      await calls(t, session, 'tcp:127.0.0.1:0', true, 'listens');
      const info = t.succeeded(await session.command('query-migrate'));
      const told = isObject(info) ? info['socket-address'] : undefined;
      const [address] = Array.isArray(told) ? told : [];
      t.check(Array.isArray(told) && told.length === 1 && isObject(address), 'one place', stringifyJson(told ?? null));
      const { type, host, port } = address as JsonObject;
      t.same([type ?? null, host ?? null], ['inet', '127.0.0.1'], 'type and host');
      t.check(typeof port === 'string' && /^[1-9]\d*$/.test(port), 'a port, as text', stringifyJson(port ?? null));
      const socket = await openSocket({ kind: 'tcp', host: '127.0.0.1', port: Number(port) }, session.deadline);
      socket.destroy();
    },
    { needs: { unless: ({ dialect }) => (dialect.migration.showsSocketAddress ? undefined : 'it does not tell') } },
  )
  .must(
    'MIG-CMD-INC-02.deferred',
    'a refused call leaves capabilities and parameters as they were set before',
    async (t) => {
      const { session } = await deferred(t, true);
      t.succeeded(await session.command('migrate-set-parameters', { 'max-bandwidth': 4711 }));
      await switchOn(t, session, 'xbzrle');
      const before = await look(t, session);
      await calls(t, session, 'qmpspec-none:1', true, 'unreadable');
      const after = await look(t, session);
      for (const [name, value] of Object.entries(after)) t.same(value, before[name], name);
    },
  )
  .must('MIG-SM-I02.scheme', 'a process whose URI on the command line is bad ends with status 1', async (t) => {
    try {
      // Its monitor may answer for a moment.
      const instance = await t.start({ incoming: 'qmpspec-none:1' }, 'destination');
      const exit = await instance.exited(5000);
      t.check(exit.code === 1, 'exit status 1', describeExit(exit));
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      t.check(/exit status 1\b/.test(error.message), 'exit status 1', error.message);
    }
  })
  .done();
