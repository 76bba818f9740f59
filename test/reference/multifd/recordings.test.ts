import { expect } from 'chai';
import { streamRules } from '../../../reference/dialects/stream.js';
import type { PacketInfo } from '../../../reference/multifd/channel-reader.js';
import { MultifdReceiver } from '../../../reference/multifd/multifd-receiver.js';
import { createGuestRam, type GuestRam } from '../../../reference/ram/guest-ram.js';
import { StreamReader } from '../../../reference/stream/stream-reader.js';
import {
  fragments,
  Loading,
  optionsOf,
  type Recording,
  recordings,
  seeded,
  sha256,
  vector,
} from '../stream/recordings.js';

interface Replay {
  readonly ram: GuestRam;
  readonly packets: readonly (PacketInfo & { readonly channel: number })[];
  readonly loading: Loading;
  /** Sync records of the main channel. */
  readonly syncs: number;
}

/** Replays a recording offline: the main channel up to a sync record, then every channel up to its SYNC packet. */
async function replay(entry: Recording, split: (bytes: Buffer) => Iterable<Buffer>): Promise<Replay> {
  const main = vector(entry.file);
  const ram = createGuestRam([{ name: 'ram', size: 1024 * 1024 }]);
  const block = ram.blocks[0]!;
  const packets: (PacketInfo & { channel: number })[] = [];
  const receiver = new MultifdReceiver({
    rules: streamRules[entry.dialect!],
    channels: entry.channels!.length,
    anyUuid: true,
    block: (name) => (name === 'ram' ? { name, length: block.bytes.length } : undefined),
    ...(entry.mf_comp === undefined ? {} : { compression: entry.mf_comp }),
    ...(entry.mf_pages === undefined ? {} : { pagesPerPacket: entry.mf_pages }),
    packet: (channel, packet) => packets.push({ channel, ...packet }),
    sink: {
      pages: (_block, offset, bytes, start, count) => bytes.copy(block.bytes, offset, start, start + count * 4096),
      zeroPage: () => undefined,
    },
  });
  for (const file of entry.channels!) expect(receiver.add(split(vector(file)))).to.equal(true);
  await receiver.ready();

  const loading = new Loading();
  const syncs: Promise<void>[] = [];
  const flushes = streamRules[entry.dialect!].flushRecords;
  const wait = (): void => {
    reader.pause();
    syncs.push(receiver.sync().then(() => reader.resume()));
  };
  const reader: StreamReader = new StreamReader(optionsOf(entry, main), {
    ramSetupBlock: (setup) => loading.ramSetupBlock(setup),
    // Zero pages go over the main channel and must be put in order with the channels' pages.
    ramPage: (_block, offset, _kind, bytes, start) => {
      loading.loader.counts.zero++;
      block.bytes.fill(bytes[start]!, offset, offset + 4096);
    },
    ramFlush: () => wait(),
    ramEos: () => {
      loading.ramEos();
      if (!flushes) wait();
    },
  });
  for (const chunk of split(main)) if (!reader.push(chunk)) await Promise.race([reader.drained(), syncs.at(-1)]);
  await reader.drained();
  reader.end();
  while (reader.status === 'reading') await reader.drained();
  await Promise.all(syncs);
  await receiver.finish();
  expect(reader.status).to.equal('complete');
  return { ram, packets, loading, syncs: syncs.length };
}

describe('recorded multifd migrations (multifd.md)', () => {
  const entries = recordings.filter(({ channels }) => channels !== undefined);

  it('are nine', () => {
    expect(entries.map(({ file }) => file)).to.have.length(9);
  });

  for (const entry of entries) {
    it(`${entry.file}: main channel and data channels together give the RAM`, async () => {
      const random = seeded(11);
      for (const next of [() => 1 << 20, () => 1000, () => 1 + Math.floor(random() * 5000)]) {
        const { ram, packets, loading, syncs } = await replay(entry, (bytes) => fragments(bytes, next));
        expect(sha256(ram.blocks[0]!.bytes)).to.equal(entry.ram!.ram);
        expect(loading.counts()).to.deep.equal(entry.counts);
        const pages = packets.reduce((sum, packet) => sum + packet.pages + packet.zeroPages, 0);
        expect(pages).to.equal(256 - (entry.counts!.zero ?? 0));
        for (let channel = 0; channel < entry.channels!.length; channel++) {
          const own = packets.filter((packet) => packet.channel === channel);
          expect(own.filter(({ flags }) => (flags & 1) === 1)).to.have.length(syncs);
        }
      }
    });
  }
});
