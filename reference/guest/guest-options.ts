/** What a synthetic guest writes into a page. */
export const guestPatterns = ['counter', 'scatter', 'noise', 'zero'] as const;
/**
 * - `counter`: eight bytes of one page after the other, so that pages come back as small deltas
 * - `scatter`: sixteen bytes anywhere in a page that is chosen at random
 * - `noise`: a whole page of random bytes, which no delta and no compression makes smaller
 * - `zero`: as `counter`, but every second round empties the page
 */
export type GuestPattern = (typeof guestPatterns)[number];

export interface GuestOptions {
  /** Pages written a second while the guest runs at full speed. */
  readonly rate: number;
  /** Pages that it writes to, in order of addresses; all of RAM if absent. */
  readonly pages?: number;
  /** Guest physical address of the first of them, a multiple of the page size; default 0. */
  readonly from?: number;
  readonly pattern: GuestPattern;
}
