/**
 * Our own end of a migration channel: a listener that behaves well, badly, or not at all. With it a source can be held in
 * every state that lasts, without a second monitor (state-machine.md §8).
 */
import type { ByteStream } from '../../protocol/byte-stream.js';
import { type Clock, hostClock } from '../../protocol/clock.js';
import { DeadlinePassed } from '../../protocol/errors.js';
import { afterFairTime, type Starved } from '../../protocol/fair-time.js';
import type { Transcript } from '../../protocol/transcript.js';
import { dialects } from '../../reference/dialects/dialect.js';
import type { StreamRules } from '../../reference/dialects/stream.js';
import type { ChannelMoment, PeerBehaviour } from '../../targets/scenario.js';
import type { KnownMachine } from './machine-checks.js';
import { PeerConnection, PeerMemory } from './peer-connection.js';
import { type FullPeerListener, hostPeerNetwork, type PeerListener, type PeerNetwork } from './peer-network.js';

export interface PeerOptions {
  /** With `cut`: the connection is closed once this many bytes were read; 0 when absent, which is at once. */
  readonly bytes?: number;
  /** Where facts about the channel are recorded. */
  readonly transcript?: Transcript;
  /** Name of the channel in the transcript; `peer` when absent. */
  readonly endpoint?: string;
  /** Numbers of stream commands; those of the baseline when absent. */
  readonly rules?: StreamRules;
  /** What is in the sender's memory, where that is known: from address 0, zeros behind it. */
  readonly content?: () => Buffer | undefined;
  /** What is known of the sender's machine. */
  readonly machine?: () => KnownMachine | undefined;
  /** An image of the memory that comes is kept, and told as a digest at the end; default: none is. */
  readonly remembers?: () => boolean;
  /** The host's time and sockets unless a simulation has its own. */
  readonly clock?: Clock;
  /** How long those who use the channel had no processor, where that is known: deadlines are longer by it. */
  readonly starved?: Starved | undefined;
  readonly network?: PeerNetwork;
  /** Told of every chunk that is read, with the number of its connection, from 1; before anything is answered. */
  readonly tap?: (connection: number, chunk: Buffer) => void;
  /** Bytes of the first connection after which nothing more is read until {@link Peer.release}, in ascending order. */
  readonly holds?: readonly number[];
}

/** Milliseconds in which a connection comes about; and without a byte, after which a stream stands: windows of bandwidth are 100. */
const [moment, beat] = [10, 110] as const;

/**
 * `held`: nothing is read until the next {@link Peer.release}. `onward`: what follows the guest of a postcopy has begun to come;
 * before that a source may still take a broken channel for a switch that has failed.
 */
export type PeerMoment = ChannelMoment | 'held' | 'onward';

export class Peer {
  readonly uri: string;
  private readonly open = new Set<PeerConnection>();
  private readonly all: PeerConnection[] = [];
  private readonly waiters = new Set<() => void>();
  private readonly memory = new PeerMemory();
  private server: PeerListener | undefined;
  private full: FullPeerListener | undefined;
  private bytes = 0;
  private cutting = 0;
  private holding = false;

  private constructor(
    private readonly path: string,
    private behaviour: PeerBehaviour,
    private readonly options: PeerOptions,
  ) {
    this.uri = `unix:${path}`;
  }

  /** @param path of the socket, which must not exist; it is made with mode 0600 and removed by {@link close} */
  static async open(path: string, behaviour: PeerBehaviour, options: PeerOptions = {}): Promise<Peer> {
    const peer = new Peer(path, behaviour, options);
    if (behaviour === 'absent') {
      peer.tell(`nobody listens at ${path}`);
    } else if (behaviour === 'full') {
      await peer.listen(peer.inner);
      peer.full = await peer.network.listenFull(path, peer.inner);
      peer.tell(`the queue at ${path} is full`);
    } else {
      await peer.listen(path);
      peer.tell(`listens at ${path}: ${behaviour}`);
    }
    return peer;
  }

  private get network(): PeerNetwork {
    return this.options.network ?? hostPeerNetwork;
  }

  private get clock(): Clock {
    return this.options.clock ?? hostClock;
  }

  /** Where the connections of a full listener come out once they are let in. */
  private get inner(): string {
    return `${this.path}.in`;
  }

  /** Connections accepted so far. */
  get connections(): number {
    return this.all.length;
  }

  /** Bytes read so far, on all connections. */
  get received(): number {
    return this.bytes;
  }

  /** RAM blocks that the stream has announced so far: name → bytes. */
  get blocks(): ReadonlyMap<string, number> {
    return new Map([...this.memory.receiver.blocks.values()].map(({ name, length }) => [name, length]));
  }

  /** Lets what is held back go on: a full listener accepts, a stalled one reads, a silent one gives its answers. */
  async release(): Promise<void> {
    this.tell('released');
    this.holding = false;
    if (this.behaviour !== 'absent') this.behaviour = 'answer';
    await this.full?.release();
    for (const connection of this.open) {
      connection.answer();
      connection.resume();
    }
  }

  /** Closes every connection, and a full listener altogether, so that the connect that waits for it fails. */
  cut(): void {
    this.tell('cut');
    this.full?.leave();
    for (const connection of this.open) connection.close();
    // A connection that stands in the kernel's queue is as good as accepted: the event loop sees it on its next round.
    this.cutting++;
    this.clock.soon(() => this.clock.soon(() => this.cutting--));
  }

  /** Sends bytes back on every open connection. @param name what they are, for the transcript */
  message(bytes: Buffer, name?: string): void {
    const what = bytes.length <= 16 ? bytes.toString('hex') : `${bytes.length} bytes`;
    this.tell(`sent ${what}${name === undefined ? '' : `: ${name}`}`);
    for (const connection of this.open) connection.write(bytes);
  }

  /**
   * Waits for a moment, which may have been already.
   * @param deadline milliseconds
   * @param count how many connections must have been accepted
   * @throws DeadlinePassed
   */
  until(what: PeerMoment, deadline: number, count = 1): Promise<void> {
    if (this.holds(what, count)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = () => {
        if (!this.holds(what, count)) return;
        settle();
        resolve();
      };
      const settle = () => {
        cancel();
        this.waiters.delete(waiter);
      };
      const late = (length: number) => {
        settle();
        reject(new DeadlinePassed(`migration channel ${what}`, length));
      };
      const cancel = afterFairTime(this.clock, deadline, late, this.options.starved);
      this.waiters.add(waiter);
    });
  }

  /** Until what is being read has come to a stop, at most so many milliseconds. */
  async settle(most: number): Promise<void> {
    if (/^(?:absent|full|stall)$/.test(this.behaviour)) return;
    const pass = (ms: number) => new Promise<void>((resolve) => this.clock.after(ms, resolve));
    await pass(moment);
    for (let left = most, before = -1; left > 0 && this.open.size > 0 && this.bytes !== before; left -= beat) {
      before = this.bytes;
      await pass(beat);
    }
  }

  private holds(what: PeerMoment, count: number): boolean {
    if (this.all.length < count) return false;
    if (what === 'connected') return true;
    if (what === 'held') return this.holding;
    if (what === 'closed') return this.open.size === 0;
    if (what === 'announced') return this.memory.receiver.blocks.size > 0;
    if (what === 'switched') return this.all.some(({ switched }) => switched);
    if (what === 'onward') return this.all.some(({ onward }) => onward);
    return this.all.some(({ complete }) => complete);
  }

  /** Ends everything and removes the socket file. Never throws. */
  async close(): Promise<void> {
    if (this.all.every(({ heard }) => heard)) this.all.findLast(({ complete }) => complete)?.settle();
    for (const connection of this.open) connection.close();
    await this.server?.close();
    await this.full?.close();
  }

  private async listen(path: string): Promise<void> {
    this.server = await this.network.listen(path, (socket) => this.accepted(socket));
  }

  private accepted(socket: ByteStream): void {
    const number = this.all.length + 1;
    const { behaviour } = this;
    const limit = behaviour === 'cut' ? (this.options.bytes ?? 0) : Number.POSITIVE_INFINITY;
    let read = 0;
    const holds = number === 1 ? [...(this.options.holds ?? [])] : [];
    const connection = new PeerConnection(socket, {
      rules: this.options.rules ?? dialects['3.0'].stream,
      shut: behaviour === 'error' ? 1 : 0,
      answers: behaviour !== 'silent' && behaviour !== 'stall',
      asks: behaviour === 'ask' && number === 1,
      now: () => this.clock.now(),
      memory: this.memory,
      content: this.options.content ?? (() => undefined),
      machine: this.options.machine ?? (() => undefined),
      remembers: this.options.remembers ?? (() => false),
      tell: (fact) => this.tell(`connection ${number}: ${fact}`),
      read: (chunk) => {
        read += chunk.length;
        this.bytes += chunk.length;
        this.options.tap?.(number, chunk);
        if (read >= limit) connection.close();
        if (read < (holds[0] ?? Number.POSITIVE_INFINITY)) return;
        holds.shift();
        connection.hold();
        this.holding = true;
        this.tell(`connection ${number}: held after ${read} bytes`);
        setImmediate(() => this.wake());
      },
      changed: () => {
        if (connection.closed) this.open.delete(connection);
        this.wake();
      },
    });
    this.all.push(connection);
    this.open.add(connection);
    this.tell(`connection ${number}: accepted`);
    if (limit === 0 || this.cutting > 0) connection.close();
    else if (behaviour !== 'stall') connection.resume();
    this.wake();
  }

  private wake(): void {
    for (const waiter of [...this.waiters]) waiter();
  }

  private tell(fact: string): void {
    this.options.transcript?.add(this.options.endpoint ?? 'peer', 'channel', fact);
  }
}
