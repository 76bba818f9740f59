/**
 * A migration channel that leads through us to a listener: between two instances it can be stalled, slowed, sliced and cut
 * at a chosen byte, at a chosen moment.
 */
import type { ByteStream } from '../../protocol/byte-stream.js';
import { type Clock, hostClock } from '../../protocol/clock.js';
import { DeadlinePassed } from '../../protocol/errors.js';
import type { Transcript } from '../../protocol/transcript.js';
import type { ChannelMoment, RelayBehaviour } from '../../targets/scenario.js';
import { hostPeerNetwork, type PeerListener, type PeerNetwork } from './peer-network.js';

export interface RelayOptions {
  readonly transcript?: Transcript;
  /** Name of the channel in the transcript. */
  readonly endpoint?: string;
  /** The host's time and sockets unless a simulation has its own. */
  readonly clock?: Clock;
  readonly network?: PeerNetwork;
}

interface Link {
  readonly near: ByteStream;
  readonly far: ByteStream;
  /** Read and not yet passed on. */
  rest: Buffer;
  /** The next portion has its time. */
  waits: boolean;
}

export class Relay {
  private readonly links = new Set<Link>();
  private readonly waiters = new Set<() => void>();
  private readonly clock: Clock;
  private listener: PeerListener | undefined;
  /** Accepted, and not yet connected further. */
  private readonly arrived = new Set<ByteStream>();
  private accepted = 0;
  private cutting = 0;
  private behaviour: RelayBehaviour = 'pass';
  private bytes = Number.POSITIVE_INFINITY;

  private constructor(
    private readonly to: string,
    private readonly options: RelayOptions,
  ) {
    this.clock = options.clock ?? hostClock;
  }

  /** @param path of its socket; @param to path of the listener that it leads to, which need not be there yet */
  static async open(path: string, to: string, options: RelayOptions = {}): Promise<Relay> {
    const relay = new Relay(to, options);
    relay.listener = await relay.network.listen(path, (near) => void relay.accept(near));
    return relay;
  }

  private get network(): PeerNetwork {
    return this.options.network ?? hostPeerNetwork;
  }

  /** What happens from now on to what comes from the source. */
  behave(behaviour: RelayBehaviour, bytes = 1): void {
    this.tell(behaviour === 'pass' || behaviour === 'stall' ? behaviour : `${behaviour} ${bytes}`);
    this.behaviour = behaviour;
    this.bytes = bytes;
    for (const link of this.links) this.forward(link);
  }

  /** Closes every connection at both ends. */
  cut(): void {
    this.tell('cut');
    this.end();
    // A connection that stands in the kernel's queue is as good as accepted: it is seen on the next round.
    this.cutting++;
    this.clock.soon(() => this.clock.soon(() => this.cutting--));
  }

  private end(): void {
    for (const near of this.arrived) near.destroy();
    for (const { near, far } of this.links) {
      near.destroy();
      far.destroy();
    }
  }

  private async accept(near: ByteStream): Promise<void> {
    near.on('error', () => undefined);
    this.arrived.add(near);
    this.accepted++;
    this.tell(`connection ${this.accepted}: accepted`);
    let far: ByteStream;
    try {
      far = await this.network.connect(this.to);
    } catch (error) {
      this.tell(`it leads nowhere: ${(error as Error).message}`);
      this.arrived.delete(near);
      near.destroy();
      this.wake();
      return;
    }
    this.arrived.delete(near);
    if (this.cutting > 0) near.destroy();
    if (near.destroyed) {
      far.destroy();
      this.tell('a connection is closed');
      this.wake();
      return;
    }
    const link: Link = { near, far, rest: Buffer.alloc(0), waits: false };
    this.links.add(link);
    far.on('error', () => undefined);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('end', () => other.end());
      one.on('close', () => this.closed(link, other));
    }
    far.on('data', (chunk: Buffer) => near.write(chunk));
    near.on('data', (chunk: Buffer) => {
      near.pause();
      link.rest = chunk;
      this.forward(link);
    });
    this.forward(link);
    this.wake();
  }

  /** One end is gone: the other gets what was on its way, and goes too. */
  private closed(link: Link, other: ByteStream): void {
    if (link.near.destroyed && link.far.destroyed) {
      if (this.links.delete(link)) this.tell('a connection is closed');
      this.wake();
    } else if (other.writableFinished || !other.writable) other.destroy();
    else other.end(() => other.destroy());
  }

  /** Passes a portion of what was read, and comes back for the rest when its time has come. */
  private forward(link: Link): void {
    const { near, far, rest } = link;
    if (link.waits || this.behaviour === 'stall' || far.destroyed) return;
    if (rest.length === 0) {
      near.resume();
      return;
    }
    const { behaviour } = this;
    const portion = rest.subarray(0, behaviour === 'pass' ? rest.length : Math.max(1, this.bytes));
    link.rest = rest.subarray(portion.length);
    const full = !far.write(portion);
    if (behaviour === 'cut') {
      this.bytes -= portion.length;
      if (this.bytes <= 0) {
        this.tell('cut as it was told');
        // What has passed arrives.
        far.end(() => this.end());
        near.pause();
        link.waits = true;
        return;
      }
    }
    link.waits = true;
    const goOn = () => {
      link.waits = false;
      this.forward(link);
    };
    if (full) far.once('drain', goOn);
    else if (behaviour === 'slow') this.clock.after(1, goOn);
    else this.clock.soon(goOn);
  }

  /**
   * Waits for a connection, or for the end of all.
   * @param deadline milliseconds
   * @throws DeadlinePassed; RangeError for a moment that only a reader of the stream could know
   */
  until(what: ChannelMoment, deadline: number, count = 1): Promise<void> {
    if (what !== 'connected' && what !== 'closed') throw new RangeError(`a relay does not know when it is ${what}`);
    const holds = () => this.accepted >= count && (what === 'connected' || this.links.size + this.arrived.size === 0);
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = () => {
        stop();
        this.waiters.delete(waiter);
      };
      const waiter = () => {
        if (!holds()) return;
        settle();
        resolve();
      };
      const stop = this.clock.after(deadline, () => {
        settle();
        reject(new DeadlinePassed(`migration channel ${what}`, deadline));
      });
      this.waiters.add(waiter);
    });
  }

  private wake(): void {
    for (const waiter of [...this.waiters]) waiter();
  }

  /** Ends everything and removes the socket file. Never throws. */
  async close(): Promise<void> {
    this.end();
    await this.listener?.close();
  }

  private tell(fact: string): void {
    this.options.transcript?.add(this.options.endpoint ?? 'relay', 'channel', fact);
  }
}
