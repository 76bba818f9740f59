/** Two instances of the target, one migrating to the other. */
import { ramImage } from '../../oracle/ram-image.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject } from '../../protocol/json.js';
import { otherMemory } from '../../targets/machine.js';
import { becomes, switchOn } from '../commands/observe.js';
import { Actor } from './actor.js';
import { allowPostcopy, type Destination, destination } from './destination.js';
import { memory } from './feed.js';
import { slow } from './source.js';

export const pairNeeds = { abilities: ['start', 'incoming', 'local'] } as const;

export interface PairOptions {
  /** Capabilities of both ends, besides `events`. */
  readonly both?: readonly string[];
  readonly source?: readonly string[];
  /** Further capabilities of the destination, of a pair for postcopy. */
  readonly destination?: readonly string[];
  readonly parameters?: JsonObject;
  readonly ram?: number;
}

export class Pair {
  constructor(
    private readonly t: Trial,
    readonly source: Actor,
    readonly destination: Destination,
  ) {}

  async migrate(more: JsonObject = {}): Promise<void> {
    const reply = await this.source.session.command('migrate', { uri: this.destination.uri, ...more });
    this.t.equal(this.t.succeeded(reply, 'migrate'), {}, 'migrate');
  }

  turn(): void {
    this.source.turn();
    this.destination.turn();
  }
}

/** Both are started, and the destination listens. */
export async function pair(t: Trial, options: PairOptions = {}): Promise<Pair> {
  const { both = [] } = options;
  const image = options.ram === undefined ? {} : { ramImage: ramImage(options.ram) };
  const [instance, to] = await Promise.all([
    t.startForMigration({ memory, ...image }, 'source'),
    destination(t, { capabilities: both }),
  ]);
  const session = await t.session({ to: instance });
  await switchOn(t, session, 'events', ...both, ...(options.source ?? []));
  if (options.parameters !== undefined) {
    t.succeeded(await session.command('migrate-set-parameters', options.parameters), 'migrate-set-parameters');
  }
  const two = new Pair(t, new Actor(t, instance, session), to);
  await to.listens();
  return two;
}

/** A pair whose destination can take part in postcopy. @throws NotOffered where its host does not let it */
export async function postcopyPair(t: Trial, options: PairOptions = {}): Promise<Pair> {
  const image = { ramImage: ramImage(options.ram ?? 1) };
  const [instance, to] = await Promise.all([
    t.startForMigration({ memory, ...image }, 'source'),
    destination(t, { capabilities: options.destination ?? [] }),
  ]);
  await allowPostcopy(t, to.session);
  const session = await t.session({ to: instance });
  await switchOn(t, session, 'events', 'postcopy-ram', ...(options.source ?? []));
  const held = { 'max-bandwidth': slow, 'max-postcopy-bandwidth': slow, ...options.parameters };
  t.succeeded(await session.command('migrate-set-parameters', held), 'migrate-set-parameters');
  const two = new Pair(t, new Actor(t, instance, session), to);
  await to.listens();
  return two;
}

/** Both ends in postcopy-active, with most of the memory still at the source. */
export async function inPostcopy(t: Trial): Promise<Pair> {
  // A guest of its own asks for pages, which go out of turn and with what lies before them.
  const two = await postcopyPair(t, otherMemory(t.facts) === undefined ? {} : { ram: 8 });
  const { session } = two.source;
  const ids = [session.post('migrate', { uri: two.destination.uri }), session.post('migrate-start-postcopy')];
  for (const id of ids) t.succeeded(await session.reply(id));
  await two.source.until('postcopy-active');
  await two.destination.until('postcopy-active');
  await two.source.runs('finish-migrate');
  await two.destination.runs('running');
  // Before it has gone on to send pages, a source may take a broken channel for a switch that has failed.
  const before = pagesSent(await two.source.info());
  const goesOn = (info: JsonObject) => info.status !== 'postcopy-active' || pagesSent(info) > before;
  await becomes(t, session, 'query-migrate', 'that it sends pages', goesOn);
  return two;
}

const pagesSent = ({ ram }: JsonObject): number =>
  isObject(ram) ? Number(ram.normal ?? 0) + Number(ram.duplicate ?? 0) : 0;

export const hurry = (one: Actor): Promise<void> =>
  one.does('migrate-set-parameters', { 'max-bandwidth': 0, 'max-postcopy-bandwidth': 0 });

/** Both ends are through with it. */
export async function over(two: Pair): Promise<void> {
  await two.source.until('completed');
  await two.source.runs('postmigrate');
  await two.destination.until('completed');
}
