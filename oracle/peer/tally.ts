/**
 * What a source has sent of its memory, counted at our end: by it the figures of `query-migrate` are known, and so is what its
 * memory was when the stream ended (commands.md §8, xbzrle.md §3).
 */
import { createHash } from 'node:crypto';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { decodeXbzrle } from '../../reference/ram/xbzrle-decode.js';
import { type PageKind, RamFlag } from '../../reference/stream/format.js';
import type { SetupEntry, StreamBlock } from '../../reference/stream/stream-handler.js';

/** Head of a record, and what a delta has beside its payload: an encoding and a length. */
const [headBytes, deltaHeadBytes] = [8, 3] as const;

interface BlockTally {
  /** How often each page has come, up to 2. */
  readonly times: Uint8Array;
  /** What has come; absent where nobody wants to know. */
  readonly image: Buffer | undefined;
}

/** Bytes of a block of which an image is kept at most. */
const mostBytes = 64 << 20;

export class Tally {
  whole = 0;
  zero = 0;
  deltas = 0;
  /** Bytes of the records of deltas. */
  deltaBytes = 0;
  /** Whole pages that had come before. */
  again = 0;
  /** … more than once: those are in the cache of a source that keeps every page. */
  kept = 0;
  /** Bytes of all records of pages, and of the marks behind those of a PART section: what some releases call transferred. */
  ramBytes = 0;
  /** Bytes of the stream in all, once it has ended. */
  streamBytes = 0;
  /** … over data channels, whole or zero. */
  beside = 0;
  /** Pages came that are not counted here, or may have. */
  others = false;
  readonly #blocks = new Map<string, BlockTally>();

  /** @param remembers an image of the memory is kept */
  constructor(private readonly remembers: boolean) {}

  block({ block, length }: SetupEntry): void {
    const remembers = this.remembers && length <= mostBytes;
    this.#blocks.set(block.name, {
      times: new Uint8Array(Math.ceil(length / pageSize)),
      image: remembers ? Buffer.alloc(length) : undefined,
    });
  }

  page({ name }: StreamBlock, offset: number, kind: PageKind, bytes: Buffer, start: number, length: number): void {
    const block = this.#blocks.get(name);
    if (block === undefined) return;
    const { times, image } = block;
    const number = offset / pageSize;
    const before = times[number] ?? 0;
    const record = recordBytes(name, offset, kind, bytes, start, length);
    this.ramBytes += record;
    if (kind === RamFlag.page) {
      this.whole++;
      if (before > 0) this.again++;
      if (before > 1) this.kept++;
      if (image !== undefined) bytes.copy(image, offset, start, start + pageSize);
    } else if (kind === RamFlag.zero) {
      this.zero++;
      image?.fill(bytes[start] ?? 0, offset, offset + pageSize);
    } else if (kind === RamFlag.xbzrle) {
      this.deltas++;
      this.deltaBytes += record;
      if (image !== undefined) decodeXbzrle(bytes, start, length, image, offset);
    } else this.others = true;
    times[number] = Math.min(2, before + 1);
  }

  /** The mark behind the records of a PART section. */
  markOfPart(): void {
    this.ramBytes += headBytes;
  }

  /** A page that came over a data channel. */
  came(kind: 'whole' | 'zero'): void {
    this[kind]++;
    this.beside++;
  }

  /** In words for a transcript. */
  get words(): string {
    const { whole, zero, deltas, deltaBytes, again, kept, beside, ramBytes, streamBytes } = this;
    const image = this.remembers ? `, memory ${this.#digest()}` : '';
    const blocks = `in ${this.#blocks.size === 1 ? 'one block' : `${this.#blocks.size} blocks`}`;
    return `${whole} whole, ${zero} zero, ${deltas} deltas of ${deltaBytes} bytes, ${again} again, ${kept} kept, ${beside} beside, ${ramBytes} bytes of RAM in ${streamBytes} bytes, ${blocks}${image}`;
  }

  #digest(): string {
    const hash = createHash('sha256');
    for (const [name, { image }] of this.#blocks) {
      hash.update(name);
      if (image !== undefined) hash.update(image);
    }
    return hash.digest('hex').slice(0, 16);
  }
}

/** Of a record with its payload at `bytes[start, start + length)`. */
function recordBytes(
  name: string,
  offset: number,
  kind: PageKind,
  bytes: Buffer,
  start: number,
  length: number,
): number {
  const head = start - (kind === RamFlag.xbzrle ? deltaHeadBytes : 0) - headBytes;
  // A record that says so goes on with the block of the one before it, in whatever section that stood.
  const flags = (offset | kind | RamFlag.continue) >>> 0;
  const continued = head >= 0 && bytes.readUInt32BE(head + 4) === flags;
  return start - head + (continued ? 0 : 1 + name.length) + length;
}
