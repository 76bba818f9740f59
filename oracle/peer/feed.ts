/** Our own end of a destination's channel: we are the source, and write what we like. */
import type { ByteStream } from '../../protocol/byte-stream.js';
import { type Clock, hostClock, turn } from '../../protocol/clock.js';
import { DeadlinePassed } from '../../protocol/errors.js';
import { fragments } from '../../protocol/fragments.js';
import type { Transcript } from '../../protocol/transcript.js';
import type { StreamRules } from '../../reference/dialects/stream.js';
import { DirtyBitmap } from '../../reference/ram/dirty-bitmap.js';
import { type ReturnPathMessage, ReturnPathReader } from '../../reference/stream/return-path-reader.js';
import { hostPeerNetwork, type PeerNetwork } from './peer-network.js';

export interface FeedOptions {
  readonly transcript?: Transcript;
  /** Name of the channel in the transcript. */
  readonly endpoint?: string;
  /** Of the streams that are fed: with them what comes back is read. */
  readonly rules?: StreamRules;
  /** The host's time and sockets unless a simulation has its own. */
  readonly clock?: Clock;
  readonly network?: PeerNetwork;
}

export class Feed {
  closed = false;
  /** Messages that the destination owes us: pings and parts of a recovery that it has not answered yet. */
  private owed = 0;
  /** The run is over: that the connection is closed tells nothing. */
  private ours = false;
  private readonly waiters = new Set<() => void>();
  private readonly clock: Clock;

  private constructor(
    private readonly stream: ByteStream,
    private readonly options: FeedOptions,
  ) {
    this.clock = options.clock ?? hostClock;
    // What comes back must be read or the destination waits.
    const reader = options.rules && new ReturnPathReader(options.rules, (message) => this.answered(message));
    stream.on('data', (chunk: Buffer) => {
      try {
        reader?.push(chunk);
      } catch (error) {
        this.tell(`answered wrongly: ${(error as Error).message}`);
      }
    });
    stream.resume();
    stream.on('error', () => undefined);
    stream.on('end', () => stream.destroy());
    stream.on('close', () => {
      this.closed = true;
      if (!this.ours) this.tell('closed');
      for (const waiter of [...this.waiters]) waiter();
    });
  }

  /** Connects to a listening destination. @throws ConnectError */
  static async open(path: string, options: FeedOptions = {}): Promise<Feed> {
    const feed = new Feed(await (options.network ?? hostPeerNetwork).connect(path), options);
    feed.tell('connected');
    return feed;
  }

  /**
   * Sends bytes, cut into pieces of `every`; resolves when the kernel has them or nobody takes them any more.
   * @param what they are, in words
   * @param asks how many messages should come back for them
   */
  async send(bytes: Buffer, every?: number, what?: string, asks = 0): Promise<void> {
    this.owed += asks;
    this.tell(`sent ${bytes.length} bytes${what === undefined ? '' : `: ${what}`}`);
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

  /** Until nothing is owed to us any more, or nothing can come; at most so many milliseconds. */
  async settle(most: number): Promise<void> {
    if (this.owed > 0) await this.until(() => this.owed <= 0 || this.closed, most).catch(() => undefined);
  }

  /** @param deadline milliseconds. @throws DeadlinePassed */
  untilClosed(deadline: number): Promise<void> {
    return this.until(() => this.closed, deadline);
  }

  private until(holds: () => boolean, deadline: number): Promise<void> {
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
        reject(new DeadlinePassed('end of the migration channel', deadline));
      });
      this.waiters.add(waiter);
    });
  }

  close(): void {
    this.ours = true;
    this.stream.destroy();
  }

  private answered(message: ReturnPathMessage): void {
    this.tell(`answered ${wordsOf(message)}`);
    if (/^(PONG|RESUME_ACK|RECV_BITMAP)$/.test(message.type)) this.owed--;
    for (const waiter of [...this.waiters]) waiter();
  }

  private tell(fact: string): void {
    this.options.transcript?.add(this.options.endpoint ?? 'feed', 'channel', fact);
  }
}

function wordsOf(message: ReturnPathMessage): string {
  switch (message.type) {
    case 'SHUT':
    case 'PONG':
    case 'RESUME_ACK':
      return `${message.type} ${message.value}`;
    case 'RECV_BITMAP':
      return `${message.type} ${DirtyBitmap.fromWire(message.bitmap, message.bitmap.length * 8).count}`;
    case 'SWITCHOVER_ACK':
      return message.type;
    default:
      return `${message.type} ${message.start}+${message.length}`;
  }
}
