/** The migration channels of a scenario: peers, relays and feeds, by their names. */
import { join } from 'node:path';
import type { Clock } from '../protocol/clock.js';
import { ConnectError } from '../protocol/errors.js';
import type { Transcript } from '../protocol/transcript.js';
import type { StreamRules } from '../reference/dialects/stream.js';
import type { FeedPart, Step } from '../targets/scenario.js';
import { Feed } from './peer/feed.js';
import type { KnownMachine } from './peer/machine-checks.js';
import { Peer } from './peer/peer.js';
import type { PeerNetwork } from './peer/peer-network.js';
import { Relay } from './peer/relay.js';
import { returnMessages } from './peer/return-messages.js';
import { ramAfter, streamOf } from './peer/stream-parts.js';
import { ScenarioError } from './scenario-error.js';

type Of<What extends Step['do']> = Extract<Step, { do: What }>;

/** Parts for which a message comes back. */
const asking: ReadonlySet<FeedPart> = new Set(['ping', 'recv-bitmap', 'resume']);
/** Milliseconds for messages that should come back at once. */
const answerPatience = 200;
/** Milliseconds for what a migration sends that was begun at the end. */
const readingPatience = 1000;
/** Milliseconds until a process that was told so listens, and between two tries. */
const [listenPatience, listenPause] = [200, 10] as const;

export interface ChannelOptions {
  readonly transcript: Transcript;
  readonly rules: StreamRules;
  readonly clock: Clock;
  readonly network: PeerNetwork;
  /** Bytes of guest RAM of a machine that is fed, where it is not what was asked for. */
  readonly fedRam?: number;
  /** Folder for the sockets. */
  readonly scratch: () => string;
}

export class Channels {
  /** Memory of the only process there is, from address 0, zeros behind it; `undefined` when it is not known. */
  memory: Buffer | undefined;
  /** The machine of that process. */
  machine: KnownMachine | undefined;
  /** The only process there is waits for a migration, with empty memory: it will have what it is fed. */
  empty = false;
  /** Peers of ours keep an image of what they are sent. */
  remembers = false;
  /** Some process was told to listen from its start: that it does not yet is no answer. */
  listening = false;
  /** What was fed so far, while all of it went out as it is. */
  private fed: FeedPart[] | undefined = [];
  private readonly all = new Map<string, Peer | Relay | Feed>();
  /** Channels that were fed, or were to be. */
  private readonly tried = new Set<string>();
  /** Channels that nobody let us feed: what is done to them is lost, which is no fault. */
  private readonly unfed = new Set<string>();

  constructor(private readonly options: ChannelOptions) {}

  /** Path of a channel's socket. @throws ScenarioError for a name that cannot be one */
  path(channel: string): string {
    if (!/^[a-z0-9]{1,12}$/.test(channel)) {
      throw new ScenarioError(`'${channel}' is no channel name: write a-z and 0-9`);
    }
    return join(this.options.scratch(), `${channel}.mig`);
  }

  async peer({ channel, behaviour, bytes }: Of<'peer'>): Promise<void> {
    await this.all.get(channel)?.close();
    const peer = await Peer.open(this.path(channel), behaviour, {
      ...this.record(channel),
      rules: this.options.rules,
      content: () => this.memory,
      machine: () => this.machine,
      remembers: () => this.remembers,
      ...(bytes === undefined ? {} : { bytes }),
    });
    this.all.set(channel, peer);
  }

  async relay({ channel, to, behaviour, bytes }: Of<'relay'>): Promise<void> {
    let relay = this.all.get(channel);
    if (!(relay instanceof Relay)) {
      await relay?.close();
      relay = await Relay.open(this.path(channel), this.path(to), this.record(channel));
      this.all.set(channel, relay);
    }
    relay.behave(behaviour, bytes);
  }

  async feed({ channel, parts, cut, flip, every }: Of<'feed'>): Promise<void> {
    let feed = this.all.get(`feed ${channel}`);
    if (!(feed instanceof Feed) || feed.closed) {
      this.unfed.add(channel);
      // Nobody may listen: what is done to the channel afterwards then has nothing to be done to, which is no fault.
      this.tried.add(channel);
      feed = await this.opened(channel);
      this.unfed.delete(channel);
      this.all.set(`feed ${channel}`, feed);
    }
    const all = streamOf(parts, this.options.rules, this.options.fedRam);
    const bytes = all.subarray(0, cut);
    if (flip !== undefined && flip < bytes.length) bytes[flip] = (bytes[flip] as number) ^ 0xff;
    const whole = bytes.length === all.length && flip === undefined;
    this.fed = whole ? this.fed?.concat(parts) : undefined;
    if (this.empty) this.memory = this.fed && ramAfter(this.fed);
    const asked = this.fed?.includes('return-path') === true ? parts.filter((one) => asking.has(one)).length : 0;
    await feed.send(bytes, every, whole ? parts.join(' ') : undefined, asked);
    if (cut !== undefined) feed.finish();
  }

  /** A connection to whoever listens on a channel. @throws ConnectError */
  private async opened(channel: string): Promise<Feed> {
    const { clock, rules } = this.options;
    for (let left = this.listening ? listenPatience : 0; ; left -= listenPause) {
      try {
        return await Feed.open(this.path(channel), { ...this.record(channel), rules });
      } catch (error) {
        if (!(error instanceof ConnectError) || left <= 0) throw error;
        await new Promise<void>((resolve) => clock.after(listenPause, resolve));
      }
    }
  }

  /**
   * Until what was asked of destinations has been answered, or is not going to be.
   * @param begun a migration may have been begun just now: what it sends is read
   */
  async settle(begun: boolean): Promise<void> {
    for (const one of this.all.values()) {
      if (one instanceof Feed) await one.settle(answerPatience);
      else if (begun && one instanceof Peer) await one.settle(readingPatience);
    }
  }

  async release(channel: string): Promise<void> {
    const one = this.get(channel);
    if (one instanceof Relay) one.behave('pass');
    else if (one instanceof Peer) await one.release();
  }

  cut(channel: string): void {
    if (this.unfed.has(channel)) return;
    const one = this.get(channel);
    if (one instanceof Feed) one.finish();
    else one.cut();
  }

  message({ channel, message }: Of<'message'>): void {
    const one = this.get(channel);
    if (!(one instanceof Peer)) throw new ScenarioError(`channel '${channel}' has no peer of ours to send a message`);
    one.message(returnMessages[message], message);
  }

  /** @throws DeadlinePassed */
  async until({ channel, is, count }: Of<'channel'>, deadline: number): Promise<void> {
    const one = this.get(channel);
    if (one instanceof Feed) {
      if (is === 'closed') await one.untilClosed(deadline);
    } else await one.until(is, deadline, count);
  }

  async close(): Promise<void> {
    await Promise.all([...this.all.values()].map((one) => one.close()));
  }

  private record(channel: string) {
    const { transcript, clock, network } = this.options;
    return { transcript, clock, network, endpoint: `channel ${channel}` };
  }

  private get(channel: string): Peer | Relay | Feed {
    const one = this.all.get(channel) ?? this.all.get(`feed ${channel}`);
    if (one === undefined && this.tried.has(channel)) {
      throw new ConnectError(channel, 'ENOTCONN', 'the channel could not be opened');
    }
    if (one === undefined) throw new ScenarioError(`no step opens channel '${channel}'`);
    return one;
  }
}
