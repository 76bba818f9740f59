/**
 * What a destination does on its way to the end of a load, for requirements that each look at one part of it. One process
 * goes the whole way before the eyes of all; where something is wrong on it, each looks at a process of its own.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasDefect } from '../../oracle/release.js';
import type { Trial } from '../../oracle/trial.js';
import type { TargetFacts } from '../../targets/facts.js';
import { fitsExactly, unlessExact } from '../commands/dialect-fit.js';
import { type Destination, destination, postcopyDestination, setupWord } from './destination.js';
import { block } from './feed.js';
import { channel } from './source.js';
import { device } from './story.js';
import { waitingForIncoming } from './texts.js';

const stages = ['deferred', 'listening', 'connected', 'loading', 'loaded'] as const;
type Stage = (typeof stages)[number];

interface Part {
  readonly id: string;
  readonly stage: Stage;
  /** False for a release that it does not concern. */
  readonly fits?: (facts: TargetFacts) => boolean;
  readonly look: (t: Trial, one: Destination) => Promise<void>;
}

const knows =
  (...names: readonly string[]) =>
  ({ commands, schema }: TargetFacts): boolean =>
    names.every((name) => commands?.has(name) ?? schema.commands.has(name));

/** A destination that waits cannot migrate away. */
const staysHere = async (t: Trial, one: Destination): Promise<void> => {
  const reply = await one.session.command('migrate', { uri: `unix:${one.instance.scratch}/away.sock` });
  t.failed(reply, 'GenericError', waitingForIncoming);
  await one.tells('✗migrate');
  await one.runStateIs('inmigrate');
};

/** Unusable TLS credentials fail the load, or drop the connection only. */
export const badTlsEndsTheLoad: Readonly<Record<string, boolean>> = { '3.0': false, '7.2': false, '10.0': true };

/** It may be of a release that tells of a second call that it refuses. */
const announcesNoSecond = (facts: TargetFacts): boolean => !hasDefect(facts, 'MIG-DEF-06');

const refusesAgain = async (t: Trial, one: Destination, uri: string): Promise<void> => {
  const reply = await one.session.command('migrate-incoming', { uri });
  t.failed(reply, 'GenericError', 'The incoming migration has already been started');
  await one.tells('✗migrate-incoming');
};

const parts: readonly Part[] = [
  { id: 'MIG-SM-I07', stage: 'deferred', look: staysHere },
  {
    id: 'MIG-SM-I05',
    stage: 'deferred',
    look: async (t, one) => {
      const reply = await one.session.command('migrate-incoming', { uri: 'qmpspec-none:1' });
      t.failed(reply, 'GenericError', 'unknown migration protocol: qmpspec-none:1');
      if (!fitsExactly(t.facts)) return;
      const event = t.dialect.migration.incomingSetup === 'event' ? 'setup' : '';
      await one.tells(`${event} ✗migrate-incoming`);
    },
  },
  // It may be tried again, with what a first try shows.
  { id: 'MIG-SM-I05', stage: 'listening', look: async (_, one) => one.runStateIs('inmigrate') },
  { id: 'MIG-SM-I07', stage: 'listening', look: staysHere },
  {
    id: 'MIG-SM-I06',
    stage: 'listening',
    fits: announcesNoSecond,
    look: async (t, one) => {
      const second = join(one.instance.scratch, 'second.sock');
      await refusesAgain(t, one, `unix:${second}`);
      t.check(!existsSync(second), 'no second listener', 'a second listener');
    },
  },
  {
    id: 'MIG-SM-I10',
    stage: 'listening',
    fits: (facts) => unlessExact(facts) === undefined && !badTlsEndsTheLoad[facts.dialect.name],
    look: async (_, one) => {
      await one.does('migrate-set-parameters', { 'tls-creds': 'qmpspec-none' });
      for (const name of ['unheard', 'unheard again']) {
        const feed = await one.connects(name);
        await feed.until('the end of the connection', () => feed.closed);
        await one.session.fence();
        await one.emits('');
        await one.runStateIs('inmigrate');
      }
      await one.does('migrate-set-parameters', { 'tls-creds': '' });
    },
  },
  {
    id: 'MIG-SM-I09',
    stage: 'connected',
    fits: ({ dialect }) => !dialect.migration.activeWithBytes,
    look: async (_, one) => {
      await one.until('active');
      await one.tells('active');
      await one.statusIs('active');
      await one.runStateIs('inmigrate');
    },
  },
  // It was connected to by then.
  { id: 'MIG-SM-I04', stage: 'loading', look: async (_, one) => one.runStateIs('inmigrate') },
  {
    id: 'MIG-SM-I09.more',
    stage: 'loading',
    look: async (_, one) => {
      // Refused where the listener is closed after the first connection; dropped where it stays open.
      const other = await one.connects('other').catch(() => undefined);
      other?.raw(Buffer.from('not a stream'));
      await one.session.fence();
      await one.tells('');
    },
  },
  {
    id: 'MIG-SM-I22',
    stage: 'loading',
    look: async (_, one) => {
      await one.does('migrate-set-parameters', { 'downtime-limit': 100 });
      await one.does('migrate_cancel');
      await one.does('stop');
      await one.statusIs('active');
      await one.runStateIs('inmigrate');
      await one.does('cont');
      await one.tells('↵migrate_cancel ↵stop ↵cont');
    },
  },
  {
    id: 'MIG-SM-I22.capabilities',
    stage: 'loading',
    fits: (facts) => unlessExact(facts) === undefined,
    look: async (t, one) => {
      const capabilities = [{ capability: 'xbzrle', state: true }];
      const reply = await one.session.command('migrate-set-capabilities', { capabilities });
      t.equal(t.succeeded(reply), {}, 'migrate-set-capabilities');
      await one.statusIs('active');
    },
  },
  {
    id: 'MIG-SM-I23',
    stage: 'loading',
    look: async (t, one) => {
      const away = `unix:${one.instance.scratch}/away.sock`;
      t.failed(await one.session.command('migrate', { uri: away }), 'GenericError', waitingForIncoming);
      const continues = await one.session.command('migrate-continue', { state: 'active' });
      t.failed(continues, 'GenericError', 'Migration not in expected state: none');
      await one.tells('✗migrate ✗migrate-continue');
      await one.statusIs('active');
    },
  },
  {
    id: 'MIG-SM-I23.postcopy',
    stage: 'loading',
    fits: knows('migrate-pause', 'migrate-recover', 'migrate-start-postcopy'),
    look: async (t, one) => {
      const { session, uri } = one;
      t.failed(await session.command('migrate-pause'), 'GenericError');
      const recover = await session.command('migrate-recover', { uri });
      t.failed(recover, 'GenericError', 'Migrate recover can only be run when postcopy is paused.');
      const start = await session.command('migrate-start-postcopy');
      t.failed(start, 'GenericError', 'Enable postcopy with migrate_set_capability before the start of migration');
      await one.tells('✗migrate-pause ✗migrate-recover ✗migrate-start-postcopy');
      await one.statusIs('active');
    },
  },
  {
    id: 'MIG-SM-I21',
    stage: 'loaded',
    look: async (_, one) => {
      await one.statusIs('completed');
      await one.runStateIs('running');
    },
  },
  { id: 'MIG-SM-I21.running', stage: 'loaded', look: async (_, one) => one.runStateIs('running') },
  // Its events were told one after the other.
  { id: 'MIG-SM-R10.fed', stage: 'loaded', look: async (_, one) => one.statusIs('completed') },
  {
    id: 'MIG-SM-I06.after',
    stage: 'loaded',
    fits: announcesNoSecond,
    look: async (t, one) => {
      await refusesAgain(t, one, one.uri);
      await one.statusIs('completed');
    },
  },
  {
    id: 'MIG-SM-I24.away',
    stage: 'loaded',
    look: async (t, one) => {
      await one.runs('running');
      const peer = await channel(t, one.instance, 'answer');
      one.turn();
      const reply = await one.session.command('migrate', { uri: peer.uri });
      t.equal(t.succeeded(reply), {}, 'migrate');
      await one.until('completed');
      await one.runs('postmigrate');
      await one.tells(`setup ↵migrate P active P* S ${device(t)} P completed`);
    },
  },
];

/** Goes as far as one of the parts has something to look at. */
async function goes(t: Trial, todo: readonly Part[]): Promise<void> {
  const last = Math.max(...todo.map(({ stage }) => stages.indexOf(stage)));
  const one = await destination(t);
  /** True when there is nothing to look at behind this stage. */
  const looks = async (stage: Stage): Promise<boolean> => {
    for (const part of todo) {
      if (part.stage !== stage) continue;
      if (stage !== 'connected') one.turn();
      await part.look(t, one);
    }
    return stages.indexOf(stage) >= last;
  };
  if (await looks('deferred')) return;
  one.turn();
  await one.listens();
  await one.tells(`${setupWord(t)} ↵migrate-incoming`);
  if (await looks('listening')) return;
  one.turn();
  const feed = await one.connects();
  if (await looks('connected')) return;
  feed.leads();
  await one.until('active');
  await one.tells('active');
  feed.begin().ramSetup().send();
  if (await looks('loading')) return;
  one.turn();
  feed.pages(0).ramEnd();
  if (todo.some(({ id }) => id === 'MIG-SM-I21.running')) feed.runState('running');
  feed.end().send();
  await one.until('completed');
  await one.tells('R completed');
  await looks('loaded');
}

/**
 * This part of the way to the end of a precopy load.
 * @param alone what it looks at where it does not go the whole way; default: its part of it
 */
export async function onTheWay(t: Trial, id: string, alone?: (t: Trial) => Promise<void>): Promise<void> {
  const fitting = parts.filter(({ fits }) => fits?.(t.facts) ?? true);
  const mine = parts.filter((part) => part.id === id);
  // What changes nothing of the load, and what belongs to its end, goes the same way.
  // To the end in each case: what was looked at on the way leaves the load alone.
  const part = (t: Trial) => goes(t, [...mine, ...(mine.some(({ stage }) => stage === 'loading') ? [end] : [])]);
  if (!fitting.some((part) => part.id === id)) await (alone ?? part)(t);
  else await t.observed('a precopy load', (t) => goes(t, fitting), alone ?? part);
}
const end: Part = { id: 'end', stage: 'loaded', look: async (_, one) => one.statusIs('completed') };

/** A postcopy load from its advice to its end, with all that it shows. */
export async function postcopyLoad(t: Trial): Promise<void> {
  const one = await postcopyDestination(t);
  const feed = await one.loads();
  one.turn();
  const { writer } = feed.begin().returnPath();
  const answered = (bytes: number) => feed.until('a PONG', () => feed.returned.length >= bytes);
  writer.postcopyAdvise(4096);
  writer.ping(9);
  feed.send('an advice');
  await answered(8);
  t.same(feed.returned.length, 8, 'bytes on the return path');
  await one.statusIs('active');
  feed.ramSetup();
  writer.postcopyDiscard(block.name, [{ start: 0, length: block.length }]);
  writer.ping(7);
  feed.send('a discard');
  await answered(16);
  await one.statusIs('active');
  await one.runStateIs('inmigrate');
  await one.tells('');
  for (let page = 0; page < 64; page++) {
    writer.postcopyDiscard(block.name, [{ start: page * 4096, length: 4096 }]);
  }
  writer.ping(8);
  feed.send('more of them');
  await answered(24);
  t.same(feed.answers.map(({ type }) => type).join(' '), 'PONG PONG PONG', 'the return path');
  await one.statusIs('active');
  feed.package('POSTCOPY_LISTEN', 'POSTCOPY_RUN').send('the switch');
  await one.until('postcopy-active');
  await one.runs('running');
  await one.tells('postcopy-active R');
  await one.statusIs('postcopy-active');
  one.turn();
  const reply = await one.session.command('migrate-recover', { uri: one.uri });
  t.failed(reply, 'GenericError', 'Migrate recover can only be run when postcopy is paused.');
  await one.tells('✗migrate-recover');
  await one.statusIs('postcopy-active');
  one.turn();
  feed.rest();
  writer.eof();
  feed.send('the rest');
  const shut = await feed.answer('SHUT');
  t.same(shut.type === 'SHUT' ? shut.value : -1, 0, 'value of SHUT');
  await one.until('completed');
  await one.emits('completed');
  await one.statusIs('completed');
  await one.runStateIs('running');
}
