/** The sending side of a connection: bytes whole, in pieces, or past the stream, each in its turn and at the rate that is allowed. */
import type { ByteStream } from './byte-stream.js';
import type { Clock } from './clock.js';
import { type FragmentPlan, fragments } from './fragments.js';
import { Pacer } from './pacer.js';
import { socketNumber } from './socket-number.js';

export class SendingSide {
  private readonly pacer: Pacer;

  /**
   * @param interval milliseconds between two sendings at least; 0 for none
   * @param asked told of each number of bytes that is to be sent
   */
  constructor(
    private readonly stream: ByteStream,
    private readonly clock: Clock,
    interval: number,
    private readonly asked: (bytes: number) => void,
  ) {
    this.pacer = new Pacer(interval);
  }

  /** Milliseconds until everything that was asked for has been sent. */
  get backlog(): number {
    return this.pacer.backlog;
  }

  /** Number of the socket underneath; undefined where there is none, or none any more. */
  get socket(): number | undefined {
    return socketNumber(this.stream);
  }

  send(bytes: Buffer): void {
    this.asked(bytes.length);
    this.pacer.run(() => this.write(bytes));
  }

  /** Each piece is handed to the kernel before the next one is. */
  async sendInPieces(bytes: Buffer, plan: FragmentPlan): Promise<void> {
    this.asked(bytes.length);
    await this.turn();
    for (const piece of fragments(bytes, plan)) {
      await new Promise<void>((resolve) => {
        if (this.stream.writable) this.stream.write(piece, () => this.clock.soon(resolve));
        else resolve();
      });
    }
  }

  /**
   * Sends bytes past the stream, once everything before them is with the kernel.
   * @param put sends to the socket of this number and answers how many bytes went
   */
  async sendPast(bytes: Buffer, put: (socket: number, bytes: Buffer) => number): Promise<void> {
    this.asked(bytes.length);
    await this.turn();
    await new Promise<void>((resolve) => this.stream.write('', () => resolve()));
    for (;;) {
      // Looked for each time: once it is closed its number may be that of something else.
      const { socket } = this;
      if (socket === undefined) return;
      const sent = put(socket, bytes);
      if (sent === bytes.length) return;
      if (sent > 0) return this.write(bytes.subarray(sent));
      await new Promise(setImmediate);
    }
  }

  /** The stream itself can carry descriptors. */
  get carries(): boolean {
    return this.stream.writeWith !== undefined;
  }

  /** Sends bytes with descriptors, in its turn, over a stream that {@link carries} them. */
  async sendWith(bytes: Buffer, descriptors: readonly number[]): Promise<void> {
    this.asked(bytes.length);
    await this.turn();
    if (this.stream.writable) this.stream.writeWith?.(bytes, descriptors);
  }

  /** Ends our direction. */
  end(): void {
    this.pacer.run(() => this.stream.end());
  }

  /** Closes the connection; what had not had its turn is not waited for. */
  destroy(): void {
    this.stream.destroy();
    this.pacer.close();
  }

  private turn(): Promise<void> {
    return new Promise((resolve) => this.pacer.run(resolve));
  }

  private write(bytes: Buffer): void {
    // A peer that is gone shows as end of file; the failed write has nothing to add.
    if (this.stream.writable) this.stream.write(bytes);
  }
}
