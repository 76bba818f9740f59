/** Our own end of a destination's channel: we are the source, and write what we like. */
import type { ByteStream } from '../../protocol/byte-stream.js';
import { type Clock, hostClock, turn } from '../../protocol/clock.js';
import { DeadlinePassed } from '../../protocol/errors.js';
import { fragments } from '../../protocol/fragments.js';
import type { Transcript } from '../../protocol/transcript.js';
import { hostPeerNetwork, type PeerNetwork } from './peer-network.js';

export interface FeedOptions {
  readonly transcript?: Transcript;
  /** Name of the channel in the transcript. */
  readonly endpoint?: string;
  /** The host's time and sockets unless a simulation has its own. */
  readonly clock?: Clock;
  readonly network?: PeerNetwork;
}

export class Feed {
  closed = false;
  private readonly waiters = new Set<() => void>();
  private readonly clock: Clock;

  private constructor(
    private readonly stream: ByteStream,
    private readonly options: FeedOptions,
  ) {
    this.clock = options.clock ?? hostClock;
    // What comes back is for nobody, but must be read or the destination waits.
    stream.resume();
    stream.on('error', () => undefined);
    stream.on('end', () => stream.destroy());
    stream.on('close', () => {
      this.closed = true;
      this.tell('closed');
      for (const waiter of [...this.waiters]) waiter();
    });
  }

  /** Connects to a listening destination. @throws ConnectError */
  static async open(path: string, options: FeedOptions = {}): Promise<Feed> {
    const feed = new Feed(await (options.network ?? hostPeerNetwork).connect(path), options);
    feed.tell('connected');
    return feed;
  }

  /** Sends bytes, cut into pieces of `every`; resolves when the kernel has them or nobody takes them any more. */
  async send(bytes: Buffer, every?: number): Promise<void> {
    this.tell(`sent ${bytes.length} bytes`);
    for (const piece of fragments(bytes, every === undefined ? undefined : { every })) {
      if (!this.stream.writable) return;
      this.stream.write(piece);
      if (every !== undefined) await turn(this.clock);
    }
  }

  /** No more bytes come; what was written still arrives. */
  finish(): void {
    this.tell('cut');
    if (this.stream.writable) this.stream.end(() => this.stream.destroy());
    else this.stream.destroy();
  }

  /** @param deadline milliseconds. @throws DeadlinePassed */
  untilClosed(deadline: number): Promise<void> {
    if (this.closed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = () => {
        stop();
        this.waiters.delete(waiter);
      };
      const waiter = () => {
        settle();
        resolve();
      };
      const stop = this.clock.after(deadline, () => {
        settle();
        reject(new DeadlinePassed('end of the migration channel', deadline));
      });
      this.waiters.add(waiter);
    });
  }

  close(): void {
    this.stream.destroy();
  }

  private tell(fact: string): void {
    this.options.transcript?.add(this.options.endpoint ?? 'feed', 'channel', fact);
  }
}
