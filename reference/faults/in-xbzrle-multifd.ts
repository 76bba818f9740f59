/** Deltas and data channels that are written wrong, and figures that are counted wrong. */

import type { Statistics } from '../migration/statistics.js';
import type { WireFaults } from '../migration/wire-faults.js';
import type { PacketWriter } from '../multifd/packet-writer.js';
import { inArea } from './fault.js';
import { instead } from './instead.js';

const fault = (title: string, rows: readonly string[], wire: WireFaults) => ({ title, rows, wire });

/** Shows another number than the one that was counted. */
function shown(statistics: Statistics, name: 'normal' | 'duplicate' | 'multifdBytes', change: (n: number) => number) {
  let real = statistics[name];
  Object.defineProperty(statistics, name, {
    configurable: true,
    get: () => change(real),
    set: (value: number) => {
      real += value - change(real);
    },
  });
}

export const xbzrleFaults = inArea('xbzrle', {
  'xbzrle-encoding-wrong': fault('marks deltas with another encoding', ['MIG-XBZ-REC-01'], {
    writer: (w) =>
      instead(w.ram, 'xbzrle', () => (block, offset, delta, length = delta.length) => {
        w.ram.forgetBlock();
        w.out.be64(offset + 0x40);
        w.out.str8(block.name);
        w.out.u8(2);
        w.out.be16(length);
        w.out.bytes(delta, 0, length);
        return 12 + block.name.length + length;
      }),
  }),
  'xbzrle-delta-damaged': fault('changes the last byte of deltas', ['MIG-XBZ-REC-01'], {
    writer: (w) =>
      instead(w.ram, 'xbzrle', (honest) => (block, offset, delta, length = delta.length) => {
        delta[length - 1] = (delta[length - 1] ?? 0) ^ 0xff;
        return honest(block, offset, delta, length);
      }),
  }),
  'xbzrle-delta-cut': fault('cuts the last byte of deltas', ['MIG-XBZ-REC-01'], {
    writer: (w) =>
      instead(
        w.ram,
        'xbzrle',
        (honest) =>
          (block, offset, delta, length = delta.length) =>
            honest(block, offset, delta, length - 1),
      ),
  }),
  'xbzrle-cache-blind': fault('never finds a page in its cache', ['MIG-XBZ-CACHE-01', 'MIG-XBZ-REC-01'], {
    xbzrle: (encoder) => instead(encoder.cache, 'lookup', () => () => -1),
  }),
  'xbzrle-zeroes-forgotten': fault('does not keep pages of zeros', ['MIG-XBZ-CACHE-02'], {
    xbzrle: (encoder) => instead(encoder, 'zeroPage', () => () => undefined),
  }),
  'xbzrle-unchanged-sent': fault('sends pages that have not changed', ['MIG-XBZ-REC-03'], {
    xbzrle: (encoder) =>
      instead(encoder, 'page', (honest) => (...args) => {
        const decision = honest(...args);
        return decision === 'unchanged' ? 'page' : decision;
      }),
  }),
  'xbzrle-misses-uncounted': fault('does not count cache misses', ['MIG-XBZ-STAT-01'], {
    xbzrle: (_, counters) => instead(counters, 'miss', () => () => undefined),
  }),
  'xbzrle-overflow-uncounted': fault('does not count deltas that do not fit', ['MIG-XBZ-STAT-02'], {
    xbzrle: (_, counters) => instead(counters, 'overflowed', () => () => undefined),
  }),
  'xbzrle-pages-twice': fault('counts delta records twice', ['MIG-XBZ-STAT-03'], {
    xbzrle: (_, counters) =>
      instead(counters, 'sent', (honest) => (bytes) => {
        counters.pages++;
        honest(bytes);
      }),
  }),
  'xbzrle-bytes-bare': fault('leaves the lengths out of the bytes of deltas', ['MIG-XBZ-STAT-03'], {
    xbzrle: (_, counters) => instead(counters, 'sent', (honest) => (bytes) => honest(bytes - 3)),
  }),
  'normal-pages-twice': fault('counts normal pages twice', ['MIG-XBZ-STAT-05', 'MIG-MFD-STAT-01'], {
    source: (_, statistics) => shown(statistics, 'normal', (n) => n * 2),
  }),
  'duplicate-uncounted': fault('does not count pages of zeros', ['MIG-XBZ-STAT-05', 'MIG-MFD-STAT-01'], {
    source: (_, statistics) => shown(statistics, 'duplicate', () => 0),
  }),
});

/** Changes the header of each packet with pages. */
const headed = (change: (header: Buffer, writer: PacketWriter) => void): WireFaults => ({
  packets: (writer) =>
    instead(writer, 'pages', (honest) => async (...args) => {
      const buffers = await honest(...args);
      const [header] = buffers;
      if (header !== undefined) change(header, writer);
      return buffers;
    }),
});
const greeted = (change: (packet: Buffer) => void): WireFaults => ({
  packets: (writer) =>
    instead(writer, 'initial', (honest) => () => {
      const packet = honest();
      change(packet);
      return packet;
    }),
});

/** Numbers packets in another way. */
const numbered = (change: (num: number) => number): WireFaults => ({
  packets: (writer) => {
    instead(writer, 'sync', (honest) => (num, flags) => honest(change(num), flags));
    instead(writer, 'pages', (honest) => (pages, num, flags) => honest(pages, change(num), flags));
  },
});

export const multifdFaults = inArea('multifd', {
  'multifd-ids-alike': fault(
    'gives every data channel the id 0',
    ['MIG-MFD-INIT-01'],
    greeted((packet) => packet.fill(0, 24, 25)),
  ),
  'multifd-greeting-wrong': fault(
    'begins data channels with another magic',
    ['MIG-MFD-INIT-01'],
    greeted((packet) => packet.writeUInt32BE(0x11223345, 0)),
  ),
  'multifd-uuid-lost': fault(
    'sends no UUID over data channels',
    ['MIG-MFD-INIT-02'],
    greeted((packet) => packet.fill(0, 8, 24)),
  ),
  'multifd-greeting-unclean': {
    ...fault(
      'leaves what lay in memory in what the greetings of data channels have in reserve',
      ['MIG-MFD-INIT-03'],
      greeted((packet) => packet.fill(0x5a, 25)),
    ),
    dialect: '7.2',
  },
  'multifd-numbers-from-one': fault(
    'numbers packets from 1 on',
    ['MIG-MFD-PKT-07'],
    numbered((num) => num + 1),
  ),
  'multifd-numbers-alike': fault(
    'gives every packet the number 0',
    ['MIG-MFD-PKT-07'],
    numbered(() => 0),
  ),
  'multifd-names-unclean': fault(
    'leaves what lay in memory behind the names of blocks in packets',
    ['MIG-MFD-PKT-08'],
    headed((header, { layout }) => header.writeUInt8(0x5a, layout.offsets - 1)),
  ),
  'multifd-reserve-unclean': {
    ...fault(
      'leaves what lay in memory in what packets have in reserve',
      ['MIG-MFD-PKT-08'],
      headed((header, { layout }) => header.fill(0x5a, layout.blockName - 4, layout.blockName)),
    ),
    dialect: '7.2',
  },
  'multifd-empty-unclean': {
    ...fault('leaves what lay in memory in packets without pages', ['MIG-MFD-PKT-08'], {
      packets: (writer) =>
        instead(writer, 'sync', (honest) => (...args) => {
          const header = honest(...args);
          header.writeUInt8(0x5a, writer.layout.offsets);
          return header;
        }),
    }),
    dialect: '10.0',
  },
  'multifd-sync-lost': fault('synchronises without the flag', ['MIG-MFD-SYNC-01'], {
    packets: (writer) => instead(writer, 'sync', (honest) => (num) => honest(num, 0)),
  }),
  'multifd-sync-twice': fault('sets the flag of a synchronisation in packets with pages, too', ['MIG-MFD-SYNC-01'], {
    ...headed((header) => header.writeUInt32BE(header.readUInt32BE(8) | 1, 8)),
  }),
  'multifd-page-lost': fault('leaves the first page of packets out', ['MIG-MFD-PKT-01', 'MIG-MFD-PKT-02'], {
    packets: (writer) =>
      instead(
        writer,
        'pages',
        (honest) =>
          (pages, ...rest) =>
            honest({ ...pages, offsets: pages.offsets.slice(1) }, ...rest),
      ),
  }),
  'multifd-offset-wrong': fault(
    'gives the first page of packets another place',
    ['MIG-MFD-PKT-01', 'MIG-MFD-PKT-02'],
    headed((header, { layout }) => header.writeBigUInt64BE(0x800000n, layout.offsets)),
  ),
  'multifd-room-wrong': fault(
    'announces other room in packets than agreed',
    ['MIG-MFD-PKT-04'],
    headed((header) => header.writeUInt32BE(header.readUInt32BE(12) - 1, 12)),
  ),
  'multifd-flags-wrong': fault(
    'sets flags that there are not in packets',
    ['MIG-MFD-FLAG-01'],
    headed((header) => header.writeUInt32BE(0x40000000, 8)),
  ),
  'multifd-bytes-uncounted': fault('shows no bytes of data channels', ['MIG-MFD-STAT-02'], {
    source: (_, statistics) => shown(statistics, 'multifdBytes', () => 0),
  }),
});
