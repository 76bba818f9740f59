/** Connections in memory out of node's own streams: what {@link PipeEnd} has to be like. */
import { Duplex } from 'node:stream';
import type { Carrier, Lane } from '../../../targets/in-process/pipe.js';

const bufferBytes = 128 * 1024;
const brokenPipe = (): Error => Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });

export class StreamPipeEnd extends Duplex {
  private other: StreamPipeEnd | undefined;
  private room: ((error?: Error) => void) | undefined;
  private inputOver = false;

  private constructor(
    private readonly lane: Lane,
    allowHalfOpen: boolean,
  ) {
    super({ allowHalfOpen, readableHighWaterMark: bufferBytes, writableHighWaterMark: bufferBytes });
  }

  static pair(carrier: Carrier, halfOpen = true): [StreamPipeEnd, StreamPipeEnd] {
    const [one, two] = [new StreamPipeEnd(carrier(), true), new StreamPipeEnd(carrier(), halfOpen)];
    one.other = two;
    two.other = one;
    return [one, two];
  }

  override _read(): void {
    const { room } = this;
    this.room = undefined;
    room?.();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const copy = Buffer.from(bytes);
    this.lane(() => this.other?.arrive(copy, done));
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const whole = Buffer.concat(chunks.map(({ chunk }) => chunk));
    this.lane(() => this.other?.arrive(whole, done));
  }

  override _final(done: (error?: Error | null) => void): void {
    this.lane(() => {
      this.other?.endInput();
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { room } = this;
    this.room = undefined;
    this.lane(() => {
      room?.(brokenPipe());
      this.other?.endInput();
    });
    done(error);
  }

  private arrive(bytes: Buffer, taken: (error?: Error) => void): void {
    if (this.destroyed) taken(brokenPipe());
    else if (this.inputOver || this.push(bytes)) taken();
    else this.room = taken;
  }

  private endInput(): void {
    if (this.destroyed || this.inputOver) return;
    this.inputOver = true;
    this.push(null);
  }
}
