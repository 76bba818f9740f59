import type { StreamRules } from '../dialects/stream.js';
import { pageSize } from '../ram/guest-ram.js';
import { ByteSource } from './byte-source.js';
import { bitmapEndMark } from './format.js';
import type { Steps } from './reader-context.js';
import { ReturnPathType } from './return-path-writer.js';

/** Longest payload that a source takes. */
const payloadLimit = 512;
/** Largest received-page bitmap that is read when no block tells its size: 16 TiB of guest. */
const bitmapLimit = 512 * 1024 * 1024;

/** A message of the destination that is well-formed. */
export type ReturnPathMessage =
  | { readonly type: 'SHUT'; readonly value: number }
  | { readonly type: 'PONG'; readonly value: number }
  | {
      readonly type: 'REQ_PAGES_ID' | 'REQ_PAGES';
      readonly block: string;
      readonly start: number;
      readonly length: number;
    }
  | { readonly type: 'RECV_BITMAP'; readonly block: string; readonly bitmap: Buffer }
  | { readonly type: 'RESUME_ACK'; readonly value: number }
  | { readonly type: 'SWITCHOVER_ACK' };

/** The destination broke the return path's rules; `message` is the text a real source prints. */
export class ReturnPathError extends Error {
  override readonly name = 'ReturnPathError';
  constructor(
    message: string,
    /** Offset of the message in the return path. */
    readonly offset: number,
  ) {
    super(message);
  }
}

/** What the source knows, for its checks; each absent one leaves its checks out. */
export interface ReturnPathPolicy {
  /** Blocks of the source by name, with their used length. */
  readonly blocks?: ReadonlyMap<string, { readonly length: number }>;
  /** Present while a paused postcopy is being recovered; otherwise RECV_BITMAP is refused with this status. */
  readonly recovering?: () => { readonly ok: boolean; readonly status: string };
}

interface FixedType {
  readonly name: string;
  /** Payload bytes, -1 for a variable length. */
  readonly length: number;
}

const types: readonly (FixedType | undefined)[] = [
  undefined,
  { name: 'SHUT', length: 4 },
  { name: 'PONG', length: 4 },
  { name: 'REQ_PAGES_ID', length: -1 },
  { name: 'REQ_PAGES', length: 12 },
  { name: 'RECV_BITMAP', length: -1 },
  { name: 'RESUME_ACK', length: 4 },
  { name: 'SWITCHOVER_ACK', length: 0 },
];

/**
 * Reads the return path on the source's side, in chunks of any size (stream-format.md §8). {@link push} and {@link end}
 * throw the ReturnPathError that ends the reading.
 */
export class ReturnPathReader {
  readonly #source = new ByteSource();
  readonly #steps: Steps;
  #lastBlock: string | undefined;
  #start = 0;
  #done = false;

  constructor(
    private readonly rules: StreamRules,
    private readonly onMessage: (message: ReturnPathMessage) => void,
    private readonly policy: ReturnPathPolicy = {},
  ) {
    this.#steps = this.#messages();
  }

  push(chunk: Buffer): void {
    this.#source.push(chunk);
    this.#advance();
  }

  /** The connection has no more bytes. */
  end(): void {
    this.#source.finish();
    this.#advance();
  }

  /** Bytes behind SHUT, which are COLO messages; they count as read. */
  takeRest(): Buffer {
    return this.#source.rest();
  }

  #advance(): void {
    if (this.#done) return;
    try {
      if (this.#steps.next().done === true) this.#done = true;
    } catch (error) {
      this.#done = true;
      throw error;
    }
  }

  *#messages(): Steps {
    for (;;) {
      this.#start = this.#source.offset;
      if (!(yield* this.#has(1))) return;
      // A header that is cut reads as zeros behind the cut, as on a real source.
      yield* this.#has(4);
      this.#source.available(4);
      const number = this.#source.be16();
      const length = this.#source.be16();
      const type = number <= this.rules.returnPathTypes ? types[number] : undefined;
      const shown = `0x${number.toString(16).padStart(4, '0')}`;
      if (type === undefined) {
        throw this.#fail(`Received invalid message ${shown} length 0x${length.toString(16).padStart(4, '0')}`);
      }
      if ((type.length !== -1 && type.length !== length) || length > payloadLimit) {
        const expected = type.length === -1 ? '18446744073709551615' : `${type.length}`;
        throw this.#fail(
          `Received '${type.name}' message (${shown}) withincorrect length ${length} expecting ${expected}`,
        );
      }
      if (!(yield* this.#has(length))) {
        const read = this.#source.waiting;
        throw this.#fail(`Failed reading data for message ${shown} read ${read} expected ${length}`);
      }
      yield* this.#message(number, length);
      // Nothing of the return path follows it.
      if (number === ReturnPathType.shut) return;
    }
  }

  /** Waits for `n` bytes; false if the connection ends before them. */
  *#has(n: number): Steps<boolean> {
    while (!this.#source.has(n)) {
      if (this.#source.finished) return false;
      yield;
    }
    return true;
  }

  *#message(number: number, length: number): Steps {
    const source = this.#source;
    switch (number) {
      case ReturnPathType.shut: {
        const value = source.be32();
        this.onMessage({ type: 'SHUT', value });
        if (value !== 0) throw this.#fail(`Sibling indicated error ${value | 0}`);
        return;
      }
      case ReturnPathType.pong:
        this.onMessage({ type: 'PONG', value: source.be32() });
        return;
      case ReturnPathType.reqPages:
      case ReturnPathType.reqPagesId:
        this.#request(number, length);
        return;
      case ReturnPathType.recvBitmap:
        yield* this.#bitmap(length);
        return;
      case ReturnPathType.resumeAck: {
        const value = source.be32();
        if (value !== 1) {
          const prefix = this.rules.returnPathPrefix === '' ? '' : 'migrate_handle_rp_resume_ack: ';
          throw this.#plain(`${prefix}illegal resume_ack value ${value}`);
        }
        this.onMessage({ type: 'RESUME_ACK', value });
        return;
      }
      default:
        this.onMessage({ type: 'SWITCHOVER_ACK' });
    }
  }

  #request(number: number, payload: number): void {
    const source = this.#source;
    const named = number === ReturnPathType.reqPagesId;
    // 13 bytes are the least that a named request can have; a shorter one is as wrong as one with a bad name length.
    const nameLength = named && payload > 12 ? source.buffer[source.pos + 12]! : 0;
    if (named && payload !== 13 + nameLength) {
      throw this.#fail(`Req_Page_id with length ${payload} expecting ${13 + nameLength}`);
    }
    const start = source.be64();
    const length = source.be32();
    if (named) {
      source.pos++;
      this.#checkRequest(source.text(nameLength), true, start, length);
    } else this.#checkRequest(this.#lastBlock, false, start, length);
  }

  #checkRequest(block: string | undefined, named: boolean, start: number, length: number): void {
    const later = this.rules.returnPathPrefix === '';
    if (start % pageSize !== 0 || length % pageSize !== 0) {
      throw this.#plain(
        later
          ? `MIG_RP_MSG_REQ_PAGES: Misaligned page request, start:${start.toString(16)} len: ${length}`
          : `migrate_handle_rp_req_pages: Misaligned page request, start: ${start.toString(16)} len: ${length}`,
      );
    }
    const who = later ? 'MIG_RP_MSG_REQ_PAGES' : 'ram_save_queue_pages';
    if (block === undefined) {
      throw this.#plain(later ? `${who} has no previous block` : `${who} no previous block`);
    }
    const known = this.policy.blocks?.get(block);
    if (this.policy.blocks !== undefined && known === undefined) {
      throw this.#plain(later ? `${who} has no block '${block}'` : `${who} no block '${block}'`);
    }
    this.#lastBlock = block;
    const empty = length === 0 && !this.rules.emptyRequests;
    if (known !== undefined && (start + length > known.length || empty)) {
      const [s, l, b] = [start.toString(16), length.toString(16), known.length.toString(16)];
      throw this.#plain(`${who} request overrun start=${s} len=${l} blocklen=${b}`);
    }
    this.onMessage({ type: named ? 'REQ_PAGES_ID' : 'REQ_PAGES', block, start, length });
  }

  *#bitmap(payload: number): Steps {
    const source = this.#source;
    if (payload === 0) throw this.#plain('source_return_path_thread: missing block name');
    const nameLength = source.u8();
    if (payload !== 1 + nameLength) {
      throw this.#fail(`Recv_bitmap with length ${payload} expecting ${1 + nameLength}`);
    }
    const block = source.text(nameLength);
    const known = this.policy.blocks?.get(block);
    if (this.policy.blocks !== undefined && known === undefined) {
      throw this.#plain(`migrate_handle_rp_recv_bitmap: invalid block name '${block}'`);
    }
    const recovery = this.policy.recovering?.();
    if (recovery !== undefined && !recovery.ok) {
      const later = this.rules.returnPathPrefix === '';
      throw this.#plain(
        later
          ? `Reload bitmap in incorrect state ${recovery.status}`
          : `ram_dirty_bitmap_reload: incorrect state ${recovery.status}`,
      );
    }
    const cut = this.#plain(`ram_dirty_bitmap_reload: read bitmap failed for ramblock '${block}'`);
    if (!(yield* this.#has(8))) throw cut;
    const size = source.be64();
    const expected = known === undefined ? undefined : Math.ceil(known.length / pageSize / 64) * 8;
    if ((expected !== undefined && size !== expected) || size > bitmapLimit) {
      const [got, own] = [size.toString(16), (expected ?? bitmapLimit).toString(16)];
      throw this.#plain(`ram_dirty_bitmap_reload: ramblock '${block}' bitmap size mismatch (0x${got} != 0x${own})`);
    }
    if (!(yield* this.#has(size + 8))) throw cut;
    const bitmap = Buffer.from(source.buffer.subarray(source.pos, source.pos + size));
    source.pos += size;
    const mark = source.bigBe64();
    if (mark !== bitmapEndMark) {
      throw this.#plain(`ram_dirty_bitmap_reload: ramblock '${block}' end mark incorrect: 0x${mark.toString(16)}`);
    }
    this.onMessage({ type: 'RECV_BITMAP', block, bitmap });
  }

  #fail(text: string): ReturnPathError {
    return this.#plain(`${this.rules.returnPathPrefix}${text}`);
  }

  #plain(text: string): ReturnPathError {
    return new ReturnPathError(text, this.#start);
  }
}
