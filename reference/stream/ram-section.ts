import { compressedPageBound } from '../ram/compress-page.js';
import { pageSize } from '../ram/guest-ram.js';
import { type PageKind, PostcopyState, RamFlag } from './format.js';
import { RamSetupReader } from './ram-setup.js';
import { type ReaderContext, type Steps, untilZero } from './reader-context.js';
import type { StreamError } from './stream-error.js';
import type { StreamBlock } from './stream-handler.js';

const flagMask = 0xfff;

/**
 * Reads the body of a `ram` section (stream-format.md §5). Complete records are handled in a plain loop that consumes
 * nothing before it has the whole record; the generator only comes in when bytes are missing.
 */
export class RamSectionReader {
  readonly #setup: RamSetupReader;
  /** Bytes that the next record is known to need. */
  #wanted = 8;
  /** Offset of the record that {@link #control} handles. */
  #recordAt = 0;
  /** The setup list is being read. */
  #inSetup = false;

  constructor(private readonly context: ReaderContext) {
    this.#setup = new RamSetupReader(context);
  }

  *body(): Steps {
    const { context } = this;
    const { postcopy } = context.state;
    const inPostcopy = postcopy === PostcopyState.listening || postcopy === PostcopyState.running;
    this.#wanted = 8;
    this.#inSetup = false;
    while (!this.#records(inPostcopy)) {
      if (this.#inSetup) {
        yield* this.#setup.entries();
        this.#checkEnd('setup record');
        this.#inSetup = false;
      } else if (context.paused) yield* context.checkPause();
      else yield* context.need(this.#wanted);
    }
  }

  /** Handles records while they are complete; true after EOS. */
  #records(inPostcopy: boolean): boolean {
    const { context } = this;
    const { source, rules } = context;
    const payloads = this.#payloadFlags(inPostcopy);
    for (;;) {
      this.#wanted = 8;
      if (context.paused || !source.available(8)) return false;
      if (rules.checksRecordHeader && source.lacks(8)) {
        throw context.fail('IO', {
          field: 'record header',
          expected: '8 bytes',
          got: 'end of stream',
          lines: ['Getting RAM address failed'],
        });
      }
      const low = source.buffer.readUInt32BE(source.pos + 4);
      const flags = low & flagMask;
      const address = source.buffer.readUInt32BE(source.pos) * 0x100000000 + low - flags;
      let head = 8;
      let block: StreamBlock | undefined;
      if ((flags & payloads) !== 0) {
        if ((flags & RamFlag.continue) === 0) {
          head = this.#nameEnd();
          if (head === 0) return false;
        }
        block = this.#block(flags, address, head);
      }
      const kind = flags & ~RamFlag.continue;
      if (block !== undefined && head === 8 && !inPostcopy && this.#many(block, kind)) continue;
      if (block !== undefined && (kind === RamFlag.page || kind === RamFlag.zero)) {
        const length = kind === RamFlag.page ? pageSize : 1;
        if (!source.available(head + length)) {
          this.#wanted = head + length;
          return false;
        }
        this.#deliver(block, address, kind, head, length);
      } else if (block !== undefined && kind === RamFlag.xbzrle) {
        if (!this.#xbzrle(block, address, head)) return false;
      } else if (block !== undefined && kind === RamFlag.compressed) {
        if (!this.#compressed(block, address, head)) return false;
      } else {
        this.#recordAt = source.offset;
        source.pos += head;
        if (this.#control(flags, kind, address, inPostcopy)) return true;
        if (this.#inSetup) return false;
      }
    }
  }

  /** Lets the handler take records with CONTINUE at once, from a record of this kind on; true if it did. */
  #many(block: StreamBlock, kind: number): boolean {
    const { source, handler } = this.context;
    if (handler.pageRecords === undefined || source.pastEnd) return false;
    if (kind !== RamFlag.page && kind !== RamFlag.zero && kind !== RamFlag.xbzrle) return false;
    const taken = handler.pageRecords(block, kind, source.buffer, source.pos, source.end);
    source.pos += taken;
    return taken > 0;
  }

  /** Flags whose records name a block and carry a page, in this dialect and phase. */
  #payloadFlags(inPostcopy: boolean): number {
    const { rules } = this.context;
    let flags: number = RamFlag.zero | RamFlag.page;
    if (!inPostcopy) flags |= RamFlag.xbzrle;
    if (rules.compressedPages && (!inPostcopy || rules.compressedInPostcopy)) flags |= RamFlag.compressed;
    return flags;
  }

  /** Position behind the name of a record, 0 if it has not come yet. */
  #nameEnd(): number {
    const { source } = this.context;
    this.#wanted = 9;
    if (!source.available(9)) return 0;
    const end = 9 + source.buffer[source.pos + 8]!;
    this.#wanted = end;
    return source.available(end) ? end : 0;
  }

  #block(flags: number, address: number, head: number): StreamBlock {
    const { source, state } = this.context;
    let block: StreamBlock | undefined;
    let line = 'Ack, bad migration stream!';
    if ((flags & RamFlag.continue) !== 0) block = state.lastBlock;
    else {
      let name = source.buffer.toString('latin1', source.pos + 9, source.pos + head);
      if (source.pastEnd) name = untilZero(name);
      block = state.blocks.get(name);
      line = `Can't find block ${name}`;
      state.lastBlock = block;
    }
    if (block !== undefined && address < block.length) return block;
    const offset = `Illegal RAM offset ${address.toString(16)}`;
    if (block === undefined) {
      const expected = (flags & RamFlag.continue) !== 0 ? 'an earlier record with a block name' : 'a known block';
      throw this.context.fail('INV', { field: 'block name', expected, got: line, lines: [line, offset] });
    }
    throw this.context.fail('INV', {
      field: 'page address',
      expected: `less than 0x${block.length.toString(16)} in block '${block.name}'`,
      got: `0x${address.toString(16)}`,
      lines: [offset],
    });
  }

  #deliver(block: StreamBlock, address: number, kind: PageKind, head: number, length: number): void {
    const { source, rules, handler } = this.context;
    const start = source.pos + head;
    if (source.pastEnd) this.#checkEnd('page data');
    if (kind === RamFlag.zero && !rules.zeroPageAnyValue && source.buffer[start] !== 0) {
      const value = source.buffer[start]!;
      const lines = [`Found a zero page with value ${value}`];
      throw this.context.fail('INV', { field: 'fill byte', expected: '0', got: `${value}`, lines });
    }
    handler.ramPage?.(block, address, kind, source.buffer, start, length);
    source.pos = start + length;
  }

  #xbzrle(block: StreamBlock, address: number, head: number): boolean {
    const { source } = this.context;
    this.#wanted = head + 3;
    if (!source.available(this.#wanted)) return false;
    const encoding = source.buffer[source.pos + head]!;
    const length = source.buffer.readUInt16BE(source.pos + head + 1);
    const last = `Failed to decompress XBZRLE page at ${address.toString(16)}`;
    if (encoding !== 1) {
      const lines = ['Failed to load XBZRLE page - wrong compression!', last];
      throw this.context.fail('INV', { field: 'XBZRLE encoding', expected: '1', got: `${encoding}`, lines });
    }
    if (length > pageSize) {
      const lines = ['Failed to load XBZRLE page - len overflow!', last];
      throw this.context.fail('INV', {
        field: 'XBZRLE length',
        expected: `at most ${pageSize}`,
        got: `${length}`,
        lines,
      });
    }
    this.#wanted = head + 3 + length;
    if (!source.available(this.#wanted)) return false;
    this.#deliver(block, address, RamFlag.xbzrle, head + 3, length);
    return true;
  }

  #compressed(block: StreamBlock, address: number, head: number): boolean {
    const { source, local } = this.context;
    if (local !== undefined && !local.capabilities.has('compress')) {
      const lines = ['Received an unexpected compressed page'];
      throw this.context.fail('INV', { field: 'record flags', expected: 'no compressed page', got: '0x100', lines });
    }
    this.#wanted = head + 4;
    if (!source.available(this.#wanted)) return false;
    const length = source.buffer.readInt32BE(source.pos + head);
    if (length < 0 || length > compressedPageBound) {
      const lines = [`Invalid compressed data length: ${length}`];
      const expected = `0 to ${compressedPageBound}`;
      throw this.context.fail('INV', { field: 'compressed length', expected, got: `${length}`, lines });
    }
    this.#wanted = head + 4 + length;
    if (!source.available(this.#wanted)) return false;
    this.#deliver(block, address, RamFlag.compressed, head + 4, length);
    return true;
  }

  /** A record without a page; true for EOS. */
  #control(flags: number, kind: number, address: number, inPostcopy: boolean): boolean {
    const { rules, handler } = this.context;
    if (kind === RamFlag.eos) {
      this.#checkEnd('record header');
      handler.ramEos?.();
      return true;
    }
    if (kind === RamFlag.memSize && !inPostcopy) {
      this.#checkEnd('record header');
      this.#inSetup = true;
      this.#setup.begin(address);
      return false;
    }
    if (kind === RamFlag.flush && rules.flushRecords && !inPostcopy) {
      handler.ramFlush?.();
    } else if ((flags & RamFlag.hook) === 0 || inPostcopy) throw this.#unknown(flags, inPostcopy);
    else if (!rules.hookIgnored) {
      throw this.context.fail('INV', {
        offset: this.#recordAt,
        field: 'record flags',
        expected: 'no RDMA hook',
        got: hex(flags),
      });
    }
    this.#checkEnd('record header');
    return false;
  }

  #unknown(flags: number, inPostcopy: boolean): StreamError {
    const shown = flags === 0 ? this.context.rules.zeroInHex : hex(flags);
    const lines = [`Unknown combination of migration flags: ${shown}${inPostcopy ? ' (postcopy mode)' : ''}`];
    return this.context.fail('INV', {
      offset: this.#recordAt,
      field: 'record flags',
      expected: 'one known flag',
      got: hex(flags),
      lines,
    });
  }

  #checkEnd(field: string): void {
    this.context.checkEnd(field);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
