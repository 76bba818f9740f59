/** A named dirty bitmap of a drive: one bit for each granule of its bytes. */
export class NodeBitmap {
  readonly bits: Uint8Array;
  /** Changes of the drive are recorded. */
  recording = true;

  constructor(
    readonly name: string,
    /** Bytes that one bit stands for, a power of two. */
    readonly granularity: number,
    /** Bytes of the drive. */
    readonly size: number,
    readonly persistent = false,
  ) {
    this.bits = new Uint8Array(Math.ceil(this.granules / 8));
  }

  get granules(): number {
    return Math.ceil(this.size / this.granularity);
  }

  /** Bytes that are marked, in whole granules. */
  get count(): number {
    let set = 0;
    for (let granule = 0; granule < this.granules; granule++) if (this.has(granule)) set++;
    return set * this.granularity;
  }

  has(granule: number): boolean {
    return ((this.bits[granule >> 3]! >> (granule & 7)) & 1) === 1;
  }

  /** Marks what a write of these bytes touches. */
  mark(offset: number, length: number): void {
    if (length <= 0) return;
    const last = Math.min(Math.floor((offset + length - 1) / this.granularity), this.granules - 1);
    for (let granule = Math.floor(offset / this.granularity); granule <= last; granule++) {
      this.bits[granule >> 3]! |= 1 << (granule & 7);
    }
  }

  /** Takes bits as they came, from the byte of the drive at `offset` on, which is a multiple of eight granules. */
  load(offset: number, bits: Uint8Array): void {
    const at = Math.floor(offset / this.granularity / 8);
    const room = Math.max(0, this.bits.length - at);
    this.bits.set(bits.subarray(0, room), Math.min(at, this.bits.length));
  }
}
