/** state-machine.md §4.1: a destination waits. */
import { join } from 'node:path';
import type { Trial } from '../../oracle/trial.js';
import { TargetError } from '../../targets/target.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { Actor } from './actor.js';
import { destination, feedNeeds, incomingStatus, setupWord } from './destination.js';
import { Feed, memory } from './feed.js';
import { badTlsEndsTheLoad, onTheWay } from './one-load.js';
import { eventsOf, tells } from './story.js';

const exits = { abilities: [...feedNeeds.abilities, 'exit'] } as const;

export const waiting = new ChapterBuilder(
  ['State machine', '4.1 Incoming: waiting'],
  'state-machine.md §4.1',
  feedNeeds,
)
  .must('MIG-SM-I01', 'a process started with -incoming URI listens, in run state inmigrate', async (t) => {
    const { scratch } = await t.instance();
    const path = join(scratch, 'incoming.sock');
    const instance = await t.start({ incoming: `unix:${path}`, memory }, 'destination');
    const one = new Actor(t, instance, await t.session({ to: instance }));
    await one.runStateIs('inmigrate');
    await one.does('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] });
    const feed = await Feed.open(t, path);
    feed.leads();
    await one.until('active');
    await one.runStateIs('inmigrate');
    feed.begin().end().send('the least that loads');
    await one.until('completed');
    await one.runs('running');
  })
  .must(
    'MIG-SM-I02.exit',
    'a process started with a bad -incoming URI ends with exit status 1',
    async (t) => {
      for (const incoming of ['qmpspec-none:1', 'unix:/nonexistent/folder/in.sock']) {
        let how: string;
        try {
          const instance = await t.start({ incoming }, 'destination');
          const { code, signal } = await instance.exited(5000);
          how = signal ?? `exit status ${code}`;
        } catch (error) {
          if (!(error instanceof TargetError)) throw error;
          how = /\((exit status \d+|killed by \w+)\)/.exec(error.message)?.[1] ?? error.message;
        }
        t.check(how === 'exit status 1', 'exit status 1', how, incoming);
      }
    },
    { needs: exits },
  )
  .must('MIG-SM-I03.defer', 'a process started with -incoming defer waits in run state inmigrate', async (t) => {
    const one = await destination(t);
    await one.runStateIs('inmigrate');
    t.same(incomingStatus(await one.info()), 'none', 'status');
    await one.emits('');
  })
  .must('MIG-SM-I04', 'migrate-incoming opens the listener before its reply and tells setup', (t) =>
    onTheWay(t, 'MIG-SM-I04'),
  )
  .must(
    'MIG-SM-E05',
    'without the capability events setup is told where it is no state',
    async (t) => {
      const one = await destination(t, { events: false });
      await one.listens();
      await one.tells(`${setupWord(t, false)} ↵migrate-incoming`);
      const feed = await one.connects();
      feed.begin().end().send();
      await one.runs('running');
      await one.tells(`${setupWord(t, false)} ↵migrate-incoming R`);
    },
    { needs: { unless: unlessExact } },
  )
  .must('MIG-SM-I05', 'migrate-incoming with a bad URI is refused and may be tried again', (t) =>
    onTheWay(t, 'MIG-SM-I05'),
  )
  .must('MIG-SM-I06', 'a second migrate-incoming is refused and opens nothing', (t) =>
    onTheWay(t, 'MIG-SM-I06', refusesASecond),
  )
  .must('MIG-SM-I06.after', 'migrate-incoming is refused after the load, too', (t) =>
    onTheWay(t, 'MIG-SM-I06.after', refusesAfterTheLoad),
  )
  .must('MIG-SM-I07', 'a waiting destination cannot migrate away', (t) => onTheWay(t, 'MIG-SM-I07'))
  .must(
    'MIG-SM-I08',
    'stop and cont succeed while it waits, show nothing, and decide whether it will run',
    async (t) => {
      for (const [commands, end] of [
        [['stop'], 'paused'],
        [['stop', 'cont'], 'running'],
      ] as const) {
        const one = await destination(t);
        for (const command of commands) {
          await one.does(command);
          await one.runStateIs('inmigrate');
        }
        await one.tells(commands.map((command) => `↵${command}`).join(' '));
        const feed = await one.loads();
        one.turn();
        feed.begin().end().send();
        await one.until('completed');
        await one.emits(end === 'running' ? 'R completed' : 'completed', commands.join(', '));
        await one.runStateIs(end);
      }
    },
  )
  .must('MIG-SM-I09', 'a connection makes it active before any byte has come', (t) => onTheWay(t, 'MIG-SM-I09'), {
    needs: {
      unless: ({ dialect }) => (dialect.migration.activeWithBytes ? 'it waits for the first bytes' : undefined),
    },
  })
  .must('MIG-SM-I09.more', 'a second connection does not disturb the load', (t) => onTheWay(t, 'MIG-SM-I09.more'))
  .must(
    'MIG-SM-I10',
    'unusable TLS credentials drop the connection, or fail the load in later releases',
    (t) => onTheWay(t, 'MIG-SM-I10', dropsWithoutCredentials),
    { needs: { parameters: ['tls-creds'], unless: unlessExact } },
  )
  .done();

async function refusesASecond(t: Trial): Promise<void> {
  const one = await destination(t);
  await one.listens();
  one.turn();
  const second = join(one.instance.scratch, 'second.sock');
  const reply = await one.session.command('migrate-incoming', { uri: `unix:${second}` });
  t.failed(reply, 'GenericError', 'The incoming migration has already been started');
  const words = await one.story();
  const opened = await Feed.open(t, second, 'second').then(
    () => true,
    () => false,
  );
  if (opened || words.includes('setup')) {
    const got = `${words.join(' ')}${opened ? ', and a second listener' : ''}`;
    return t.knownDefect('MIG-DEF-06', 'the refusal alone', got);
  }
  tells(t, words, '✗migrate-incoming');
  const feed = await one.connects();
  feed.leads();
  await one.until('active');
  feed.close();
}

async function refusesAfterTheLoad(t: Trial): Promise<void> {
  const one = await destination(t);
  const feed = await one.loads();
  feed.begin().end().send();
  await one.until('completed');
  one.turn();
  const reply = await one.session.command('migrate-incoming', { uri: one.uri });
  t.failed(reply, 'GenericError', 'The incoming migration has already been started');
  const events = eventsOf(await one.story());
  if (events.length > 0) return t.knownDefect('MIG-DEF-06', 'no event', events.join(' '));
  await one.statusIs('completed');
}

async function dropsWithoutCredentials(t: Trial): Promise<void> {
  const one = await destination(t);
  t.succeeded(await one.session.command('migrate-set-parameters', { 'tls-creds': 'qmpspec-none' }));
  await one.listens();
  one.turn();
  const feed = await one.connects();
  if (badTlsEndsTheLoad[t.dialect.name]) return one.fails('active? failed');
  await feed.until('the end of the connection', () => feed.closed);
  await one.session.fence();
  await one.emits('');
  await one.runStateIs('inmigrate');
  // It listens still.
  const again = await one.connects('again');
  await again.until('the end of the connection', () => again.closed);
}
