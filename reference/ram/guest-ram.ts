/** Guest RAM as blocks of target pages, with a dirty log. */

import { DirtyBitmap } from './dirty-bitmap.js';
import { createRamMemory, type RamMemory } from './ram-memory.js';

/** Target page size of x86-64, in bytes. */
export const pageSize = 4096;

export interface RamBlock {
  /** Name on the wire, for example `ram`; at most 255 bytes. */
  readonly name: string;
  /** Used length in bytes, a multiple of {@link pageSize}. */
  readonly bytes: Buffer;
  /** Address of the block's first byte in the flat RAM address space of this side (XBZRLE cache keys). */
  readonly base: number;
  /** Position in {@link GuestRam.blocks}. */
  readonly index: number;
  /**
   * Pages written since the migration bitmap last took them; written by {@link GuestRam.markDirty}, emptied by
   * `MigrationBitmap.sync`.
   */
  readonly dirtyLog: DirtyBitmap;
}

/** What the engines, `pmemsave` and the synthetic guest share. */
export interface GuestRam {
  readonly blocks: readonly RamBlock[];
  /** Sum of the used lengths, in bytes. */
  readonly total: number;
  /** What holds all blocks, each at its `base`; undefined where they are buffers of their own. */
  readonly memory: RamMemory | undefined;
  block(name: string): RamBlock | undefined;
  /** While false, {@link markDirty} does nothing: nobody would harvest the log. */
  logging: boolean;
  /** Records that `length` bytes at `offset` of the block were written. Ranges outside the block throw RangeError. */
  markDirty(block: RamBlock, offset: number, length: number): void;
  /** Copies `data` into the block and records the write. */
  write(block: RamBlock, offset: number, data: Uint8Array): void;
  /**
   * Gives up all blocks for others, zero-filled and in buffers of their own: another machine's RAM. Nobody may hold on to
   * the old ones. @throws RangeError as {@link createGuestRam}
   */
  become(specs: readonly RamBlockSpec[]): void;
}

export interface RamBlockSpec {
  readonly name: string;
  /** Bytes, a positive multiple of {@link pageSize}. */
  readonly size: number;
}

/**
 * Makes zero-filled guest RAM. Blocks lie behind each other in the flat address space, in the given order.
 * @param createMemory makes the memory that holds them, or none
 * @param createBytes makes the bytes of a block where there is none; they must be zeros
 * @throws RangeError for a size that is no positive multiple of a page, a name that the wire cannot carry, or a name
 * used twice.
 */
export function createGuestRam(
  specs: readonly RamBlockSpec[],
  createMemory: (total: number) => RamMemory | undefined = createRamMemory,
  createBytes: (size: number) => Buffer = (size) => Buffer.alloc(size),
): GuestRam {
  return new Ram(layOut(specs, createMemory, createBytes));
}

/** A class: an object with accessors of its own has a shape of its own, which everything that looks at it must learn anew. */
class Ram implements GuestRam {
  logging = false;

  constructor(private layout: Layout) {}

  get blocks(): readonly RamBlock[] {
    return this.layout.blocks;
  }

  get total(): number {
    return this.layout.total;
  }

  get memory(): RamMemory | undefined {
    return this.layout.memory;
  }

  block(name: string): RamBlock | undefined {
    return this.layout.byName.get(name);
  }

  become(specs: readonly RamBlockSpec[]): void {
    this.layout = layOut(
      specs,
      () => undefined,
      (size) => Buffer.alloc(size),
    );
  }

  markDirty(block: RamBlock, offset: number, length: number): void {
    if (!this.logging || length === 0) return;
    if (offset < 0 || length < 0 || offset + length > block.bytes.length) {
      throw new RangeError(`write of ${length} bytes at ${offset} is outside RAM block '${block.name}'`);
    }
    const first = Math.floor(offset / pageSize);
    const last = Math.floor((offset + length - 1) / pageSize);
    if (first === last) block.dirtyLog.set(first);
    else block.dirtyLog.setRange(first, last + 1);
  }

  write(block: RamBlock, offset: number, data: Uint8Array): void {
    if (offset < 0 || offset + data.length > block.bytes.length) {
      throw new RangeError(`write of ${data.length} bytes at ${offset} is outside RAM block '${block.name}'`);
    }
    block.bytes.set(data, offset);
    this.markDirty(block, offset, data.length);
  }
}

interface Layout {
  readonly blocks: readonly RamBlock[];
  readonly byName: ReadonlyMap<string, RamBlock>;
  readonly total: number;
  readonly memory: RamMemory | undefined;
}

function layOut(
  specs: readonly RamBlockSpec[],
  createMemory: (total: number) => RamMemory | undefined,
  createBytes: (size: number) => Buffer,
): Layout {
  for (const { name, size } of specs) checkSpec(name, size);
  const total = specs.reduce((sum, { size }) => sum + size, 0);
  const memory = createMemory(total);
  const byName = new Map<string, RamBlock>();
  let base = 0;
  for (const { name, size } of specs) {
    if (byName.has(name)) throw new RangeError(`RAM block '${name}' is given twice`);
    const bytes = memory?.bytes.subarray(base, base + size) ?? createBytes(size);
    byName.set(name, { name, bytes, base, index: byName.size, dirtyLog: new DirtyBitmap(size / pageSize) });
    base += size;
  }
  return { blocks: [...byName.values()], byName, total, memory };
}

function checkSpec(name: string, size: number): void {
  const nameLength = Buffer.byteLength(name);
  if (nameLength === 0 || nameLength > 255) throw new RangeError(`RAM block name '${name}' must have 1 to 255 bytes`);
  if (!Number.isSafeInteger(size) || size <= 0 || size % pageSize !== 0) {
    throw new RangeError(`size ${size} of RAM block '${name}' is not a positive multiple of ${pageSize}`);
  }
}
