import type { StreamRules } from '../dialects/stream.js';
import type { ByteSource } from './byte-source.js';
import { type DeviceLayout, emptyMachineDevices } from './device-layout.js';
import { PostcopyState, type PostcopyStateNumber } from './format.js';
import type { LocalMachine, SectionEntry } from './local-machine.js';
import { type Reason, StreamError, type StreamErrorDetails } from './stream-error.js';
import type { StreamBlock, StreamHandler } from './stream-handler.js';
import type { DescribedSection } from './vmdescription.js';

/** A step of a parser: yields whenever it needs bytes that have not come, or was told to pause. */
export type Steps<T = void> = Generator<void, T, void>;

/**
 * What a receiver remembers between connections: the section table, the block that CONTINUE means, the state of
 * postcopy. Give the same object to the reader of a recovery connection.
 */
export class ReceiverState {
  entries: SectionEntry[] = [];
  readonly blocks = new Map<string, StreamBlock>();
  lastBlock: StreamBlock | undefined;
  postcopy: PostcopyStateNumber = PostcopyState.none;
  /** POSTCOPY_ADVISE announced RAM, not only dirty bitmaps. */
  ramAdvised = false;
  returnPathOpen = false;
  /** Waiting for POSTCOPY_RESUME on a recovery connection. */
  recovering = false;
  bitmapNode = '';
  bitmapName = '';
}

/** What all parts of the reader share. */
export class ReaderContext {
  paused = false;
  depth = 0;
  /** The sender puts pages at fixed places of a file: `mapped-ram` is on. */
  mappedRam = false;
  /** Device sections whose layout every machine shares. */
  readonly fixedLayouts: readonly DeviceLayout[];

  constructor(
    public source: ByteSource,
    readonly rules: StreamRules,
    readonly handler: StreamHandler,
    readonly state: ReceiverState,
    /** Absent: any machine is accepted, blocks are learnt from the setup records. */
    readonly local: LocalMachine | undefined,
    /** FULL sections that a vmdescription describes, in stream order. */
    readonly described: DescribedSection[],
    /** The sender writes guest addresses in the setup: `x-ignore-shared` is on. */
    public guestAddresses: boolean,
  ) {
    this.fixedLayouts = emptyMachineDevices(rules);
  }

  /** Waits for `n` contiguous bytes; zeros stand in for those that the stream does not have. */
  *need(n: number): Steps {
    while (!this.source.available(n)) yield;
  }

  /** Waits while the consumer asked for a pause. */
  *checkPause(): Steps {
    while (this.paused) yield;
  }

  *u8(): Steps<number> {
    if (!this.source.available(1)) yield* this.need(1);
    return this.source.u8();
  }

  *be16(): Steps<number> {
    if (!this.source.available(2)) yield* this.need(2);
    return this.source.be16();
  }

  *be32(): Steps<number> {
    if (!this.source.available(4)) yield* this.need(4);
    return this.source.be32();
  }

  *be64(): Steps<number> {
    if (!this.source.available(8)) yield* this.need(8);
    return this.source.be64();
  }

  /** A str8. A text that the stream cuts ends where the bytes end. */
  *str8(): Steps<string> {
    const length = yield* this.u8();
    if (!this.source.available(length)) yield* this.need(length);
    const text = this.source.text(length);
    return this.source.pastEnd ? untilZero(text) : text;
  }

  fail(reason: Reason, details: StreamErrorDetails): StreamError {
    return new StreamError(reason, { offset: this.source.offset, ...details });
  }

  /** The error of reading beyond the end, if that happened. */
  checkEnd(field: string, lines: readonly string[] = [], reason: Reason = 'IO'): void {
    if (!this.source.pastEnd) return;
    throw this.fail(reason, { field, expected: 'more bytes', got: 'end of stream', lines });
  }
}

/** Text up to its first zero byte. */
export function untilZero(text: string): string {
  const zero = text.indexOf('\0');
  return zero === -1 ? text : text.slice(0, zero);
}
