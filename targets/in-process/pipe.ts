/** Connections in memory that behave as connected sockets do: ordered, buffered, with half-close and broken pipes. */
import { Duplex } from 'node:stream';

/** Makes lanes: what one lane carries arrives in its order; when, and which lane is next, is the carrier's choice. */
export type Carrier = () => Lane;

export type Lane = (arrival: () => void) => void;

/** Bytes that wait at an end whose reader is slow before the writer is held up, about as much as a unix socket takes. */
const bufferBytes = 128 * 1024;

const brokenPipe = (): Error => Object.assign(new Error('write EPIPE'), { code: 'EPIPE', errno: -32 });

export class PipeEnd extends Duplex {
  private other: PipeEnd | undefined;
  /** The writer at the other end waits until there is room here. */
  private room: ((error?: Error) => void) | undefined;
  private inputOver = false;

  private constructor(
    private readonly lane: Lane,
    allowHalfOpen: boolean,
  ) {
    super({ allowHalfOpen, readableHighWaterMark: bufferBytes, writableHighWaterMark: bufferBytes });
  }

  /** Both ends of a new connection. `halfOpen`: the second end's direction goes on after the first has ended its own. */
  static pair(carrier: Carrier, halfOpen = true): [PipeEnd, PipeEnd] {
    const [one, two] = [new PipeEnd(carrier(), true), new PipeEnd(carrier(), halfOpen)];
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
    // Who writes may use its buffer again once it was told that the bytes are gone.
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
