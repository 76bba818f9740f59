import { type ColoMessage, decodeColoMessage } from '../stream/colo-messages.js';
import { ChannelError } from './channel.js';

/** What the peer sends behind the stream of a COLO migration, for a reader that pulls (stream-format.md §12). */
export class ColoInbox {
  #chunks: Buffer[] = [];
  #ended = false;

  /**
   * @param changed called whenever bytes or their end have come
   * @param wait resolves when `changed` was called, or throws to leave the reader
   */
  constructor(
    private readonly changed: () => void,
    private readonly wait: () => Promise<void>,
  ) {}

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.changed();
  }

  /** The channel has no more bytes. */
  end(): void {
    this.#ended = true;
    this.changed();
  }

  /** Nothing is left to read and nothing will come: the peer is gone. */
  get exhausted(): boolean {
    return this.#ended && this.#size === 0;
  }

  /** The next message, if it has come. @throws ChannelError for a number that no message has */
  poll(): ColoMessage | undefined {
    const bytes = this.#joined();
    try {
      const found = decodeColoMessage(bytes);
      if (found !== undefined) this.#chunks = [bytes.subarray(found.length)];
      return found?.message;
    } catch (error) {
      if (error instanceof RangeError) throw new ChannelError(error.message);
      throw error;
    }
  }

  /** Waits for the next message. @throws ChannelError */
  async message(): Promise<ColoMessage> {
    for (;;) {
      const message = this.poll();
      if (message !== undefined) return message;
      await this.#more();
    }
  }

  /** Waits for a message that must be the next. @throws ChannelError */
  async expect(name: ColoMessage['name']): Promise<ColoMessage> {
    const message = await this.message();
    if (message.name === name) return message;
    throw new ChannelError(`Unexpected COLO message '${message.name}', expected '${name}'`);
  }

  /** Waits for `length` bytes. @throws ChannelError */
  async bytes(length: number): Promise<Buffer> {
    while (this.#size < length) await this.#more();
    const all = this.#joined();
    this.#chunks = [all.subarray(length)];
    return all.subarray(0, length);
  }

  /** Hands bytes on as they come until `take` answers with those that it did not need. @throws ChannelError */
  async feed(take: (chunk: Buffer) => Buffer | undefined): Promise<void> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) {
        await this.#more();
        continue;
      }
      const rest = take(chunk);
      if (rest === undefined) continue;
      this.#chunks.unshift(rest);
      return;
    }
  }

  get #size(): number {
    return this.#chunks.reduce((sum, { length }) => sum + length, 0);
  }

  #joined(): Buffer {
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new ChannelError("Can't receive COLO message: Input/output error");
    await this.wait();
  }
}
