const defaultChunk = 256 * 1024;
/** Size of the first buffer: much of the output is small, and memory that is new costs more than what is written into it. */
const firstChunk = 16 * 1024;

/**
 * Collects output in large buffers. Small fields are written in place; {@link reference} adds bytes without copying
 * them, for `writev`.
 */
export class ByteOutput {
  #ready: Buffer[] = [];
  #readyBytes = 0;
  #chunk: Buffer;
  #start = 0;
  #at = 0;
  #spare: Buffer[] = [];
  /** The part of {@link #chunk} that was sealed last. */
  #piece: Buffer | undefined;
  /** Chunks that are full, by their last pieces. */
  readonly #full = new WeakMap<Buffer, Buffer>();
  #taken = 0;

  /**
   * @param chunkBytes size of one buffer; the first may be smaller
   * @param first the first of them, if it is there already
   */
  constructor(
    private readonly chunkBytes = defaultChunk,
    first?: Buffer,
  ) {
    this.#chunk = first ?? Buffer.allocUnsafeSlow(Math.min(firstChunk, chunkBytes));
  }

  /** Bytes written and not yet taken. */
  get pending(): number {
    return this.#readyBytes + this.#at - this.#start;
  }

  /** Bytes written since construction. */
  get total(): number {
    return this.#taken + this.pending;
  }

  u8(value: number): void {
    this.#room(1);
    this.#chunk[this.#at++] = value;
  }

  be16(value: number): void {
    this.#room(2);
    this.#at = this.#chunk.writeUInt16BE(value, this.#at);
  }

  be32(value: number): void {
    this.#room(4);
    this.#at = this.#chunk.writeUInt32BE(value, this.#at);
  }

  /** A number from 0 to 2^53, or any multiple of a page below 2^64 plus flags that keeps it exact. */
  be64(value: number): void {
    this.#room(8);
    this.#at = this.#chunk.writeUInt32BE(Math.floor(value / 0x100000000), this.#at);
    this.#at = this.#chunk.writeUInt32BE(value % 0x100000000, this.#at);
  }

  bigBe64(value: bigint): void {
    this.#room(8);
    this.#at = this.#chunk.writeBigUInt64BE(value, this.#at);
  }

  /** A length byte and the text. @throws RangeError beyond 255 bytes */
  str8(text: string): void {
    const length = Buffer.byteLength(text, 'latin1');
    if (length > 255) throw new RangeError(`'${text.slice(0, 20)}…' has ${length} bytes, the field carries 255`);
    this.u8(length);
    this.#room(length);
    this.#at += this.#chunk.write(text, this.#at, 'latin1');
  }

  /** Copies `source[from, to)`. */
  bytes(source: Uint8Array, from = 0, to = source.length): void {
    const length = to - from;
    this.#room(length);
    if (source instanceof Buffer) source.copy(this.#chunk, this.#at, from, to);
    else this.#chunk.set(source.subarray(from, to), this.#at);
    this.#at += length;
  }

  /**
   * Lets somebody else write up to `bytes` bytes into a chunk.
   * @param write puts them at `chunk[at]` and returns where they end
   */
  place(bytes: number, write: (chunk: Buffer, at: number) => number): void {
    this.#room(bytes);
    this.#at = write(this.#chunk, this.#at);
  }

  /** Adds bytes without a copy: they must not change until the taken buffers have been written. */
  reference(view: Buffer): void {
    this.#seal();
    this.#ready.push(view);
    this.#readyBytes += view.length;
  }

  /** All pending output, in order, for one `writev`. The buffers belong to the caller, see {@link recycle}. */
  take(): Buffer[] {
    this.#seal();
    const out = this.#ready;
    this.#ready = [];
    this.#taken += this.#readyBytes;
    this.#readyBytes = 0;
    return out;
  }

  /** All pending output as one buffer. */
  takeJoined(): Buffer {
    const parts = this.take();
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /**
   * Gives taken buffers back for reuse, once nothing reads them nor those taken before them any more. Referenced ones stay
   * their owner's.
   */
  recycle(buffers: readonly Buffer[]): void {
    for (const buffer of buffers) {
      const chunk = this.#full.get(buffer);
      if (chunk !== undefined) {
        this.#full.delete(buffer);
        if (this.#spare.length < 4) this.#spare.push(chunk);
      } else if (buffer === this.#piece && this.#at === this.#start) {
        // Nothing else is in the chunk: begin anew in memory that the processor has at hand.
        this.#piece = undefined;
        this.#start = 0;
        this.#at = 0;
      }
    }
  }

  #room(bytes: number): void {
    if (this.#chunk.length - this.#at >= bytes) return;
    this.#seal();
    if (this.#piece !== undefined && this.#chunk.length === this.chunkBytes) this.#full.set(this.#piece, this.#chunk);
    this.#piece = undefined;
    const fits = bytes <= this.chunkBytes;
    this.#chunk = (fits ? this.#spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(Math.max(bytes, this.chunkBytes));
    this.#start = 0;
    this.#at = 0;
  }

  #seal(): void {
    if (this.#at === this.#start) return;
    this.#piece = this.#chunk.subarray(this.#start, this.#at);
    this.#ready.push(this.#piece);
    this.#readyBytes += this.#at - this.#start;
    this.#start = this.#at;
  }
}
