/** A destination of the target that we feed ourselves. */
import { join } from 'node:path';
import type { Trial } from '../../oracle/trial.js';
import type { JsonObject } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import { type ExitStatus, NotOffered, type StartOptions } from '../../targets/target.js';
import { fitsExactly } from '../commands/dialect-fit.js';
import { switchOn } from '../commands/observe.js';
import { Actor } from './actor.js';
import { Feed, memory } from './feed.js';
import { storySoFar, tells } from './story.js';

/** A stream of ours fits the machine that our own arguments make. */
export const feedNeeds = { abilities: ['start', 'incoming', 'arguments', 'local'] } as const;

export interface DestinationOptions {
  readonly capabilities?: readonly string[];
  /** Capability `events`; default on. */
  readonly events?: boolean;
  readonly start?: StartOptions;
  readonly name?: string;
}

/** A load that has begun and not ended: where it came in is shown, in releases that show it at all. */
const underWay: ReadonlySet<string> = new Set(['active', 'postcopy-active', 'postcopy-paused', 'postcopy-recover']);

export class Destination extends Actor {
  /** Where it listens. */
  readonly path = join(this.instance.scratch, 'in.sock');
  readonly uri = `unix:${this.path}`;

  /** It was told to listen at a socket. */
  private hasSocket = false;

  /** Nothing is shown of a load but its status, where it was listened for, and what became of it (MIG-CMD-QMIG-02). */
  protected override looksAt(info: JsonObject): void {
    super.looksAt(info);
    if (!fitsExactly(this.t.facts)) return;
    const rest = ['status', 'socket-address', 'error-desc', 'postcopy-blocktime', 'postcopy-vcpu-blocktime'];
    this.t.returned('query-migrate', info, [], rest, 'members at the destination');
    const bad = ['postcopy-active', 'postcopy-paused'].includes(String(info.status));
    if (bad) this.t.same('postcopy-blocktime' in info, false, 'postcopy-blocktime before the end');
    const shown = this.t.dialect.migration.showsSocketAddress && this.hasSocket && underWay.has(String(info.status));
    if (shown) this.t.same('socket-address' in info, true, `socket-address in ${info.status}`);
  }

  /** Lets it listen. */
  async listens(uri = this.uri): Promise<void> {
    const reply = await this.session.command('migrate-incoming', { uri });
    this.t.equal(this.t.succeeded(reply, 'migrate-incoming'), {}, 'migrate-incoming');
    this.hasSocket = uri.startsWith('unix:');
  }

  /** Connects to it. */
  connects(name?: string): Promise<Feed> {
    return Feed.open(this.t, this.path, name);
  }

  /**
   * It listens, is connected to, and says that it loads.
   * @param magic what it will be sent begins with the magic number; without, a destination that becomes active with the
   * first bytes does not become so
   */
  async loads({ magic = true } = {}): Promise<Feed> {
    await this.listens();
    const feed = await this.connects();
    if (!magic && this.t.dialect.migration.activeWithBytes) return feed;
    feed.leads();
    await this.until('active');
    return feed;
  }

  /** The process ends by itself with exit status 1 after it has told that the load failed. */
  async fails(plot = 'failed', step?: string): Promise<void> {
    const exit = await this.exits();
    this.t.check(exit.code === 1, 'exit status 1', describe(exit), step);
    tells(this.t, storySoFar(this.t, this.session, this.mark), plot, step);
  }

  async exits(): Promise<ExitStatus> {
    await this.session.eof();
    return this.instance.exited(this.session.deadline);
  }
}

const describe = ({ code, signal }: ExitStatus): string => (signal === null ? `exit status ${code}` : String(signal));

/** A destination that was started with `-incoming defer`. */
export async function destination(t: Trial, options: DestinationOptions = {}): Promise<Destination> {
  const name = options.name ?? 'destination';
  const instance = await t.start({ incoming: 'defer', memory, ...options.start }, name);
  const session = await t.session({ to: instance });
  const capabilities = [...(options.events === false ? [] : ['events']), ...(options.capabilities ?? [])];
  if (capabilities.length > 0) await switchOn(t, session, ...capabilities);
  return new Destination(t, instance, session);
}

/** A destination that takes part in postcopy. @throws NotOffered where its host does not let it */
export async function postcopyDestination(t: Trial, options: DestinationOptions = {}): Promise<Destination> {
  const one = await destination(t, options);
  await allowPostcopy(t, one.session);
  one.turn();
  return one;
}

/** @throws NotOffered where the host of a destination does not let it have what postcopy needs (MIG-CMD-SCAP-07) */
export async function allowPostcopy(t: Trial, session: Session): Promise<void> {
  const capabilities = [{ capability: 'postcopy-ram', state: true }];
  const reply = await session.command('migrate-set-capabilities', { capabilities });
  if (reply.kind === 'success' || t.dialect.migration.userfault === undefined) t.succeeded(reply, 'postcopy-ram on');
  else {
    t.failed(reply, 'GenericError', undefined, 'a host without userfault');
    throw new NotOffered('its host does not let a destination have userfaultfd, which postcopy needs');
  }
}

/** The word `setup` of an incoming story: an event of its own, or a state like any other. */
export const setupWord = (t: Trial, events = true): string =>
  events || t.dialect.migration.incomingSetup === 'event' ? 'setup' : '';

export const incomingStatus = (info: JsonObject): string => String(info.status ?? 'none');
