/**
 * Connections in memory that behave as connected sockets do: ordered, buffered, with half-close and broken pipes. They keep
 * the order of events of node's streams, whose machinery would cost more than all that a simulated step does.
 */
import { EventEmitter } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { ByteStream } from '../../protocol/byte-stream.js';
import { StacklessError } from '../../protocol/stackless-error.js';

/** Makes lanes: what one lane carries arrives in its order; when, and which lane is next, is the carrier's choice. */
export type Carrier = () => Lane;

export type Lane = (arrival: () => void) => void;

type Done = (error?: Error | null) => void;

interface Waiting {
  readonly bytes: Buffer;
  readonly done: Done | undefined;
  /** Descriptors of the sender that ride on the bytes. */
  readonly descriptors?: readonly number[];
}

/** The same open file under a number of the receiver's own, who closes it. */
const ownDescriptor = (descriptor: number): number => openSync(`/proc/self/fd/${descriptor}`, 'r');

/** Bytes that wait at an end whose reader is slow before the writer is held up, about as much as a unix socket takes. */
const bufferBytes = 128 * 1024;

const fault = (code: string, message: string): Error => Object.assign(new StacklessError(message), { code });
const brokenPipe = (): Error => Object.assign(fault('EPIPE', 'write EPIPE'), { errno: -32 });

/** Bytes of its own: who writes may use its buffer again. */
function ownBytes(chunk: Buffer | string, encoding: BufferEncoding): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk);
}

export class PipeEnd extends EventEmitter implements ByteStream {
  destroyed = false;
  writableFinished = false;

  private other: PipeEnd | undefined;
  private broken: Error | undefined;
  private closed = false;

  // Reading. `undefined` until somebody reads, or says that nobody does.
  private flowing: boolean | undefined;
  private resuming = false;
  private readonly input: Buffer[] = [];
  private inputBytes = 0;
  private inputOver = false;
  private inputEnded = false;
  /** The writer at the other end waits until there is room here. */
  private room: Done | undefined;

  // Writing.
  private corks = 0;
  /** What is on its way, while something is. */
  private sending: readonly Waiting[] | undefined;
  private waiting: Waiting[] = [];
  private outputBytes = 0;
  private drains = false;
  private ending = false;
  private endSent = false;
  private readonly onFinished: (() => void)[] = [];

  private constructor(
    private readonly lane: Lane,
    private readonly allowHalfOpen: boolean,
  ) {
    super();
  }

  /** Both ends of a new connection. `halfOpen`: the second end's direction goes on after the first has ended its own. */
  static pair(carrier: Carrier, halfOpen = true): [PipeEnd, PipeEnd] {
    const [one, two] = [new PipeEnd(carrier(), true), new PipeEnd(carrier(), halfOpen)];
    one.other = two;
    two.other = one;
    return [one, two];
  }

  get writable(): boolean {
    return !this.destroyed && !this.ending && this.broken === undefined;
  }

  // --- reading ---------------------------------------------------------------------------------------------------

  override on(...[event, listener]: Parameters<EventEmitter['on']>): this {
    super.on(event, listener);
    if (event === 'data' && this.flowing !== false) this.resume();
    return this;
  }

  pause(): this {
    this.flowing = false;
    return this;
  }

  resume(): this {
    this.flowing = true;
    if (this.resuming) return this;
    this.resuming = true;
    process.nextTick(() => {
      this.resuming = false;
      this.flow();
    });
    return this;
  }

  private flow(): void {
    while (this.flowing === true) {
      const bytes = this.input.shift();
      if (bytes === undefined) {
        if (this.inputOver) this.endInput();
        return;
      }
      this.inputBytes -= bytes.length;
      if (this.inputBytes < bufferBytes) this.makeRoom();
      if (this.broken === undefined && !this.closed) this.emit('data', bytes);
    }
  }

  private makeRoom(): void {
    const { room } = this;
    this.room = undefined;
    room?.();
  }

  private arrive(bytes: Buffer, taken: Done): void {
    if (this.destroyed) taken(brokenPipe());
    else if (this.inputOver || this.take(bytes)) taken();
    else this.room = taken;
  }

  /** False when there is no more room. */
  private take(bytes: Buffer): boolean {
    if (bytes.length === 0) return true;
    if (this.flowing === true && !this.resuming && this.input.length === 0) {
      this.emit('data', bytes);
      return true;
    }
    this.input.push(bytes);
    this.inputBytes += bytes.length;
    return this.inputBytes < bufferBytes;
  }

  private overInput(): void {
    if (this.destroyed || this.inputOver) return;
    this.inputOver = true;
    if (!this.resuming) this.flow();
  }

  private endInput(): void {
    process.nextTick(() => {
      if (this.inputEnded || this.broken !== undefined || this.closed) return;
      this.inputEnded = true;
      this.emit('end');
      if (this.writable && !this.allowHalfOpen) process.nextTick(() => this.writable && this.end());
      else if (this.writableFinished) this.destroy();
    });
  }

  // --- writing ---------------------------------------------------------------------------------------------------

  write(chunk: Buffer | string, encoding?: BufferEncoding | Done, callback?: Done): boolean {
    const done = typeof encoding === 'function' ? encoding : callback;
    if (this.ending || this.destroyed) {
      const error = this.ending
        ? fault('ERR_STREAM_WRITE_AFTER_END', 'write after end')
        : fault('ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed');
      if (done !== undefined) process.nextTick(done, error);
      this.destroy(error);
      return false;
    }
    const bytes = ownBytes(chunk, typeof encoding === 'string' ? encoding : 'utf8');
    this.outputBytes += bytes.length;
    const free = this.outputBytes < bufferBytes;
    if (!free) this.drains = true;
    if (this.sending !== undefined || this.corks > 0 || this.broken !== undefined) this.waiting.push({ bytes, done });
    else this.send([{ bytes, done }]);
    return free && this.broken === undefined;
  }

  writeWith(bytes: Buffer, descriptors: readonly number[]): void {
    // Duplicated now: the sender may close its own at once.
    const part = { bytes: ownBytes(bytes, 'utf8'), done: undefined, descriptors: descriptors.map(ownDescriptor) };
    this.outputBytes += bytes.length;
    if (this.sending !== undefined || this.corks > 0 || this.broken !== undefined) this.waiting.push(part);
    else this.send([part]);
  }

  cork(): void {
    this.corks++;
  }

  uncork(): void {
    if (this.corks === 0) return;
    this.corks--;
    if (this.sending === undefined) this.sendWaiting();
  }

  private sendWaiting(): void {
    if (this.corks > 0 || this.destroyed || this.waiting.length === 0) return;
    const { waiting } = this;
    this.waiting = [];
    this.send(waiting);
  }

  private send(parts: readonly Waiting[]): void {
    const [first] = parts as readonly [Waiting];
    const bytes = parts.length === 1 ? first.bytes : Buffer.concat(parts.map((one) => one.bytes));
    this.sending = parts;
    const batches = parts.flatMap(({ descriptors }) => (descriptors === undefined ? [] : [descriptors]));
    this.lane(() => {
      for (const batch of batches) this.handOver(batch);
      this.other?.arrive(bytes, (error) => this.sent(bytes.length, error));
    });
  }

  /** Before the bytes that they came with. What nobody takes is closed. */
  private handOver(batch: readonly number[]): void {
    const { other } = this;
    if (other !== undefined && !other.destroyed && other.emit('descriptors', batch)) return;
    for (const descriptor of batch) closeSync(descriptor);
  }

  private sent(length: number, error?: Error | null): void {
    const parts = this.sending ?? [];
    this.sending = undefined;
    this.outputBytes -= length;
    if (error) {
      this.broken ??= error;
      for (const { done } of parts) done?.(error);
      this.giveUp();
      this.destroy(error);
      return;
    }
    this.sendWaiting();
    if (this.drains && !this.ending && !this.destroyed && this.outputBytes === 0) {
      this.drains = false;
      this.emit('drain');
    }
    for (const { done } of parts) done?.(null);
    if (this.destroyed) this.giveUp();
    this.finish();
  }

  /** What has not gone out never will. */
  private giveUp(): void {
    if (this.sending !== undefined) return;
    const error = this.broken ?? fault('ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed');
    const { waiting } = this;
    this.waiting = [];
    for (const { bytes, done, descriptors } of waiting) {
      for (const descriptor of descriptors ?? []) closeSync(descriptor);
      this.outputBytes -= bytes.length;
      done?.(error);
    }
    for (const callback of this.onFinished.splice(0)) callback();
  }

  end(callback?: () => void): this {
    if (this.corks > 0) {
      this.corks = 1;
      this.uncork();
    }
    const late = this.ending || this.broken !== undefined;
    if (!late) {
      this.ending = true;
      this.finish();
    }
    if (callback === undefined) return this;
    if (this.writableFinished || (late && this.destroyed)) process.nextTick(callback);
    else this.onFinished.push(callback);
    return this;
  }

  private get mayFinish(): boolean {
    const empty = this.sending === undefined && this.waiting.length === 0;
    return this.ending && empty && !this.destroyed && !this.writableFinished && this.broken === undefined;
  }

  private finish(): void {
    if (!this.mayFinish || this.endSent) return;
    this.endSent = true;
    this.lane(() => {
      this.other?.overInput();
      if (this.mayFinish) process.nextTick(() => this.finished());
    });
  }

  private finished(): void {
    this.writableFinished = true;
    for (const callback of this.onFinished.splice(0)) callback();
    if (this.inputEnded) this.destroy();
  }

  // --- the end ---------------------------------------------------------------------------------------------------

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    if (this.waiting.length + this.onFinished.length > 0) process.nextTick(() => this.giveUp());
    if (error !== undefined) this.broken ??= error;
    const { room } = this;
    this.room = undefined;
    this.lane(() => {
      room?.(brokenPipe());
      this.other?.overInput();
    });
    process.nextTick(() => {
      if (error !== undefined) this.emit('error', error);
      this.closed = true;
      this.emit('close');
    });
    return this;
  }
}
