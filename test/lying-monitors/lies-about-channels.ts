/** Data channels of multifd of which nothing but what no receiver looks at is wrong. */
import type { Lie, StreamChange } from './lie.js';

const initialBytes = 64;
const headerBytes = 1344;
const pageBytes = 4096;

/** Changes the initial packet and the headers of the packets of each data channel, uncompressed, as releases from 4.0 on write them. */
const channel =
  (change: {
    readonly initial?: (packet: Buffer) => void;
    readonly header?: (packet: Buffer, pages: number) => void;
  }) =>
  (): StreamChange => {
    let held = Buffer.alloc(0);
    let begun = false;
    let plain = false;
    let data = 0;
    return (chunk) => {
      if (plain) return chunk;
      held = Buffer.concat([held, chunk]);
      const out: Buffer[] = [];
      const take = (length: number) => {
        const piece = Buffer.from(held.subarray(0, length));
        held = held.subarray(length);
        out.push(piece);
        return piece;
      };
      for (;;) {
        if (data > 0 && held.length > 0) data -= take(data).length;
        else if (!begun && held.length >= 4 && held.readUInt32BE(0) !== 0x11223344) {
          plain = true;
          take(held.length);
          break;
        } else if (!begun && held.length >= initialBytes) {
          begun = true;
          change.initial?.(take(initialBytes));
        } else if (begun && data === 0 && held.length >= headerBytes) {
          const header = take(headerBytes);
          const pages = header.readUInt32BE(16);
          data = pages * pageBytes;
          change.header?.(header, pages);
        } else break;
      }
      return Buffer.concat(out);
    };
  };

export const aboutChannels = {
  'channel-greeting-unclean': {
    says: 'leaves what lay in memory in what the greeting of a data channel has in reserve',
    stream: channel({ initial: (packet) => packet.fill(0x5a, 60) }),
  },
  'packets-all-numbered-zero': {
    says: 'gives every packet of a data channel the number 0',
    stream: channel({ header: (packet) => packet.fill(0, 24, 32) }),
  },
  'packet-numbers-far-off': {
    says: 'begins the numbers of packets at 256',
    stream: channel({ header: (packet) => packet.writeUInt8(packet.readUInt8(30) + 1, 30) }),
  },
  'packet-reserve-unclean': {
    says: 'leaves what lay in memory in what a packet has in reserve',
    stream: channel({ header: (packet) => packet.fill(0x5a, 60, 64) }),
  },
  'packet-names-unclean': {
    says: 'leaves what lay in memory behind the name of the block of a packet',
    stream: channel({ header: (packet, pages) => pages > 0 && packet.fill(0x5a, 300, 310) }),
  },
} satisfies Record<string, Lie>;
