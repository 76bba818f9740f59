import type { StreamRules } from '../dialects/stream.js';

export const multifdMagic = 0x11223344;
export const multifdVersion = 1;

/** Flags of a data packet (multifd.md §2). */
export const PacketFlag = { sync: 1, deviceState: 64 } as const;

/** How page data is compressed. */
export type MultifdCompression = 'none' | 'zlib' | 'zstd';

/** The method bits in the flags of a packet that carries pages. */
export const methodFlags: Readonly<Record<MultifdCompression, number>> = { none: 0, zlib: 1 << 1, zstd: 2 << 1 };

/** Where the fields of a dialect's packets lie; byte offsets (multifd.md §1, §2). */
export interface PacketLayout {
  readonly initialBytes: number;
  /** Offsets a packet has room for, unless the sender chose another number. */
  readonly defaultPages: number;
  /** The number can be chosen (`x-multifd-page-count`). */
  readonly adjustable: boolean;
  readonly packetNum: number;
  /** Absent where the dialect has no compression. */
  readonly nextPacketSize: number | undefined;
  /** Absent where zero pages go over the main channel. */
  readonly zeroPages: number | undefined;
  readonly blockName: number;
  readonly offsets: number;
  /** Bits of the flags that name the compression method. */
  readonly methodMask: number;
  /** Packets without pages announce no room for them. */
  readonly emptyHasNoRoom: boolean;
}

const layout72: PacketLayout = {
  initialBytes: 64,
  defaultPages: 128,
  adjustable: false,
  packetNum: 24,
  nextPacketSize: 20,
  zeroPages: undefined,
  blockName: 64,
  offsets: 320,
  methodMask: 0b1110,
  emptyHasNoRoom: false,
};

const layouts: Readonly<Record<StreamRules['multifd'], PacketLayout>> = {
  '3.0': {
    ...layout72,
    initialBytes: 25,
    defaultPages: 16,
    adjustable: true,
    packetNum: 20,
    nextPacketSize: undefined,
    blockName: 28,
    offsets: 284,
    methodMask: 0,
  },
  '7.2': layout72,
  '10.0': { ...layout72, zeroPages: 32, methodMask: 0b111110, emptyHasNoRoom: true },
};

/** Where what an initial packet has in reserve begins: behind the id of the channel (multifd.md §1). */
export const reserveOfGreeting = 25;

/** Where what a packet has in reserve begins: behind its last field before the name (multifd.md §2). */
export const reserveOfPackets = ({ zeroPages, packetNum }: PacketLayout): number =>
  zeroPages === undefined ? packetNum + 8 : zeroPages + 4;

/** The layout that a dialect speaks. */
export function packetLayout(rules: Pick<StreamRules, 'multifd'>): PacketLayout {
  return layouts[rules.multifd];
}

/** Bytes of a data packet without its page data. */
export function packetBytes(layout: PacketLayout, pagesPerPacket: number): number {
  return layout.offsets + 8 * pagesPerPacket;
}
