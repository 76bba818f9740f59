/** Which pages a source sends, and when: what no destination refuses, and no source does (stream-format.md §5, §9). */
import { inflateSync } from 'node:zlib';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { type PageKind, RamFlag } from '../../reference/stream/format.js';
import type { SetupEntry, StreamBlock, StreamCommand } from '../../reference/stream/stream-handler.js';

type Report = (requirement: string, text: string) => void;

/** What has come of one block, by page. */
interface BlockPages {
  readonly sent: Uint8Array;
  /** Number of the section in which it came last. */
  readonly section: Uint32Array;
  readonly discarded: Uint8Array;
}

/** What zlib says of a level in the header of its streams (RFC 1950, FLEVEL). */
const tellingOf = (level: number): number => (level < 2 ? 0 : level < 6 ? 1 : level === 6 ? 2 : 3);

/** A page that was asked for and has not come. */
interface Asked {
  readonly block: string;
  readonly offset: number;
  /** Moments at which others came in its place, and when the last of them was. */
  moments: number;
  last: number;
}

/** Moments with other pages after which one that was asked for is late, and milliseconds that two of them are apart. */
const [patience, apart] = [5, 80] as const;

const hex = (offset: number): string => `0x${offset.toString(16)}`;

export class PageChecks {
  /** Pages go over other connections, too: then it cannot be said which are missing. */
  elsewhere = false;
  readonly #blocks = new Map<string, BlockPages>();
  #listening = false;
  #resumed = false;
  #last: string | undefined;
  #section = 0;
  /** Another part of the migration begins, whose first record names its block (stream-format.md §5.2). */
  #anew: string | undefined;
  #asked: Asked | undefined;

  /**
   * @param level the parameter compress-level, where it is known
   * @param now milliseconds
   */
  constructor(
    private readonly report: Report,
    private readonly level: () => number | undefined,
    private readonly now: () => number,
  ) {}

  block({ block, length, guestAddress }: SetupEntry): void {
    // With its address a block may be left where it is, in memory that both ends share.
    if (guestAddress !== undefined) this.elsewhere = true;
    const pages = Math.ceil(length / pageSize);
    this.#blocks.set(block.name, {
      sent: new Uint8Array(pages),
      discarded: new Uint8Array(pages),
      section: new Uint32Array(pages),
    });
  }

  /** A section begins: its first record names its block. */
  section(): void {
    this.#last = undefined;
    this.#section++;
  }

  page({ name }: StreamBlock, offset: number, kind: PageKind, bytes: Buffer, start: number, length: number): void {
    if (kind === RamFlag.compressed) this.#compressed(offset, bytes.subarray(start, start + length));
    this.#named(name, offset, kind, bytes, start);
    if (
      this.#anew !== undefined &&
      start >= 8 &&
      bytes.readUInt32BE(start - 4) === (offset | kind | RamFlag.continue) >>> 0
    )
      this.report('stream-format §5.2', `the first page ${this.#anew} goes on with the block of one before it`);
    this.#anew = undefined;
    this.#late(name, offset);
    const pages = this.#blocks.get(name);
    if (pages === undefined) return;
    const number = offset / pageSize;
    if (this.#listening && !this.#resumed && pages.discarded[number] === 0)
      this.report('stream-format §9', `page ${hex(offset)} comes after the switch, and was not discarded before it`);
    pages.sent[number] = 1;
    // A page that is asked for goes out ahead of its turn; otherwise each has its turn once between two looks at what is dirty.
    if (!this.#listening && !this.#resumed && pages.section[number] === this.#section)
      this.report('stream-format §5.2', `page ${hex(offset)} comes twice in one section`);
    pages.section[number] = this.#section;
  }

  /** The last page that is still to come, from which on its being late counts; `undefined` when none is. */
  ask(): { readonly block: string; readonly offset: number } | undefined {
    const [block, pages] = [...this.#blocks].at(-1) ?? [];
    const missing = pages?.discarded.lastIndexOf(1) ?? -1;
    if (block === undefined || missing < 0 || this.#resumed) return undefined;
    this.#asked = { block, offset: missing * pageSize, moments: 0, last: this.now() };
    return this.#asked;
  }

  /** What was asked for goes ahead of the rest, whatever the bandwidth; what was on its way already comes in one go. */
  #late(name: string, offset: number): void {
    const asked = this.#asked;
    if (asked === undefined) return;
    if (asked.block === name && asked.offset === offset) this.#asked = undefined;
    const now = this.now();
    if (this.#asked === undefined || now - asked.last < apart) return;
    asked.last = now;
    if (++asked.moments < patience) return;
    this.report('stream-format §9.1', `page ${hex(asked.offset)} was asked for, and others come instead`);
    this.#asked = undefined;
  }

  /** It came over another connection, or only its number did. */
  came(name: string, offset: number): void {
    const sent = this.#blocks.get(name)?.sent;
    if (sent !== undefined) sent[offset / pageSize] = 1;
  }

  command({ name, block = '', ranges = [] }: StreamCommand): void {
    if (name === 'POSTCOPY_LISTEN') {
      this.#listening = true;
      this.#anew = 'behind the switch';
    }
    if (name === 'POSTCOPY_RESUME') {
      this.#resumed = true;
      this.#asked = undefined;
      this.#anew = 'of a recovery';
    }
    if (name !== 'POSTCOPY_RAM_DISCARD') return;
    const pages = this.#blocks.get(block);
    for (const { start, length } of ranges)
      pages?.discarded.fill(1, start / pageSize, Math.ceil((start + length) / pageSize));
  }

  /** The stream was read to its end, and so was what came beside it. */
  complete(): void {
    if (this.elsewhere || this.#listening) return;
    for (const [name, { sent }] of this.#blocks) {
      const missing = sent.indexOf(0);
      if (missing >= 0)
        this.report('stream-format §5.2', `page ${hex(missing * pageSize)} of block ${name} never came`);
    }
  }

  #compressed(offset: number, payload: Buffer): void {
    const wrong = (what: string) => this.report('stream-format §5.3', `the compressed page ${hex(offset)} is ${what}`);
    try {
      const { length } = inflateSync(payload);
      if (length !== pageSize) wrong('not a page long');
      const level = this.level();
      if (level !== undefined && payload.readUInt8(1) >> 6 !== tellingOf(level))
        wrong(`not of level ${level}: its zlib stream begins with ${payload.toString('hex', 0, 2)}`);
    } catch {
      wrong('no complete zlib stream');
    }
  }

  /** The name of a block stands in a record only where the record before it was of another one. */
  #named(name: string, offset: number, kind: PageKind, bytes: Buffer, start: number): void {
    const before = this.#last;
    this.#last = name;
    // In a postcopy pages that were asked for begin anew; deltas and compressed pages have more between head and payload.
    if (before !== name || this.#listening || kind === RamFlag.xbzrle) return;
    const length = kind === RamFlag.compressed ? 4 : 0;
    const head = start - length - 9 - Buffer.byteLength(name);
    const named =
      head >= 0 && bytes[head + 8] === name.length && bytes.readUInt32BE(head + 4) === (offset | kind) >>> 0;
    if (named && bytes.toString('latin1', head + 9, start - length) === name)
      this.report('stream-format §5.2', `the record of page ${hex(offset)} names its block once more`);
  }
}
