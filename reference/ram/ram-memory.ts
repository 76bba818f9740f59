import { ramKernelCode } from './ram-kernel-code.js';

/** Room for an encoded delta, and for what the kernel reads or writes beyond an end. */
const deltaRoom = 2 * 4096;
/** Received bytes are copied to where the kernel finds them in pieces of this size: many small deltas at once. */
const inboxRoom = 16 * 1024;
/** Bytes behind what it is given that the kernel may read. */
const overrun = 32;
/** Most runs of records that one call of the kernel applies. */
const mostRuns = 1024;
/** A table of them, 8 bytes each, and behind it where the kernel stopped. */
const tableRoom = 8 * (mostRuns + 1);
/** Size of what {@link RamMemory.lendOutput} lends: room for 128 pages, their headers, and some more. */
export const outputRoom = 520 * 1024;
/**
 * Size of what {@link RamMemory.lendInput} lends: more than a unix socket holds by default, and no more than stays in the
 * processor's second cache until it has been read.
 */
export const inputRoom = 256 * 1024;
/** Everything that is neither RAM nor copies. */
const otherRoom = deltaRoom + inboxRoom + overrun + tableRoom + outputRoom + inputRoom + overrun;
/** A WebAssembly memory has pieces of this many bytes, up to 4 GiB. */
const wasmPage = 65536;
const wasmLimit = 2 ** 32;

/** Where a block lies in the memory, and how long it is. */
export interface MemoryRange {
  readonly base: number;
  readonly length: number;
}

/** What {@link RamMemory.records} has done; valid until its next call. */
export interface AppliedRecords {
  /** Runs of records of one kind, each about the page behind that of the one before. */
  readonly runs: number;
  readonly bytes: number;
  /** For each run the offset of its first page in the block with the record's flags in the low 12 bits, and its length. */
  readonly table: Uint32Array;
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
  /** True for bytes that lie in this memory, where they need not be copied for {@link records}. */
  holds(source: Buffer): boolean;
  /**
   * Applies PAGE, ZERO and XBZRLE records with CONTINUE (stream-format.md §5.2) to a block: those that lie whole in
   * `source[start, end)` and keep every rule, up to the first other one or as many as one call takes. `source` as for
   * {@link apply}.
   */
  records(source: Buffer, start: number, end: number, block: MemoryRange): AppliedRecords;
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
  /** Lends the one piece of this memory that is for input, until it is given back; undefined while it is lent. */
  lendInput(): Buffer | undefined;
  giveBackInput(): void;
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
  readonly #runs: Uint32Array;
  readonly #output: Buffer;
  readonly #input: Buffer;
  #outputLent = false;
  #inputLent = false;
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
    this.#runs = new Uint32Array(memory.buffer, this.#table, 2 * mostRuns + 1);
    this.#inbox = this.#table + tableRoom;
    const output = this.#inbox + inboxRoom + overrun;
    this.#output = this.bytes.subarray(output, output + outputRoom);
    const input = output + outputRoom;
    this.#input = this.bytes.subarray(input, input + inputRoom);
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

  holds(source: Buffer): boolean {
    return source.buffer === this.bytes.buffer;
  }

  records(source: Buffer, start: number, end: number, { base, length }: MemoryRange): AppliedRecords {
    let at: number;
    let last: number;
    if (this.holds(source)) {
      at = source.byteOffset + start;
      last = source.byteOffset + end;
    } else {
      // The longest record has a page and its header.
      at = this.#received(source, start, Math.min(end, start + 8192));
      last = Math.min(at + end - start, this.#inbox + this.#to - this.#from);
    }
    const runs = this.#run.records(at, last, base, length, this.#table, mostRuns);
    return { runs, bytes: this.#runs[2 * runs]! - at, table: this.#runs };
  }

  pages(page: number, count: number, offset: number, out: number): number {
    // The kernel's addresses above 2 GiB come out as negative numbers.
    return this.#run.pages(page, count, offset, out) >>> 0;
  }

  lendOutput(): Buffer | undefined {
    if (this.#outputLent) return undefined;
    this.#outputLent = true;
    return this.#output;
  }

  giveBackOutput(): void {
    this.#outputLent = false;
  }

  lendInput(): Buffer | undefined {
    if (this.#inputLent) return undefined;
    this.#inputLent = true;
    return this.#input;
  }

  giveBackInput(): void {
    this.#inputLent = false;
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
  records(from: number, end: number, block: number, length: number, table: number, most: number): number;
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
    records: exports.records as Kernel['records'],
    pages: exports.pages as Kernel['pages'],
  };
}
