/** A source of the target with a peer of ours on its migration channel. */
import { join } from 'node:path';
import { Peer, type PeerOptions } from '../../oracle/peer/peer.js';
import { ramImage } from '../../oracle/ram-image.js';
import type { Trial } from '../../oracle/trial.js';
import type { JsonObject } from '../../protocol/json.js';
import { eventName } from '../../protocol/message.js';
import type { Session } from '../../protocol/session.js';
import type { PeerBehaviour } from '../../targets/scenario.js';
import type { Instance, StartOptions } from '../../targets/target.js';
import { becomes, runStateBecomes, switchOn } from '../commands/observe.js';
import { Actor } from './actor.js';

/** What every requirement with a peer needs. */
export const peerNeeds = { abilities: ['start', 'local'] } as const;

export interface SourceOptions {
  /** Further capabilities. */
  readonly capabilities?: readonly string[];
  /** Capability `events`; default on. */
  readonly events?: boolean;
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** MiB of guest RAM that are not zero; none when absent. */
  readonly ram?: number;
  readonly start?: StartOptions;
  /** Nothing was ever migrated from it. */
  readonly untouched?: boolean;
  /** Where a peer with behaviour `cut` closes. */
  readonly bytes?: number;
}

/**
 * Bytes a second with which a migration of RAM that is not zero takes longer than any test: one page or so in 100 ms, in
 * some releases about eight.
 */
export const slow = 4096;

/** A MiB or more that is not zero does not fit into the buffers of a socket. */
export const someRam = 4;

/** A peer on a channel in the scratch folder of an instance. */
export async function channel(
  t: Trial,
  instance: Instance,
  behaviour: PeerBehaviour,
  { name = 'channel', ...options }: { name?: string } & Pick<PeerOptions, 'bytes' | 'holds' | 'tap'> = {},
): Promise<Peer> {
  const { ramImage, extra } = instance.options;
  const peer = await Peer.open(join(instance.scratch, `${name}.sock`), behaviour, {
    transcript: t.transcript,
    endpoint: name,
    rules: t.dialect.stream,
    starved: t.starved,
    // An empty machine has nothing in its memory, and its UUID is zeros.
    ...(ramImage === undefined && extra === undefined
      ? { content: () => Buffer.alloc(0), machine: () => ({ uuid: Buffer.alloc(16) }) }
      : {}),
    ...options,
  });
  t.atEnd(() => peer.close());
  return peer;
}

export class Source extends Actor {
  constructor(
    t: Trial,
    instance: Instance,
    session: Session,
    readonly peer: Peer,
  ) {
    super(t, instance, session);
  }

  /** Sends `migrate` to the peer and waits for its reply. */
  async migrate(more: JsonObject = {}): Promise<void> {
    const reply = await this.session.command('migrate', { uri: this.peer.uri, ...more });
    this.t.equal(this.t.succeeded(reply, 'migrate'), {}, 'migrate');
  }
}

/** An instance of the target, its session with `events` on, and a peer that waits for it. */
export async function source(t: Trial, behaviour: PeerBehaviour, options: SourceOptions = {}): Promise<Source> {
  const start: StartOptions = {
    ...options.start,
    ...(options.ram === undefined ? {} : { ramImage: ramImage(options.ram) }),
  };
  const instance = options.untouched ? await t.start(start) : await t.startForMigration(start);
  const session = await t.session({ to: instance });
  const capabilities = [...(options.events === false ? [] : ['events']), ...(options.capabilities ?? [])];
  if (capabilities.length > 0) await switchOn(t, session, ...capabilities);
  if (options.parameters !== undefined) {
    t.succeeded(await session.command('migrate-set-parameters', options.parameters), 'migrate-set-parameters');
  }
  const more = options.bytes === undefined ? {} : { bytes: options.bytes };
  return new Source(t, instance, session, await channel(t, instance, behaviour, more));
}

/** A source that has long to send and is in `active`. */
export async function active(t: Trial, options: SourceOptions = {}): Promise<Source> {
  const one = await source(t, 'answer', {
    ram: someRam,
    ...options,
    parameters: { 'max-bandwidth': slow, ...options.parameters },
  });
  await one.migrate();
  await one.until('active');
  // The source is connected before we are told of it, and only what we have been told of can be cut.
  await one.peer.until('connected', one.session.deadline);
  return one;
}

/** A source that waits in `pre-switchover`. */
export async function paused(
  t: Trial,
  behaviour: PeerBehaviour = 'answer',
  options: SourceOptions = {},
): Promise<Source> {
  const one = await source(t, behaviour, {
    ...options,
    capabilities: ['pause-before-switchover', ...(options.capabilities ?? [])],
  });
  await one.migrate();
  await one.until('pre-switchover');
  await one.peer.until('connected', one.session.deadline);
  return one;
}

/** A source that has sent everything and waits for the peer's last message. */
export async function finalWait(t: Trial, options: SourceOptions = {}): Promise<Source> {
  const one = await source(t, 'silent', {
    ...options,
    capabilities: ['return-path', ...(options.capabilities ?? [])],
  });
  await one.migrate();
  await one.peer.until('end-of-stream', one.session.deadline);
  // What was told before the end of the stream was written is here when the fence is, or soon.
  await one.session.fence();
  if (options.events !== false) {
    // Releases that do not tell the first sync have told the last one with the first event.
    const least = t.dialect.migration.passesTold === 'every' ? 2 : 1;
    const passes = () => one.session.since(0).filter((message) => eventName(message) === 'MIGRATION_PASS').length;
    await one.session.until('the MIGRATION_PASS of the last dirty sync', () => (passes() >= least ? true : undefined));
  }
  return one;
}

/** Waits until `query-status` and `query-migrate` agree that a migration is over, and well. */
export async function completed(t: Trial, session: Session): Promise<void> {
  await becomes(t, session, 'query-migrate', 'completed', ({ status }) => status === 'completed');
  await runStateBecomes(t, session, 'postmigrate');
}
