/** A source and a destination of the target, and a plain migration between them. */
import type { Trial } from '../../oracle/trial.js';
import { DeadlinePassed } from '../../protocol/errors.js';
import { isObject, type JsonObject, type JsonValue, stringifyJson } from '../../protocol/json.js';
import { isReply, type Received } from '../../protocol/message.js';
import type { Session } from '../../protocol/session.js';
import { freePort } from '../../targets/free-port.js';
import type { StartOptions } from '../../targets/target.js';
import { channel } from '../state-machine/source.js';
import { fitsExactly } from './dialect-fit.js';
import { migrationBecomes, runStateBecomes, switchOn } from './observe.js';

export interface PairOptions {
  readonly transport?: 'unix' | 'tcp';
  /** Capability `events` at both ends; default on. */
  readonly events?: boolean;
  /** Further capabilities of the source. */
  readonly capabilities?: readonly string[];
  readonly source?: StartOptions;
  readonly destination?: StartOptions;
}

export interface Pair {
  readonly source: Session;
  readonly destination: Session;
  /** Where the destination listens. */
  readonly uri: string;
  /** Positions in the logs before the commands that begin the migration. */
  readonly marks: { readonly source: number; readonly destination: number };
  /** Both tell of their migrations. */
  readonly events?: boolean;
}

/** Milliseconds by which an event may come behind what a query has shown: it is raised beside the commands. */
const late = 1000;

/** Starts both, and lets the destination listen. */
export async function pair(t: Trial, options: PairOptions = {}): Promise<Pair> {
  const { transport = 'unix', events = true } = options;
  const [from, to] = await Promise.all([
    t.startForMigration(options.source ?? {}, 'source'),
    t.start({ incoming: 'defer', ...options.destination }, 'destination'),
  ]);
  const [source, destination] = [await t.session({ to: from }), await t.session({ to })];
  if (events) for (const session of [source, destination]) await switchOn(t, session, 'events');
  if (options.capabilities !== undefined) await switchOn(t, source, ...options.capabilities);
  const marks = { source: source.mark(), destination: destination.mark() };
  const shows = t.dialect.migration.showsSocketAddress;
  const port = async () => (shows ? 0 : await freePort());
  const wanted = transport === 'unix' ? `unix:${to.scratch}/in.sock` : `tcp:127.0.0.1:${await port()}`;
  t.succeeded(await destination.command('migrate-incoming', { uri: wanted }), 'migrate-incoming');
  const uri = transport === 'tcp' && shows ? await listeningAt(t, destination) : wanted;
  return { source, destination, uri, marks, events };
}

/** The URI of a destination that chose its port itself. */
async function listeningAt(t: Trial, destination: Session): Promise<string> {
  const info = t.succeeded(await destination.command('query-migrate'), 'query-migrate');
  const [address] = isObject(info) && Array.isArray(info['socket-address']) ? info['socket-address'] : [];
  return `tcp:127.0.0.1:${isObject(address) ? String(address.port) : ''}`;
}

/** A source alone, which migrates to a peer of ours: from begin to end, its session and the log position before. */
export async function migratedAway(
  t: Trial,
  capabilities: readonly string[] = [],
): Promise<{ readonly source: Session; readonly mark: number; readonly uri: string }> {
  const instance = await t.startForMigration();
  const source = await t.session({ to: instance });
  await switchOn(t, source, 'events', ...capabilities);
  const { uri } = await channel(t, instance, 'answer');
  const mark = source.mark();
  t.equal(t.succeeded(await source.command('migrate', { uri }), 'migrate'), {}, 'migrate');
  await migrationBecomes(t, source, 'completed');
  await runStateBecomes(t, source, 'postmigrate');
  return { source, mark, uri };
}

/** Begins the migration and waits until both ends are through with it and the final figures stand (MIG-CMD-INV-09). */
export async function migrated(t: Trial, both: Pair, end: string): Promise<void> {
  const { source, destination, uri, marks, events = false } = both;
  t.equal(t.succeeded(await source.command('migrate', { uri }), 'migrate'), {}, 'migrate');
  await migrationBecomes(t, source, 'completed');
  await runStateBecomes(t, source, 'postmigrate');
  await migrationBecomes(t, destination, 'completed');
  await runStateBecomes(t, destination, end);
  if (!events) return;
  await tellsOfEnd(source, marks.source);
  await tellsOfEnd(destination, marks.destination);
}

/** Waits for the end to be told. What is not told is for those to say who look for it. */
async function tellsOfEnd(session: Session, since: number): Promise<void> {
  const test = ({ status }: JsonObject) => status === 'completed';
  try {
    await session.event('MIGRATION', { since, test, deadline: late });
  } catch (error) {
    if (!(error instanceof DeadlinePassed)) throw error;
  }
}

/** A plain migration that several requirements look at. */
export interface SeenMigration {
  /** All that each end said from before the commands that begin the migration. */
  readonly source: readonly Received[];
  readonly destination: readonly Received[];
  /** `query-migrate` of the source once the figures stand, and the answers when it is asked again. */
  readonly info: JsonObject;
  readonly again: readonly JsonValue[];
  /** `query-migrate` of the destination. */
  readonly loaded: JsonValue;
  /** Milliseconds from the command to the end of the migration. */
  readonly took: number;
}

/** A migration from begin to end that others look at too. */
export const seenMigration = (
  t: Trial,
  options: Pick<PairOptions, 'transport' | 'events' | 'capabilities'> = {},
): Promise<SeenMigration> =>
  t.observed(`migration ${stringifyJson(options)}`, async (t) => {
    const both = await pair(t, options);
    const began = performance.now();
    await migrated(t, both, 'running');
    const took = performance.now() - began;
    const { source, destination, marks } = both;
    const info = t.succeeded(await source.command('query-migrate'), 'query-migrate');
    const again: JsonValue[] = [];
    for (let i = 0; i < 3; i++) again.push(t.succeeded(await source.command('query-migrate'), 'query-migrate'));
    return {
      source: await source.fence(marks.source),
      destination: await destination.fence(marks.destination),
      info: isObject(info) ? info : {},
      again,
      loaded: t.succeeded(await destination.command('query-migrate'), 'query-migrate'),
      took,
    };
  });

/**
 * What came since a mark, as words in order: events as {@link Trial.eventNames} writes them, and `reply` for the first
 * reply. Replies to later queries are left out.
 */
export const words = async (t: Trial, session: Session, mark: number): Promise<string> =>
  wordsOf(t, await session.fence(mark));

/** As {@link words}, of messages that are here already. */
export function wordsOf(t: Trial, messages: readonly Received[]): string {
  const first = messages.find(isReply);
  const kept = messages.filter((message) => message === first || !isReply(message));
  return kept.map((message) => (message === first ? 'reply' : (t.eventNames([message])[0] ?? message.kind))).join(' ');
}

/** The words of a source that migrates a running (or stopped) guest without a fault. */
export function sourceWords(t: Trial, running: boolean): RegExp {
  const pass = 'MIGRATION_PASS\\(\\d+\\)';
  const device = 'MIGRATION\\(device\\) ';
  const { deviceAlways, passesTold } = t.dialect.migration;
  const syncs = passesTold === 'every' ? `${pass} ` : `(${pass} )*`;
  const switching = !fitsExactly(t.facts) ? `(${device})?` : deviceAlways ? device : '';
  return new RegExp(
    `^MIGRATION\\(setup\\) reply ${syncs}MIGRATION\\(active\\) (${pass} )*${running ? 'STOP ' : ''}${switching}${syncs}MIGRATION\\(completed\\)$`,
  );
}

/** The words look like this. */
export function wordsAre(t: Trial, got: string, expected: RegExp, step: string): void {
  t.check(expected.test(got), expected.source.replaceAll('\\', ''), got, step);
}
