import type { StreamRules } from '../dialects/stream.js';
import { pageSize } from '../ram/guest-ram.js';
import { ByteSource } from './byte-source.js';
import { readConfiguration, readHeader } from './configuration-reader.js';
import { PostcopyState } from './format.js';
import { ItemReader } from './item-reader.js';
import { type LocalMachine, sectionEntries } from './local-machine.js';
import { ReaderContext, ReceiverState, type Steps } from './reader-context.js';
import { StreamError } from './stream-error.js';
import type { StreamHandler } from './stream-handler.js';
import type { DescribedSection } from './vmdescription.js';

export interface StreamReaderOptions {
  readonly rules: StreamRules;
  /** The receiving machine; without it any machine's stream is read and blocks are learnt from the setup records. */
  readonly local?: LocalMachine;
  /** The stream begins with its file header; default true. COLO sends items without one (stream-format.md §12). */
  readonly header?: boolean;
  /** A configuration follows the header (property `send-configuration`); default true. */
  readonly configuration?: boolean;
  /**
   * Sections have footers (property `send-section-footer`); default true. `found`: whether the first section has one
   * tells, for recordings.
   */
  readonly footers?: boolean | 'found';
  /** A vmdescription follows EOF (machine property `suppress-vmdesc` is off); default true. */
  readonly vmdescription?: boolean;
  /** Second connection of a paused postcopy: no header; needs {@link state} of the first one. */
  readonly recovery?: boolean;
  /** What an earlier connection left. */
  readonly state?: ReceiverState;
  /** Sizes of the FULL sections, from a vmdescription that was found at the end of the file. */
  readonly described?: readonly DescribedSection[];
  /** Largest postcopy package that is kept in memory, in bytes; default 256 MiB. */
  readonly maxPackageBytes?: number;
  /** Longest vmdescription that is handed on; default 4 MiB. Longer ones are read and cut. */
  readonly maxDescriptionBytes?: number;
}

/** Where a reader stands. */
export type ReaderStatus = 'reading' | 'complete' | 'failed';

/**
 * Reads a migration stream that arrives in chunks of any size and tells a handler what is in it (stream-format.md).
 *
 * Give it bytes with {@link push} and the end of the connection with {@link end}; both throw the StreamError that ends
 * the load, and whatever the handler throws. A handler that cannot keep up calls {@link pause}: the reader stops before
 * the next record and `push` answers false until {@link resume}.
 */
export class StreamReader {
  readonly state: ReceiverState;
  readonly #context: ReaderContext;
  readonly #steps: Steps;
  #status: ReaderStatus = 'reading';
  #running = false;
  #error: unknown;
  #drained: (() => void)[] = [];

  constructor(options: StreamReaderOptions, handler: StreamHandler) {
    const { rules, local } = options;
    this.state = options.state ?? new ReceiverState();
    if (options.state === undefined && local !== undefined) {
      this.state.entries = sectionEntries(rules, local);
      local.blocks.forEach((block, index) => {
        const { name, length } = block;
        this.state.blocks.set(name, { name, length, index, pageSize: block.pageSize ?? pageSize });
      });
    }
    if (options.recovery === true) this.state.recovering = true;
    const addresses = local?.capabilities.has('x-ignore-shared') ?? false;
    const described = [...(options.described ?? [])];
    this.#context = new ReaderContext(new ByteSource(), rules, handler, this.state, local, described, addresses);
    this.#steps = this.#stream(options);
  }

  get status(): ReaderStatus {
    return this.#status;
  }

  /** What made the load fail: a StreamError, or what the handler threw. */
  get error(): unknown {
    return this.#error;
  }

  /** Offset of the next unread byte. */
  get offset(): number {
    return this.#context.source.offset;
  }

  /** True between {@link pause} and {@link resume}. */
  get paused(): boolean {
    return this.#context.paused;
  }

  /**
   * Reads a chunk. The reader may keep a reference, so its memory must not be reused before {@link detach}.
   * @returns false while paused: hold further chunks until {@link drained}
   */
  push(chunk: Buffer): boolean {
    this.#context.source.push(chunk);
    this.#advance();
    return !this.#context.paused;
  }

  /**
   * Lets go of the chunks pushed so far, by a copy of what is still unread. New contents of the same memory must be pushed
   * as another Buffer object.
   */
  detach(): void {
    this.#context.source.detach();
  }

  /** The connection has no more bytes. */
  end(): void {
    this.#context.source.finish();
    this.#advance();
  }

  /** Stops before the next record or item. */
  pause(): void {
    this.#context.paused = true;
  }

  /** Goes on after {@link pause}, at once. */
  resume(): void {
    if (!this.#context.paused) return;
    this.#context.paused = false;
    const waiting = this.#drained;
    this.#drained = [];
    try {
      this.#advance();
    } finally {
      for (const go of waiting) go();
    }
  }

  /** Resolves when the reader is not paused. */
  drained(): Promise<void> {
    return this.#context.paused ? new Promise((resolve) => this.#drained.push(resolve)) : Promise.resolve();
  }

  /** Bytes behind the end of the migration stream (COLO messages); they count as read. */
  takeRest(): Buffer {
    return this.#context.source.rest();
  }

  #advance(): void {
    // A handler that pushes or resumes from inside a call is served by the loop that is already running.
    if (this.#running || this.#status !== 'reading' || this.#context.paused) return;
    this.#running = true;
    try {
      if (this.#steps.next().done === true) this.#status = 'complete';
    } catch (error) {
      this.#status = 'failed';
      if (error instanceof StreamError) {
        if (error.offset < 0) error.offset = this.#context.source.offset;
        this.#addPostcopyLine(error);
      }
      this.#error = error;
      throw error;
    } finally {
      this.#running = false;
    }
  }

  /** Once postcopy listens, another line than in precopy says what becomes of the load (stream-format.md §9.3). */
  #addPostcopyLine(error: StreamError): void {
    const { postcopy } = this.state;
    if (postcopy === PostcopyState.running && this.#context.depth === 0) {
      error.lines.push('Detected IO failure for postcopy. Migration paused.');
    } else if (postcopy === PostcopyState.listening && this.#context.depth === 0) {
      error.lines.push(`postcopy_ram_listen_thread: loadvm failed: ${-error.errno}`);
    }
  }

  *#stream(options: StreamReaderOptions): Steps {
    const context = this.#context;
    const items = new ItemReader(context, options);
    if (options.recovery !== true) {
      if (options.header !== false) yield* within('header', readHeader(context));
      if (options.configuration !== false) yield* within('configuration', readConfiguration(context));
    }
    yield* items.list();
    context.handler.eof?.();
    const { postcopy } = context.state;
    if (postcopy === PostcopyState.listening || postcopy === PostcopyState.running) {
      context.state.postcopy = PostcopyState.end;
    } else if (options.vmdescription !== false) yield* items.vmdescription();
    context.handler.complete?.();
  }
}

/** Names the part of the stream in errors of `steps`. */
function* within(section: string, steps: Steps): Steps {
  try {
    yield* steps;
  } catch (error) {
    if (error instanceof StreamError && error.section === '') error.section = section;
    throw error;
  }
}
