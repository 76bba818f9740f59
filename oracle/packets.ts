/** What every source does with the packets of data channels, and no receiver looks at (multifd.md §1, §2). */
import type { PacketInfo } from '../reference/multifd/channel-reader.js';
import { type PacketLayout, reserveOfGreeting, reserveOfPackets } from '../reference/multifd/packet-layout.js';

/** Where the fields of a packet begin that say what is in it: behind magic, version and flags. */
const fieldsOfPackets = 12;

/** What is not zero of where all should be. */
const unclean = (bytes: Buffer): Buffer | undefined => (bytes.some(Boolean) ? Buffer.from(bytes) : undefined);

/** What an initial packet has in reserve, where that is not zero. @param bytes of the channel from its begin */
export const greetingReserve = (bytes: Buffer, layout: PacketLayout): Buffer | undefined =>
  unclean(bytes.subarray(reserveOfGreeting, layout.initialBytes));

/** What a packet has in reserve, where that is not zero. @param header its bytes */
export const packetReserve = (header: Buffer, layout: PacketLayout): Buffer | undefined =>
  unclean(header.subarray(reserveOfPackets(layout), layout.blockName));

/**
 * What follows the name of its block in a packet with pages, where that is not zero. Without pages, the field may be as it was
 * in the packet before.
 */
export const behindName = (
  { pages, zeroPages, block }: PacketInfo,
  header: Buffer,
  { blockName, offsets }: PacketLayout,
): Buffer | undefined =>
  pages + zeroPages === 0 ? undefined : unclean(header.subarray(blockName + block.length, offsets));

/**
 * What a packet without pages has beyond its flags and its number, where no source leaves that: later ones leave nothing, earlier
 * ones what stood in the packet before it on the same channel.
 * @param before header of that packet; absent: none came
 */
export function leftInEmpty(
  { pages, zeroPages }: PacketInfo,
  header: Buffer,
  layout: PacketLayout,
  before: Buffer | undefined,
): string | undefined {
  const { blockName, emptyHasNoRoom, nextPacketSize, packetNum } = layout;
  if (pages + zeroPages > 0 || nextPacketSize === undefined) return undefined;
  const rest = header.subarray(emptyHasNoRoom ? packetNum + 8 : blockName);
  if (emptyHasNoRoom) {
    const left = unclean(header.subarray(fieldsOfPackets, packetNum)) ?? unclean(rest);
    return left === undefined ? undefined : `${left.toString('hex', 0, 40)} where all is zero`;
  }
  const size = header.readUInt32BE(nextPacketSize);
  const former = before?.readUInt32BE(nextPacketSize) ?? 0;
  if (size !== 0 && size !== former) return `next_packet_size ${size}, neither 0 nor ${former} as before`;
  const same = before?.subarray(blockName).equals(rest) ?? false;
  return same || unclean(rest) === undefined ? undefined : 'another block and other offsets than the packet before it';
}

/**
 * What is wrong with the numbers of the packets of one migration: they count from 0 on over all channels, in order on each.
 * @param channels the numbers on each, as they came
 */
export function numbersWrong(channels: readonly (readonly number[])[], layout: PacketLayout): string | undefined {
  if (channels.some((numbers) => numbers.some((number, i) => number < (numbers[i - 1] ?? 0))))
    return 'a packet has a number below that of the one before it';
  const all = channels.flat().sort((a, b) => a - b);
  if (all.length === 0) return undefined;
  const [first, last] = [all[0], all.at(-1)];
  if (first !== 0 || last !== all.length - 1) return `${all.length} packets have the numbers ${first} to ${last}`;
  // Where a packet gets its number as the work is handed out, that of a SYNC may come to stand in place of another.
  const own = layout.zeroPages !== undefined;
  return own && new Set(all).size !== all.length ? 'two packets have the same number' : undefined;
}
