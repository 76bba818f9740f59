import { xbzrleKernelCode } from './xbzrle-kernel-code.js';

/** Room for an encoded delta, and for what the kernel reads or writes beyond an end. */
const deltaRoom = 2 * 4096;
/** Received bytes are copied to where the kernel finds them in pieces of this size: many small deltas at once. */
const inboxRoom = 16 * 1024;
/** Bytes behind a delta that the kernel may read. */
const overrun = 16;
/** A WebAssembly memory has pieces of this many bytes, up to 4 GiB. */
const wasmPage = 65536;
const wasmLimit = 2 ** 32;

/**
 * One piece of memory with XBZRLE in WebAssembly SIMD over it: the guest's RAM, the source's copies of its pages, and a
 * delta. Offsets are bytes from its beginning.
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
}

/**
 * Makes zero-filled memory for so many bytes of guest RAM; memory that nobody touches costs nothing.
 * @returns undefined where the memory is too large for WebAssembly or its SIMD is not there: plain buffers do then
 */
export function createRamMemory(total: number): RamMemory | undefined {
  // A direct-mapped cache uses no more slots than there are pages.
  const copyRoom = Math.min(total, wasmLimit - deltaRoom - inboxRoom - overrun - total);
  const size = total + copyRoom + deltaRoom + inboxRoom + overrun;
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
    this.#inbox = this.delta + deltaRoom;
  }

  encode(old: number, fresh: number, limit: number): number {
    this.#kernel ??= loadKernel(this.memory);
    return this.#kernel.encode(old, fresh, this.delta, limit);
  }

  decode(delta: number, length: number, page: number): number {
    this.#kernel ??= loadKernel(this.memory);
    return this.#kernel.decode(delta, length, page);
  }

  apply(source: Buffer, start: number, length: number, page: number): number {
    if (source !== this.#source || start < this.#from || start + length > this.#to) {
      this.#source = source;
      this.#from = start;
      this.#to = Math.min(source.length, start + inboxRoom);
      source.copy(this.bytes, this.#inbox, start, this.#to);
    }
    return this.decode(this.#inbox + start - this.#from, length, page);
  }
}

interface Kernel {
  encode(old: number, fresh: number, out: number, limit: number): number;
  decode(delta: number, length: number, page: number): number;
}

const code = Buffer.from(xbzrleKernelCode, 'base64');
let runs: boolean | undefined;

function kernelRuns(): boolean {
  runs ??= WebAssembly.validate(code);
  return runs;
}

/** Most migrations need no XBZRLE, so the module is compiled by the first that does. */
function loadKernel(memory: WebAssembly.Memory): Kernel {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { qmpspec: { memory } });
  return { encode: exports.encode as Kernel['encode'], decode: exports.decode as Kernel['decode'] };
}
