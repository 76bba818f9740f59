/** What a real source always does, beyond what a destination refuses. */
import type { StreamRules } from '../../reference/dialects/stream.js';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { decodeXbzrle, xbzrleMalformed } from '../../reference/ram/xbzrle-decode.js';
import { isZeroPage } from '../../reference/ram/zero-page.js';
import { discardRangesPerCommand, type PageKind, RamFlag, SectionType } from '../../reference/stream/format.js';
import type { SectionInfo, StreamBlock, StreamCommand, StreamHandler } from '../../reference/stream/stream-handler.js';

/** Most violations that are kept; the others are counted. */
const keptViolations = 100;

export interface Violation {
  readonly offset: number;
  /** Section of stream-format.md, xbzrle.md or multifd.md. */
  readonly requirement: string;
  readonly text: string;
}

/** Checks beyond what a destination refuses: what a real source always does. */
export class ConformanceChecks implements StreamHandler {
  readonly violations: Violation[] = [];
  count = 0;
  /** What is worth saying, but is no violation. */
  readonly notes: string[] = [];
  /** Where the reader stands; set before reading begins. */
  offset: () => number = () => 0;
  /** EOS and FLUSH records: one of them is what data channels synchronise at. */
  eos = 0;
  flushes = 0;
  readonly #begun = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #scratch = Buffer.alloc(pageSize);
  /** Ends of what was discarded last, by block; `undefined` where pages of the host are larger than those of the guest. */
  #discarded: Map<string, number> | undefined;
  #descriptionSeen = false;
  #postcopy = false;
  #path = false;
  #pinged = false;

  constructor(readonly rules: StreamRules) {}

  /** Synchronisations of each data channel, as the main stream tells them. */
  get syncs(): number {
    const { flushRecords, lastSyncFlushes } = this.rules;
    if (this.flushes === 0) return this.eos;
    return this.flushes + (flushRecords && !lastSyncFlushes ? 1 : 0);
  }

  report(requirement: string, text: string, offset = this.offset()): void {
    this.count++;
    if (this.violations.length < keptViolations) this.violations.push({ offset, requirement, text });
  }

  sectionBegin({ type, idstr, instance, offset }: SectionInfo): void {
    const key = `${idstr}/${instance}`;
    if (type === SectionType.start || type === SectionType.full) this.#begun.add(key);
    else if (!this.#begun.has(key)) this.report('stream-format §1', `${idstr}: PART or END before START`, offset);
    if (this.#ended.has(key)) this.report('stream-format §1', `${idstr}: a section behind its END`, offset);
    if (type === SectionType.end) this.#ended.add(key);
  }

  ramPage(_block: StreamBlock, offset: number, kind: PageKind, bytes: Buffer, start: number, length: number): void {
    if (kind === RamFlag.page) {
      if (!this.rules.zeroDetectionOptional && isZeroPage(bytes, start))
        this.report('stream-format §5.2', `PAGE record of an all-zero page at 0x${offset.toString(16)}`);
    } else if (kind === RamFlag.zero) {
      if (bytes[start] !== 0) this.report('stream-format §5', `ZERO record with fill byte ${bytes[start]}`);
    } else if (kind === RamFlag.xbzrle) {
      if (length === 0) this.report('xbzrle §1', `empty delta for the page at 0x${offset.toString(16)}`);
      if (decodeXbzrle(bytes, start, length, this.#scratch) === xbzrleMalformed) {
        this.report('xbzrle §2', `malformed delta for the page at 0x${offset.toString(16)}`);
      }
    }
  }

  ramEos(): void {
    this.eos++;
  }

  ramFlush(): void {
    this.flushes++;
  }

  command({ name, offset, ranges, value, block = '', targetPageSize }: StreamCommand): void {
    if (name === 'OPEN_RETURN_PATH') this.#path = true;
    if (name === 'PING') {
      if (!this.#path) this.report('stream-format §4', 'PING without a return path', offset);
      else if (!this.#pinged && value !== 1) this.report('stream-format §4', `the first PING is ${value}`, offset);
      this.#pinged = true;
    }
    if (name === 'ENABLE_COLO' && this.#begun.size > 0)
      this.report('stream-format §4', 'ENABLE_COLO behind the first section', offset);
    if (name === 'POSTCOPY_LISTEN') this.#postcopy = true;
    // A postcopy that was paused when all had been sent goes through its sections once more.
    if (name === 'POSTCOPY_RESUME') this.#ended.clear();
    if ((ranges?.length ?? 0) > discardRangesPerCommand) {
      this.report('stream-format §4', `discard of ${ranges?.length} ranges in one command`, offset);
    }
    if (name === 'POSTCOPY_ADVISE' && value !== undefined && value === targetPageSize) this.#discarded ??= new Map();
    for (const { start, length } of name === 'POSTCOPY_RAM_DISCARD' ? (ranges ?? []) : []) {
      if (start < (this.#discarded?.get(block) ?? 0))
        this.report('stream-format §9.1', `the discard of ${block} at 0x${start.toString(16)} goes back`, offset);
      this.#discarded?.set(block, start + length);
    }
    if (name === 'POSTCOPY_ADVISE' && value !== undefined && value % pageSize !== 0) {
      this.report('stream-format §4', `advise of RAM page sizes 0x${value.toString(16)}`, offset);
    }
  }

  vmdescription(text: string, length: number): void {
    this.#descriptionSeen = true;
    try {
      if (text.length === length) JSON.parse(text, (_, value) => this.#described(value));
      else this.report('stream-format §3', `vmdescription of ${length} bytes, but ${text.length} came`);
    } catch {
      this.report('stream-format §6.2', 'the vmdescription is no JSON');
    }
  }

  /** A type that names bits has their size. */
  #described(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || !('type' in value) || !('size' in value)) return value;
    const [, bits] = /^u?int(\d+)/.exec(String(value.type)) ?? [];
    if (bits !== undefined && value.size !== Number(bits) / 8)
      this.report('stream-format §6.2', `the vmdescription has ${value.type} of ${value.size} bytes`);
    return value;
  }

  complete(): void {
    if (this.#descriptionSeen || this.#postcopy) return;
    this.notes.push('no vmdescription behind EOF (the source has suppress-vmdesc=on)');
  }
}
