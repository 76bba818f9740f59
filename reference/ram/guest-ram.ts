/** Guest RAM as blocks of target pages, with a dirty log. */

/** Target page size of x86-64, in bytes. */
export const pageSize = 4096;

export interface RamBlock {
  /** Name on the wire, for example `ram`; at most 255 bytes. */
  readonly name: string;
  /** Used length in bytes, a multiple of {@link pageSize}. */
  readonly bytes: Buffer;
  /** Address of the block's first byte in the flat RAM address space of this side (XBZRLE cache keys). */
  readonly base: number;
}

/** What the engines, `pmemsave` and the synthetic guest share. */
export interface GuestRam {
  readonly blocks: readonly RamBlock[];
  /** Sum of the used lengths, in bytes. */
  readonly total: number;
  block(name: string): RamBlock | undefined;
}
