import { ramKernelCode } from './ram-kernel-code.js';

/** Room for an encoded delta, and for what the kernel reads or writes beyond an end. */
const deltaRoom = 2 * 4096;
/** Received bytes are copied to where the kernel finds them in pieces of this size: many small deltas at once. */
const inboxRoom = 16 * 1024;
/** Bytes behind a delta that the kernel may read. */
const overrun = 16;
/** Most records that one call of the kernel applies; the inbox holds no more of them unless they change nothing. */
const mostDeltas = 1024;
/** A table of their pages, 4 bytes each, and behind it where the kernel stopped. */
const tableRoom = 4 * (mostDeltas + 1);
/** Size of what {@link RamMemory.lendOutput} lends: room for 128 pages, their headers, and some more. */
export const outputRoom = 520 * 1024;
/** Everything that is neither RAM nor copies. */
const otherRoom = deltaRoom + inboxRoom + overrun + tableRoom + outputRoom;
/** A WebAssembly memory has pieces of this many bytes, up to 4 GiB. */
const wasmPage = 65536;
const wasmLimit = 2 ** 32;

/** Where a block lies in the memory, and how long it is. */
export interface MemoryRange {
  readonly base: number;
  readonly length: number;
}

/** What {@link RamMemory.deltas} has done; valid until its next call. */
export interface AppliedDeltas {
  readonly records: number;
  readonly bytes: number;
  /** Offset in the block of the page that a record was about. */
  readonly offsets: Uint32Array;
}

/**
 * One piece of memory with a kernel in WebAssembly SIMD over it, for what is done to every page: the guest's RAM, the
 * source's copies of its pages, a delta, records that come and go. Offsets are bytes from its beginning.
 */
export interface RamMemory {
  readonly bytes: Buffer;
  /** Where copies of pages may be kept; there is room for `copyRoom` bytes of them. */
  readonly copies: number;
  readonly copyRoom: number;
  /** Where {@link encode} puts its delta. */
  readonly delta: number;
  /** As `encodeXbzrle`, for two pages in this memory. */
  encode(old: number, fresh: number, limit: number): number;
  /** As `decodeXbzrle`: applies the delta of `length` bytes at offset `delta`, 4096 at most, to a page. */
  decode(delta: number, length: number, page: number): number;
  /**
   * As {@link decode}, for a delta that lies at `source[start, start + length)`. The contents of `source` must stay as
   * they are until another buffer is given.
   */
  apply(source: Buffer, start: number, length: number, page: number): number;
  /**
   * Applies XBZRLE records with CONTINUE (stream-format.md §5.2) to a block: those that lie whole in `source[start, end)`
   * and keep every rule, up to the first other one or as many as one call takes. `source` as for {@link apply}.
   */
  deltas(source: Buffer, start: number, end: number, block: MemoryRange): AppliedDeltas;
  /**
   * Writes the ZERO and PAGE records with CONTINUE (stream-format.md §5.2) of `count` pages that follow one another.
   * @param page where the first one lies in this memory
   * @param offset its offset in its block
   * @param out where the records go in this memory: 4104 bytes for each page, at most
   * @returns where they end
   */
  pages(page: number, count: number, offset: number, out: number): number;
  /** Lends the one piece of this memory that is for output, until it is given back; undefined while it is lent. */
  lendOutput(): Buffer | undefined;
  giveBackOutput(): void;
}

/**
 * Makes zero-filled memory for so many bytes of guest RAM; memory that nobody touches costs nothing.
 * @returns undefined where the memory is too large for WebAssembly or its SIMD is not there: plain buffers do then
 */
export function createRamMemory(total: number): RamMemory | undefined {
  // A direct-mapped cache uses no more slots than there are pages.
  const copyRoom = Math.min(total, wasmLimit - otherRoom - total);
  const size = total + copyRoom + otherRoom;
  if (copyRoom < 0 || size > wasmLimit || !kernelRuns()) return undefined;
  let memory: WebAssembly.Memory;
  try {
    const pieces = Math.ceil(size / wasmPage);
    memory = new WebAssembly.Memory({ initial: pieces, maximum: pieces });
  } catch {
    // Not so much address space in one piece; buffers may still find it.
    return undefined;
  }
  return new WasmRamMemory(memory, total, copyRoom);
}

class WasmRamMemory implements RamMemory {
  readonly bytes: Buffer;
  readonly delta: number;
  readonly #inbox: number;
  readonly #table: number;
  readonly #offsets: Uint32Array;
  readonly #output: Buffer;
  #lent = false;
  #kernel: Kernel | undefined;
  /** What the inbox holds: `#source[#from, #to)`. */
  #source: Buffer | undefined;
  #from = 0;
  #to = 0;

  constructor(
    private readonly memory: WebAssembly.Memory,
    readonly copies: number,
    readonly copyRoom: number,
  ) {
    this.bytes = Buffer.from(memory.buffer);
    this.delta = copies + copyRoom;
    this.#table = this.delta + deltaRoom;
    this.#offsets = new Uint32Array(memory.buffer, this.#table, mostDeltas + 1);
    this.#inbox = this.#table + tableRoom;
    const output = this.#inbox + inboxRoom + overrun;
    this.#output = this.bytes.subarray(output, output + outputRoom);
  }

  encode(old: number, fresh: number, limit: number): number {
    return this.#run.encode(old, fresh, this.delta, limit);
  }

  decode(delta: number, length: number, page: number): number {
    return this.#run.decode(delta, length, page);
  }

  apply(source: Buffer, start: number, length: number, page: number): number {
    return this.decode(this.#received(source, start, start + length), length, page);
  }

  deltas(source: Buffer, start: number, end: number, { base, length }: MemoryRange): AppliedDeltas {
    // The longest record has a page and its header.
    const at = this.#received(source, start, Math.min(end, start + 8192));
    const last = Math.min(at + end - start, this.#inbox + this.#to - this.#from);
    const records = this.#run.deltas(at, last, base, length, this.#table, mostDeltas);
    return { records, bytes: this.#offsets[records]! - at, offsets: this.#offsets };
  }

  pages(page: number, count: number, offset: number, out: number): number {
    // The kernel's addresses above 2 GiB come out as negative numbers.
    return this.#run.pages(page, count, offset, out) >>> 0;
  }

  lendOutput(): Buffer | undefined {
    if (this.#lent) return undefined;
    this.#lent = true;
    return this.#output;
  }

  giveBackOutput(): void {
    this.#lent = false;
  }

  /** Most guests never send or receive anything, so the module is compiled by the first that does. */
  get #run(): Kernel {
    this.#kernel ??= loadKernel(this.memory);
    return this.#kernel;
  }

  /** Where `source[start, end)` lies in the inbox; what follows is copied with it. */
  #received(source: Buffer, start: number, end: number): number {
    if (source !== this.#source || start < this.#from || end > this.#to) {
      this.#source = source;
      this.#from = start;
      this.#to = Math.min(source.length, start + inboxRoom);
      source.copy(this.bytes, this.#inbox, start, this.#to);
    }
    return this.#inbox + start - this.#from;
  }
}

interface Kernel {
  encode(old: number, fresh: number, out: number, limit: number): number;
  decode(delta: number, length: number, page: number): number;
  deltas(from: number, end: number, block: number, length: number, offsets: number, most: number): number;
  pages(page: number, count: number, offset: number, out: number): number;
}

const code = Buffer.from(ramKernelCode, 'base64');
let runs: boolean | undefined;

function kernelRuns(): boolean {
  runs ??= WebAssembly.validate(code);
  return runs;
}

function loadKernel(memory: WebAssembly.Memory): Kernel {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { qmpspec: { memory } });
  return {
    encode: exports.encode as Kernel['encode'],
    decode: exports.decode as Kernel['decode'],
    deltas: exports.deltas as Kernel['deltas'],
    pages: exports.pages as Kernel['pages'],
  };
}
