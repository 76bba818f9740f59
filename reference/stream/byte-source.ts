const empty = Buffer.alloc(0);
/** Bytes of a buffer in which fields are put together. */
const leastJoint = 8192;

/**
 * The unread bytes of a connection. A field is read where it lies in the received chunk; only one that straddles chunks
 * is put together in a small buffer. Memory is bounded by the largest field plus the chunks that were pushed.
 *
 * After {@link finish}, reading beyond the last byte yields zeros and sets {@link pastEnd}, as a real destination's file
 * layer does; its checks notice later, which decides many error messages (stream-format.md §10).
 */
export class ByteSource {
  /**
   * The bytes at hand: `buffer[pos, end)`. Only valid until the next call of {@link available}. Other bytes always come
   * as another Buffer object.
   */
  buffer: Buffer = empty;
  pos = 0;
  end = 0;
  /** Something was read that the stream does not have. */
  pastEnd = false;
  #base: number;
  /** Offset at which the stream ended, once zeros were added behind it. */
  #paddedFrom = Number.POSITIVE_INFINITY;
  #finished = false;
  #queue: Buffer[] = [];
  #queueAt = 0;
  /** Made when it is first needed: many a connection never does. */
  #joint = empty;
  /** {@link buffer} is the beginning of the joint one. */
  #joined = false;

  constructor(baseOffset = 0) {
    this.#base = baseOffset;
  }

  /** Offset of the next unread byte in the stream. */
  get offset(): number {
    return this.#base + this.pos;
  }

  get finished(): boolean {
    return this.#finished;
  }

  /** True when no byte is left and none will come. */
  get exhausted(): boolean {
    return this.#finished && this.pos === this.end && this.#queue.length === 0;
  }

  push(chunk: Buffer): void {
    if (chunk.length > 0) this.#queue.push(chunk);
  }

  /** No more bytes will come. */
  finish(): void {
    this.#finished = true;
  }

  /** Copies what has been pushed and not read, so that the memory of the pushed chunks may be used for something else. */
  detach(): void {
    const left = this.waiting;
    if (left > 0) {
      if (!this.#joined || this.#queue.length > 0) this.#join(left);
      return;
    }
    this.#base += this.pos;
    this.buffer = empty;
    this.#joined = false;
    this.pos = 0;
    this.end = 0;
  }

  /** Makes the next `n` bytes contiguous in {@link buffer}; false if they have not come yet. */
  available(n: number): boolean {
    if (this.end - this.pos >= n) return true;
    if (this.pos === this.end && this.#queue.length > 0) this.#nextChunk();
    if (this.end - this.pos >= n) return true;
    return this.#join(n);
  }

  /** As {@link available}, but never invents bytes: false at the end of the stream too. */
  has(n: number): boolean {
    if (this.end - this.pos >= n) return true;
    return this.waiting >= n && this.available(n);
  }

  /** True if some of the next `n` bytes are not the stream's own. */
  lacks(n: number): boolean {
    return this.offset + n > this.#paddedFrom;
  }

  /** Bytes received and not read. */
  get waiting(): number {
    let sum = this.end - this.pos;
    for (let i = 0; i < this.#queue.length; i++) sum += this.#queue[i]!.length - (i === 0 ? this.#queueAt : 0);
    return sum;
  }

  u8(): number {
    return this.buffer[this.pos++]!;
  }

  be16(): number {
    const value = this.buffer.readUInt16BE(this.pos);
    this.pos += 2;
    return value;
  }

  be32(): number {
    const value = this.buffer.readUInt32BE(this.pos);
    this.pos += 4;
    return value;
  }

  /** As a number: exact below 2^53 and for multiples of 4096. */
  be64(): number {
    const value = this.buffer.readUInt32BE(this.pos) * 0x100000000 + this.buffer.readUInt32BE(this.pos + 4);
    this.pos += 8;
    return value;
  }

  bigBe64(): bigint {
    const value = this.buffer.readBigUInt64BE(this.pos);
    this.pos += 8;
    return value;
  }

  text(length: number): string {
    const value = this.buffer.toString('latin1', this.pos, this.pos + length);
    this.pos += length;
    return value;
  }

  /** All bytes received and not read, as one buffer; they count as read. */
  rest(): Buffer {
    const parts: Buffer[] = [Buffer.from(this.buffer.subarray(this.pos, this.end))];
    this.#queue.forEach((chunk, i) => {
      parts.push(i === 0 ? chunk.subarray(this.#queueAt) : chunk);
    });
    const rest = Buffer.concat(parts);
    this.#queue = [];
    this.#queueAt = 0;
    this.pos = this.end;
    return rest;
  }

  #nextChunk(): void {
    const chunk = this.#queue[0]!;
    this.#base += this.pos - this.#queueAt;
    this.buffer = chunk;
    this.#joined = false;
    this.pos = this.#queueAt;
    this.end = chunk.length;
    this.#queue.shift();
    this.#queueAt = 0;
  }

  #join(n: number): boolean {
    let have = this.end - this.pos;
    if (!this.#joined || this.pos + n > this.#joint.length) {
      const old = this.buffer;
      if (n > this.#joint.length) this.#joint = Buffer.allocUnsafeSlow(Math.max(n, leastJoint, this.#joint.length * 2));
      old.copy(this.#joint, 0, this.pos, this.end);
      this.#base += this.pos;
      this.#joined = true;
      this.pos = 0;
      this.end = have;
    }
    while (have < n && this.#queue.length > 0) {
      const chunk = this.#queue[0]!;
      const some = Math.min(n - have, chunk.length - this.#queueAt);
      chunk.copy(this.#joint, this.end, this.#queueAt, this.#queueAt + some);
      this.#queueAt += some;
      this.end += some;
      have += some;
      if (this.#queueAt === chunk.length) {
        this.#queue.shift();
        this.#queueAt = 0;
      }
    }
    if (have < n && this.#finished) {
      if (!this.pastEnd) this.#paddedFrom = this.#base + this.end;
      this.#joint.fill(0, this.end, this.pos + n);
      this.end = this.pos + n;
      this.pastEnd = true;
      have = n;
    }
    this.buffer = this.#joint.subarray(0, this.end);
    return have >= n;
  }
}
