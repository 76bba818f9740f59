import type { StreamRules } from '../dialects/stream.js';
import { uuidText } from '../stream/configuration-reader.js';
import { multifdMagic, multifdVersion, packetLayout } from './packet-layout.js';

/** First packet of a data channel (multifd.md §1). */
export interface InitialPacket {
  readonly id: number;
  /** 16 bytes in text order, zero when the source has none. */
  readonly uuid: Buffer;
}

export const noUuid = Buffer.alloc(16);

export function encodeInitialPacket(rules: StreamRules, packet: InitialPacket): Buffer {
  const bytes = Buffer.alloc(packetLayout(rules).initialBytes);
  bytes.writeUInt32BE(multifdMagic, 0);
  bytes.writeUInt32BE(multifdVersion, 4);
  packet.uuid.copy(bytes, 8, 0, 16);
  bytes[24] = packet.id;
  return bytes;
}

/**
 * Decodes and checks an initial packet.
 * @param order place of the channel in the order of connection, for the messages
 * @returns the packet, or the text with which it is refused
 */
export function decodeInitialPacket(
  bytes: Buffer,
  uuid: Buffer,
  channels: number,
  order: number,
): InitialPacket | string {
  const magic = bytes.readUInt32BE(0);
  if (magic !== multifdMagic) {
    return `multifd: received packet magic ${magic.toString(16)} expected ${multifdMagic.toString(16)}`;
  }
  const version = bytes.readUInt32BE(4);
  if (version !== multifdVersion) return `multifd: received packet version ${version} expected ${multifdVersion}`;
  const received = Buffer.from(bytes.subarray(8, 24));
  if (!received.equals(uuid)) {
    const [got, own] = [uuidText(received), uuidText(uuid)];
    return `multifd: received uuid '${got}' and expected uuid '${own}' for channel ${order}`;
  }
  const id = bytes[24]!;
  // Real monitors let an id one too large pass and crash.
  if (id >= channels) return `multifd: received channel id ${id} is greater than number of channels ${channels}`;
  return { id, uuid: received };
}
