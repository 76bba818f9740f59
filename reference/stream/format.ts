/** The numbers of the migration stream (stream-format.md §2–§5). */

export const streamMagic = 0x5145564d;
export const streamVersion = 3;

export const SectionType = {
  eof: 0x00,
  start: 0x01,
  part: 0x02,
  end: 0x03,
  full: 0x04,
  subsection: 0x05,
  vmdescription: 0x06,
  configuration: 0x07,
  command: 0x08,
  footer: 0x7e,
} as const;

/** Types of the sections with a body. */
export type BodySectionType =
  | typeof SectionType.start
  | typeof SectionType.part
  | typeof SectionType.end
  | typeof SectionType.full;

/** Flags in the low 12 bits of a record header of the `ram` section. */
export const RamFlag = {
  full: 0x001,
  zero: 0x002,
  memSize: 0x004,
  page: 0x008,
  eos: 0x010,
  continue: 0x020,
  xbzrle: 0x040,
  hook: 0x080,
  compressed: 0x100,
  flush: 0x200,
} as const;

/** What a page record is: the flag that names it. */
export type PageKind = typeof RamFlag.zero | typeof RamFlag.page | typeof RamFlag.xbzrle | typeof RamFlag.compressed;

/** Version of the `ram` section. */
export const ramSectionVersion = 4;

/** States of the receiver's side of postcopy, numbered as messages show them (stream-format.md §9.2). */
export const PostcopyState = { none: 0, advise: 1, discard: 2, listening: 3, running: 4, end: 5 } as const;
export type PostcopyStateNumber = (typeof PostcopyState)[keyof typeof PostcopyState];

/** Most ranges in one discard command of a real source. */
export const discardRangesPerCommand = 12;

/** End mark of a received-page bitmap on the return path. */
export const bitmapEndMark = 0x0123456789abcdefn;
