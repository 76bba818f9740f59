import type { ByteSink, ByteSource } from '../../protocol/byte-stream.js';
import { StacklessError } from '../../protocol/stackless-error.js';
import { reasonOf } from './errno.js';

/** The channel broke; `reason` as the C library words it. */
export class ChannelError extends StacklessError {
  override readonly name = 'ChannelError';
  constructor(readonly reason: string) {
    super(reason);
  }
}

/** Where the bytes of a connection come that are not those of its stream. */
export interface ChannelInput {
  /**
   * To be called before the stream is resumed, which is when bytes begin to come. `onData` that answers false makes them
   * wait until it is resumed again.
   */
  begin(onData: (chunk: Buffer) => boolean): void;
}

export interface ChannelParts {
  /** What a destination reads, or a source's return path. */
  readonly readable?: ByteSource;
  /** What brings the bytes of {@link readable} in its place; the end and errors still come from there. */
  readonly input?: ChannelInput;
  readonly writable?: ByteSink;
  /** A socket: can be shut down under a blocked writer. */
  readonly socket: boolean;
  /** Called once, when the channel is destroyed before it was finished. */
  readonly cleanUp?: () => void;
  /** Called once, when nothing reads from the channel any more. */
  readonly closed?: () => void;
}

/** One migration connection, whatever carries it. */
export class Channel {
  readonly socket: boolean;
  #error: ChannelError | undefined;
  #waiting = new Set<(error: ChannelError) => void>();
  #destroyed = false;
  #finished = false;

  constructor(private readonly parts: ChannelParts) {
    this.socket = parts.socket;
    const fail = (error: unknown) => this.#fail(new ChannelError(reasonOf(error)));
    parts.readable?.on('error', fail);
    parts.writable?.on('error', fail);
    parts.writable?.on('close', () => fail(new ChannelError('Broken pipe')));
    if (parts.closed !== undefined) parts.readable?.once('close', parts.closed);
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  /** Writes buffers with one system call where possible; resolves when they have left this process. */
  send(buffers: readonly Buffer[]): Promise<void> {
    const { writable } = this.parts;
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (writable === undefined || buffers.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const done = (error?: Error | null) => {
        this.#waiting.delete(reject);
        if (error) reject(new ChannelError(reasonOf(error)));
        else resolve();
      };
      writable.cork();
      buffers.forEach((buffer, index) => {
        writable.write(buffer, index === buffers.length - 1 ? done : undefined);
      });
      writable.uncork();
    });
  }

  /** Writes without waiting: for messages of a few bytes on the return path. */
  post(buffer: Buffer): void {
    if (this.#error === undefined) this.parts.writable?.write(buffer);
  }

  /**
   * Begins reading. A chunk is valid during the call only. `onEnd` comes once: at the end of the stream, or with the error
   * that cut it. `onData` that answers false makes the channel wait for {@link resume}.
   */
  read(onData: (chunk: Buffer) => boolean, onEnd: (error: ChannelError | undefined) => void): void {
    const { readable, input } = this.parts;
    if (readable === undefined) {
      onEnd(undefined);
      return;
    }
    let ended = false;
    const end = (error?: ChannelError) => {
      if (ended) return;
      ended = true;
      onEnd(error);
    };
    if (input === undefined) {
      readable.on('data', (chunk: Buffer) => {
        if (!ended && !onData(chunk)) readable.pause();
      });
    } else input.begin((chunk) => ended || onData(chunk));
    readable.on('end', () => end());
    readable.on('error', (error) => end(new ChannelError(reasonOf(error))));
    readable.on('close', () => end());
    // Accepted sockets come paused, so that nothing is lost before somebody reads.
    readable.resume();
  }

  pause(): void {
    this.parts.readable?.pause();
  }

  resume(): void {
    this.parts.readable?.resume();
  }

  /** Says that nothing more will be written, and lets go of the channel once that has gone out. */
  finish(): void {
    const { writable } = this.parts;
    if (writable === undefined || this.#error !== undefined || writable.destroyed) this.destroy();
    else {
      this.#finished = true;
      writable.end(() => this.destroy());
    }
  }

  /** Ends the channel at once; blocked writers fail. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#fail(new ChannelError('Input/output error'));
    this.parts.readable?.destroy();
    this.parts.writable?.destroy();
    // A child that has been given everything comes to its own end: it may have work left (MIG-CMD-EXEC-03).
    if (!this.#finished) this.parts.cleanUp?.();
  }

  #fail(error: ChannelError): void {
    this.#error ??= error;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const reject of waiting) reject(error);
  }
}
