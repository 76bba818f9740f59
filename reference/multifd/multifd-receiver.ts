import {
  type ByteChunks,
  type ChannelBlock,
  type ChannelHandler,
  type ChannelOptions,
  ChannelReader,
  type PacketInfo,
  readChannel,
} from './channel-reader.js';
import { MultifdError } from './multifd-error.js';

/** Where received pages go. */
export interface PageSink {
  /** Pages that follow one another: `bytes[start, start + 4096 * count)`, valid during the call only. */
  pages(block: ChannelBlock, offset: number, bytes: Buffer, start: number, count: number): void;
  zeroPage(block: ChannelBlock, offset: number): void;
}

/** A connection that brings its bytes by itself. */
export interface ChannelFeed {
  /** A chunk is valid during the call only. `onData` that answers false makes the connection wait for {@link resume}. */
  read(onData: (chunk: Buffer) => boolean, onEnd: (error: Error | undefined) => void): void;
  resume(): void;
  destroy(): void;
}

export interface MultifdReceiverOptions extends Omit<ChannelOptions, 'order'> {
  readonly sink: PageSink;
  /** Told of every packet, for displays. */
  readonly packet?: (channel: number, packet: PacketInfo) => void;
}

interface Channel {
  id: number | undefined;
  ended: boolean;
  /** Waiting at a SYNC packet; calling it lets the channel go on. */
  release: (() => void) | undefined;
}

/**
 * The receiving side of multifd: data channels that stop at every SYNC packet, and a main channel that waits for all of
 * them at its sync records (multifd.md §4). What makes a real monitor hang (multifd.md §5) is an error here: every
 * waiting promise rejects with it.
 */
export class MultifdReceiver {
  readonly #channels: Channel[] = [];
  readonly #runs: Promise<void>[] = [];
  #waiting: { resolve: () => void; reject: (error: unknown) => void; done: () => boolean }[] = [];
  #failed: { error: unknown } | undefined;
  #finishing = false;

  constructor(private readonly options: MultifdReceiverOptions) {}

  /** The first thing that went wrong, if anything did. */
  get error(): unknown {
    return this.#failed?.error;
  }

  /** Adds a connection. More than the configured number are refused: returns false, the caller closes it. */
  add(input: ByteChunks | ChannelFeed): boolean {
    if (this.#channels.length >= this.options.channels) return false;
    const channel: Channel = { id: undefined, ended: false, release: undefined };
    const order = this.#channels.length;
    this.#channels.push(channel);
    this.#runs.push(
      this.#run(input, channel, order).catch((error: unknown) => {
        this.#fail(error);
      }),
    );
    return true;
  }

  /** Resolves when every channel has sent its initial packet; only then the main channel may be read. */
  ready(): Promise<void> {
    const { channels } = this.options;
    return this.#wait(() => this.#channels.filter(({ id }) => id !== undefined).length === channels);
  }

  /**
   * To be called at each sync record of the main channel: resolves when every channel has reached its next SYNC packet,
   * and lets them go on.
   */
  async sync(): Promise<void> {
    for (const channel of this.#channels) {
      if (channel.ended && channel.release === undefined) this.#fail(missingSync(channel));
    }
    await this.#wait(() => this.#channels.every(({ release }) => release !== undefined));
    for (const channel of this.#channels) {
      const { release } = channel;
      channel.release = undefined;
      release?.();
    }
  }

  /**
   * To be called after the main channel's end: lets every channel run out. Further SYNC packets are let pass.
   * @param peerWaits the source closes its channels only when it has been answered (a return path), so that their ends
   * cannot be waited for: what was synchronised is there, and the rest is read by the way
   * @throws what went wrong on any channel
   */
  async finish(peerWaits = false): Promise<void> {
    this.#finishing = true;
    for (const channel of this.#channels) {
      channel.release?.();
      channel.release = undefined;
    }
    if (!peerWaits) await Promise.all(this.#runs);
    if (this.#failed !== undefined) throw this.#failed.error;
  }

  /** Ends all waiting with an error, for example because the main channel broke. */
  abort(error: unknown): void {
    this.#fail(error);
  }

  async #run(input: ByteChunks | ChannelFeed, channel: Channel, order: number): Promise<void> {
    const options = { ...this.options, order };
    const handler = this.#handler(channel, order);
    if (isIterable(input)) await readChannel(input, options, handler);
    else await readFeed(input, options, handler);
    channel.ended = true;
    // The main channel waits for a SYNC that cannot come any more.
    if (this.#waiting.length > 0 && channel.release === undefined) this.#fail(missingSync(channel));
  }

  #handler(channel: Channel, order: number): ChannelHandler {
    const { sink, packet } = this.options;
    return {
      initial: ({ id }) => {
        if (this.#channels.some((other) => other.id === id)) {
          const text = `failed to receive packet via multifd channel ${order}: multifd: received id '${id}' already setup'`;
          throw new MultifdError(text, order, 0, true);
        }
        channel.id = id;
        this.#check();
      },
      ...(packet === undefined ? {} : { packet: (info) => packet(channel.id ?? order, info) }),
      pages: (block, offset, bytes, start, count) => sink.pages(block, offset, bytes, start, count),
      zeroPage: (block, offset) => sink.zeroPage(block, offset),
      sync: () => {
        if (this.#failed !== undefined) throw this.#failed.error;
        if (this.#finishing) return undefined;
        return new Promise<void>((resolve) => {
          channel.release = resolve;
          this.#check();
        });
      },
    };
  }

  #wait(done: () => boolean): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed.error);
    if (done()) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject, done }));
  }

  #check(): void {
    const ready = this.#waiting.filter(({ done }) => done());
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }

  #fail(error: unknown): void {
    this.#failed ??= { error };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(this.#failed.error);
    for (const channel of this.#channels) {
      channel.release?.();
      channel.release = undefined;
    }
  }
}

function missingSync(channel: Channel): MultifdError {
  const id = channel.id ?? -1;
  return new MultifdError(
    `multifd ${id}: the channel ended before the SYNC packet that the main channel waits for`,
    id,
    -1,
    false,
  );
}

const isIterable = (input: ByteChunks | ChannelFeed): input is ByteChunks =>
  Symbol.asyncIterator in input || Symbol.iterator in input;

/** As {@link readChannel}, for a connection, which is closed at the end. */
function readFeed(feed: ChannelFeed, options: ChannelOptions, handler: ChannelHandler): Promise<void> {
  const reader = new ChannelReader(options, handler);
  let busy: Promise<void> | undefined;
  const read = new Promise<void>((resolve, reject) => {
    const end = (error: Error | undefined): void => {
      try {
        if (error !== undefined) throw error;
        reader.end();
        resolve();
      } catch (failure) {
        reject(failure);
      }
    };
    feed.read(
      (chunk) => {
        try {
          busy = reader.push(chunk);
        } catch (error) {
          reject(error);
          return false;
        }
        if (busy === undefined) return true;
        busy.then(() => feed.resume(), reject);
        return false;
      },
      (error) => {
        if (busy === undefined) end(error);
        else busy.then(() => end(error), reject);
      },
    );
  });
  return read.finally(() => {
    reader.close();
    feed.destroy();
  });
}
