/** multifd.md §1 to §4, §7: the data channels of a source. */

import { behindName, greetingReserve, leftInEmpty, numbersWrong, packetReserve } from '../../oracle/packets.js';
import type { JsonObject } from '../../protocol/json.js';
import { packetBytes, packetLayout } from '../../reference/multifd/packet-layout.js';
import { ChapterBuilder } from '../requirement.js';
import { captureNeeds, ramBytes } from '../stream-format/capture.js';
import { mixedPages, mixedRam } from '../stream-format/image.js';
import { captureChannels, pageSize, type RecordedChannel, unlessMethod, unlessMultifd } from './channels.js';

const zero = Buffer.alloc(pageSize);
/** Pages of the image that are not zero. */
const filled = (): number[] => {
  const ram = mixedRam();
  const pages = Array.from({ length: mixedPages }, (_, page) => page);
  return pages.filter((page) => zero.compare(ram, page * pageSize, (page + 1) * pageSize) !== 0);
};
const methods = { zlib: 'MIG-MFD-ZIP-01.zlib', zstd: 'MIG-MFD-ZIP-01.zstd' } as const;

const SYNC = 1;
/** Offsets of the pages that two packets in a row have in common, where one of them has a SYNC (the first, if that came early). */
function sentAgain({ packets, offsets }: RecordedChannel): number[] {
  let at = 0;
  let before: { readonly own: readonly number[]; readonly synced: boolean } = { own: [], synced: false };
  return packets.flatMap(({ flags, pages }) => {
    const own = offsets.slice(at, at + pages);
    at += pages;
    const synced = (flags & SYNC) !== 0;
    const same = (synced || before.synced) && own.length > 0 && own.join() === before.own.join();
    before = { own, synced };
    return same ? own : [];
  });
}

const builder = new ChapterBuilder(['Multifd', '1 Source'], 'multifd.md §1 to §4', {
  ...captureNeeds,
  unless: unlessMultifd,
})
  .must('MIG-MFD-CONN-01', 'a source opens as many data channels as it was told to, beside the stream', async (t) => {
    for (const channels of [1, 2, 4]) {
      const { channels: data } = await captureChannels(t, { channels });
      t.same(data.length, channels, 'data channels');
    }
  })
  .must('MIG-MFD-INIT-01', 'each data channel begins with its initial packet, ids from 0 on', async (t) => {
    const { channels } = await captureChannels(t, { channels: 3 });
    const ids = channels.map(({ initial }) => initial?.id ?? -1).sort();
    t.same(ids.join(' '), '0 1 2', 'ids');
    for (const { bytes } of channels) t.same(bytes.toString('hex', 0, 8), '1122334400000001', 'magic and version');
  })
  .must('MIG-MFD-INIT-02', 'the initial packet carries the UUID of the machine, zeros when it has none', async (t) => {
    const { channels } = await captureChannels(t, {});
    for (const { initial } of channels)
      t.same(initial?.uuid.toString('hex'), '0'.repeat(32), 'UUID of a machine without');
    const uuid = '12345678-9abc-4def-8123-456789abcdef';
    const other = await captureChannels(t, {}, { start: { extra: ['-uuid', uuid] } });
    for (const { initial } of other.channels) t.same(initial?.uuid.toString('hex'), uuid.replaceAll('-', ''), 'UUID');
  })
  .must('MIG-MFD-INIT-03', 'what an initial packet has in reserve is zero', async (t) => {
    const { channels } = await captureChannels(t);
    t.check(channels.length > 0, 'data channels', 'none');
    for (const { bytes } of channels) {
      const spare = greetingReserve(bytes, packetLayout(t.dialect.stream));
      if (spare !== undefined) t.knownDefect('MIG-DEF-52', 'zeros behind the id of the channel', spare.toString('hex'));
    }
  })
  .must('MIG-MFD-PKT-01', 'the channels and the stream together carry the RAM', async (t) => {
    const { one, main } = await captureChannels(t);
    one.carries(main);
  })
  .must(
    'MIG-MFD-PKT-02',
    'pages that are not zero go over the data channels, each once, and none over the stream',
    async (t) => {
      const { main, channels } = await captureChannels(t);
      const again = channels.flatMap(sentAgain);
      if (again.length > 0) t.knownDefect('MIG-DEF-45', 'each page once', `${again.length} pages again with a SYNC`);
      const all = channels.flatMap(({ offsets }) => offsets);
      for (const offset of again) all.splice(all.indexOf(offset), 1);
      const sent = all.map((offset) => offset / pageSize);
      t.same(sent.sort((a, b) => a - b).join(' '), filled().join(' '), 'pages on the data channels');
      const beside = main.pages.filter(({ kind }) => kind !== 0x002);
      t.same(beside.length, 0, 'records with a page on the main channel');
    },
  )
  .must('MIG-MFD-PKT-03', 'zero pages are ZERO records, or listed in packets where the release does so', async (t) => {
    const { main, channels } = await captureChannels(t);
    const listed = channels.flatMap(({ zeroes }) => zeroes).length;
    const records = main.pages.length;
    const all = ramBytes / pageSize - filled().length;
    if (packetLayout(t.dialect.stream).zeroPages === undefined) t.same(records, all, 'ZERO records');
    else {
      t.same(listed, all, 'zero pages in packets');
      t.same(records, 0, 'records on the main channel');
    }
  })
  .must('MIG-MFD-PKT-04', 'packets have their fixed length and room', async (t) => {
    const { channels } = await captureChannels(t);
    const layout = packetLayout(t.dialect.stream);
    const size = packetBytes(layout, layout.defaultPages);
    for (const { packets, bytes } of channels) {
      const data = packets.reduce((sum, packet) => sum + size + packet.dataBytes, layout.initialBytes);
      t.same(data, bytes.length, 'bytes of all packets');
      for (const { room, pages, zeroPages } of packets) {
        const due = pages + zeroPages === 0 && layout.emptyHasNoRoom ? 0 : layout.defaultPages;
        t.same(room, due, 'room of a packet');
      }
    }
  })
  .must('MIG-MFD-PKT-05', 'the data of a packet are announced where there is a field for it', async (t) => {
    const { channels } = await captureChannels(t);
    const layout = packetLayout(t.dialect.stream);
    if (layout.nextPacketSize === undefined) return t.check(true, 'no such field', 'no such field');
    for (const { packets, bytes } of channels) {
      for (const { offset, pages } of packets) {
        if (pages > 0) t.same(bytes.readUInt32BE(offset + layout.nextPacketSize), pages * pageSize, 'next_packet_size');
      }
    }
    t.check(
      channels.some(({ packets }) => packets.some(({ pages }) => pages > 0)),
      'packets with pages',
      'none',
    );
  })
  .must(
    'MIG-MFD-PKT-06',
    'x-multifd-page-count sets how many pages a packet has',
    async (t) => {
      const { one, main, channels } = await captureChannels(t, { parameters: { 'x-multifd-page-count': 4 } });
      for (const { packets } of channels) for (const { room } of packets) t.same(room, 4, 'room of a packet');
      const most = Math.max(...channels.flatMap(({ packets }) => packets.map(({ pages }) => pages)));
      t.same(most, 4, 'most pages in a packet');
      one.carries(main);
    },
    { needs: { parameters: ['x-multifd-page-count'] } },
  )
  .must('MIG-MFD-PKT-07', 'the packets of all channels together are numbered from 0 on', async (t) => {
    const { channels } = await captureChannels(t);
    const numbers = channels.map(({ packets }) => packets.map(({ packetNum }) => packetNum));
    t.check(numbers.flat().length > 0, 'packets', 'none');
    const wrong = numbersWrong(numbers, packetLayout(t.dialect.stream));
    t.check(wrong === undefined, 'numbers from 0 on, in order on each channel', wrong ?? 'these');
  })
  .must(
    'MIG-MFD-PKT-08',
    'what a packet has in reserve is zero, and so is what follows the name in its field',
    async (t) => {
      const { channels } = await captureChannels(t);
      const layout = packetLayout(t.dialect.stream);
      let named = 0;
      for (const { packets, bytes } of channels) {
        for (const packet of packets) {
          const header = bytes.subarray(packet.offset, packet.offset + layout.offsets);
          const reserve = packetReserve(header, layout);
          t.check(reserve === undefined, 'zeros in reserve', reserve?.toString('hex') ?? 'zeros');
          const rest = behindName(packet, header, layout);
          t.check(rest === undefined, 'zeros behind the name of the block', rest?.toString('hex') ?? 'zeros');
          if (packet.pages + packet.zeroPages > 0) named++;
        }
      }
      t.check(named > 0, 'packets with pages', 'none');
    },
  )
  .must(
    'MIG-MFD-PKT-08.empty',
    'a packet without pages has nothing in it, or what the packet before it had',
    async (t) => {
      const { channels } = await captureChannels(t);
      const layout = packetLayout(t.dialect.stream);
      const length = packetBytes(layout, layout.defaultPages);
      let empty = 0;
      for (const { packets, bytes } of channels) {
        let before: Buffer | undefined;
        for (const packet of packets) {
          const header = bytes.subarray(packet.offset, packet.offset + length);
          const left = leftInEmpty(packet, header, layout, before);
          t.check(left === undefined, 'nothing, or what was there before', left ?? 'nothing');
          if (packet.pages + packet.zeroPages === 0) empty++;
          before = header;
        }
      }
      t.check(empty > 0, 'packets without pages', 'none');
    },
    {
      needs: {
        unless: ({ dialect }) =>
          packetLayout(dialect.stream).nextPacketSize === undefined ? 'what is not used is not defined' : undefined,
      },
    },
  )
  .must('MIG-MFD-SYNC-01', 'each channel is synchronised as often as the main channel says', async (t) => {
    const { main, channels } = await captureChannels(t);
    const { flushRecords, lastSyncFlushes } = t.dialect.stream;
    const due = flushRecords ? main.flushes + (lastSyncFlushes ? 0 : 1) : main.eos;
    for (const { syncs } of channels) t.same(syncs, due, 'SYNC packets');
    t.check(due >= 2, 'at least two', `${due}`);
  })
  .must('MIG-MFD-FLAG-01', 'packets have no flags but SYNC while nothing is compressed', async (t) => {
    const { channels } = await captureChannels(t);
    for (const { packets } of channels) {
      for (const { flags } of packets) t.check((flags & ~1) === 0, 'flags 0 or 1', `${flags}`);
    }
    t.check(
      channels.every(({ packets }) => packets.length > 0),
      'packets on every channel',
      'none on one',
    );
  })
  .must(
    'MIG-MFD-STAT-01',
    'normal counts the pages that went over the channels, duplicate the zero pages',
    async (t) => {
      const { one } = await captureChannels(t);
      const ram = one.info.ram as JsonObject;
      t.same(ram.normal, filled().length, 'normal');
      t.same(ram.duplicate, ramBytes / pageSize - filled().length, 'duplicate');
    },
  )
  .must('MIG-MFD-STAT-02', 'multifd-bytes counts what the release counts', async (t) => {
    const { one, channels } = await captureChannels(t);
    const ram = one.info.ram as JsonObject;
    const layout = packetLayout(t.dialect.stream);
    const size = packetBytes(layout, layout.defaultPages);
    const packets = channels.flatMap((channel) => channel.packets);
    const again = channels.flatMap(sentAgain).length;
    const data = packets.reduce((sum, { pages }) => sum + pages * pageSize, -again * pageSize);
    const withPages = packets.filter(({ pages, zeroPages }) => pages + zeroPages > 0).length;
    const counted = {
      pages: withPages * size + data,
      packets: packets.length * size + data,
      all: channels.reduce((sum, { bytes }) => sum + bytes.length, 0),
    }[t.dialect.stream.multifdBytes];
    t.same(ram['multifd-bytes'], counted, 'multifd-bytes');
  });

for (const method of ['zlib', 'zstd'] as const) {
  builder.must(
    methods[method],
    `with ${method} each channel is one ${method} stream, flushed at the end of each packet`,
    async (t) => {
      const { one, main, channels } = await captureChannels(t, { method });
      one.carries(main);
      const flag = method === 'zlib' ? 2 : 4;
      for (const { packets } of channels) {
        for (const { pages, flags } of packets) if (pages > 0) t.same(flags & 0b1110, flag, 'method bits');
      }
      t.check(
        channels.some(({ offsets }) => offsets.length > 0),
        'pages',
        'none',
      );
    },
    { needs: { unless: unlessMethod(method) } },
  );
}

export const multifdSource = builder.done();
