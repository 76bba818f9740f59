import { expect } from 'chai';
import { streamRules } from '../../../reference/dialects/stream.js';
import { encodeInitialPacket, noUuid } from '../../../reference/multifd/initial-packet.js';
import { MultifdError } from '../../../reference/multifd/multifd-error.js';
import { MultifdReceiver } from '../../../reference/multifd/multifd-receiver.js';
import { MultifdSender } from '../../../reference/multifd/multifd-sender.js';
import { PacketFlag, packetLayout } from '../../../reference/multifd/packet-layout.js';
import { PacketWriter } from '../../../reference/multifd/packet-writer.js';
import { createGuestRam, pageSize } from '../../../reference/ram/guest-ram.js';
import { seeded } from '../stream/recordings.js';

const dialects = ['3.0', '7.2', '10.0'] as const;
type TestDialect = (typeof dialects)[number];
const ramBytes = 64 * pageSize;

/** Gives channels to a receiver of two, asks for one sync and returns what it ends with. */
async function receive(
  dialect: TestDialect,
  channels: readonly Buffer[],
  compression: 'none' | 'zlib' | 'zstd' = 'none',
): Promise<unknown> {
  const receiver = new MultifdReceiver({
    rules: streamRules[dialect],
    channels: 2,
    compression,
    block: (name) => (name === 'ram' ? { name, length: ramBytes } : undefined),
    sink: { pages: () => undefined, zeroPage: () => undefined },
  });
  for (const bytes of channels) receiver.add([bytes]);
  try {
    await receiver.ready();
    await receiver.sync();
    await receiver.finish();
  } catch (error) {
    return error;
  }
  return undefined;
}

async function text(...args: Parameters<typeof receive>): Promise<string> {
  const error = await receive(...args);
  if (error === undefined) return 'fine';
  expect(error).to.be.instanceOf(MultifdError);
  return (error as MultifdError).message;
}

/** A channel: initial packet, the given packets, and a SYNC packet. */
function channel(dialect: TestDialect, id: number, packets: readonly Buffer[] = [], sync = true): Buffer {
  const writer = new PacketWriter({ rules: streamRules[dialect], channel: id });
  return Buffer.concat([writer.initial(), ...packets, ...(sync ? [writer.sync(0)] : [])]);
}

/** A packet with one page, changed by `patch`. */
async function packet(dialect: TestDialect, patch: (header: Buffer) => void): Promise<Buffer> {
  const block = { name: 'ram', bytes: Buffer.alloc(ramBytes, 1) };
  const writer = new PacketWriter({ rules: streamRules[dialect], channel: 0 });
  const [header, data] = await writer.pages({ block, offsets: [pageSize] }, 0);
  patch(header!);
  return Buffer.concat([header!, data!]);
}

function initial(dialect: TestDialect, patch: (bytes: Buffer) => void): Buffer {
  const bytes = encodeInitialPacket(streamRules[dialect], { id: 0, uuid: noUuid });
  patch(bytes);
  return Buffer.concat([bytes, new PacketWriter({ rules: streamRules[dialect], channel: 0 }).sync(0)]);
}

describe('failing data channels (multifd.md §5)', () => {
  const prefix = 'failed to receive packet via multifd channel 0: ';
  const initials: [string, (bytes: Buffer) => void, string][] = [
    ['magic', (b) => b.writeUInt32BE(0x11223345, 0), 'multifd: received packet magic 11223345 expected 11223344'],
    ['version', (b) => b.writeUInt32BE(2, 4), 'multifd: received packet version 2 expected 1'],
    [
      'UUID',
      (b) => b.fill(1, 8, 24),
      "multifd: received uuid '01010101-0101-0101-0101-010101010101' and expected uuid '00000000-0000-0000-0000-000000000000' for channel 0",
    ],
    [
      'id above the channels',
      (b) => b.writeUInt8(3, 24),
      'multifd: received channel id 3 is greater than number of channels 2',
    ],
    [
      'id one too large',
      (b) => b.writeUInt8(2, 24),
      'multifd: received channel id 2 is greater than number of channels 2',
    ],
  ];
  for (const [name, patch, expected] of initials) {
    it(`initial packet: ${name}`, async () => {
      for (const dialect of dialects) {
        expect(await text(dialect, [initial(dialect, patch), channel(dialect, 1)])).to.equal(prefix + expected);
      }
    });
  }

  it('initial packet: short, id used twice', async () => {
    for (const dialect of dialects) {
      expect(await text(dialect, [initial(dialect, () => undefined).subarray(0, 20), channel(dialect, 1)])).to.equal(
        `${prefix}Unexpected end-of-file before all data were read`,
      );
      expect(await text(dialect, [channel(dialect, 0), channel(dialect, 0)])).to.equal(
        "failed to receive packet via multifd channel 1: multifd: received id '0' already setup'",
      );
    }
  });

  const roomTexts: Record<TestDialect, string> = {
    '3.0': 'multifd: received packet with size 129 and expected maximum size 16',
    '7.2': 'multifd: received packet with size 129 and expected a size of 128',
    '10.0': 'multifd: received packet with 129 pages, expected 128',
  };
  const packets: [string, (header: Buffer, dialect: TestDialect) => void, (dialect: TestDialect) => string][] = [
    ['magic', (h) => h.writeUInt32BE(1, 0), () => 'multifd: received packet magic 1 expected 11223344'],
    ['version', (h) => h.writeUInt32BE(9, 4), () => 'multifd: received packet version 9 expected 1'],
    ['size', (h) => h.writeUInt32BE(129, 12), (dialect) => roomTexts[dialect]],
    [
      'more pages than room',
      (h) => h.writeUInt32BE(3, 12) && h.writeUInt32BE(4, 16),
      () => 'multifd: received packet with 4 pages and room for 3',
    ],
    [
      'unknown block',
      (h, d) => h.write('foo', packetLayout(streamRules[d]).blockName),
      () => 'multifd: unknown ram block foo',
    ],
    [
      'offset behind the block',
      (h, d) => h.writeBigUInt64BE(BigInt(ramBytes), packetLayout(streamRules[d]).offsets),
      () => `multifd: offset too long ${ramBytes} (max ${ramBytes - pageSize})`,
    ],
    [
      'offset of 64 bits',
      (h, d) => h.writeBigUInt64BE(0xffff_ffff_ffff_f000n, packetLayout(streamRules[d]).offsets),
      () => `multifd: offset too long ${0xffff_ffff_ffff_f000} (max ${ramBytes - pageSize})`,
    ],
  ];
  for (const [name, patch, expected] of packets) {
    it(`data packet: ${name}`, async () => {
      for (const dialect of dialects) {
        const bad = await packet(dialect, (header) => patch(header, dialect));
        expect(await text(dialect, [channel(dialect, 0, [bad]), channel(dialect, 1)])).to.equal(expected(dialect));
      }
    });
  }

  it('data packet: zero pages beyond the room, device state (10.0)', async () => {
    const zero = await packet('10.0', (header) => header.writeUInt32BE(128, 32));
    expect(await text('10.0', [channel('10.0', 0, [zero]), channel('10.0', 1)])).to.match(
      /128 zero pages and room for 127/,
    );
    const state = await packet('10.0', (header) => header.writeUInt32BE(PacketFlag.deviceState, 8));
    expect(await text('10.0', [channel('10.0', 0, [state]), channel('10.0', 1)])).to.match(/device state/);
  });

  it('another compression method, and data that cannot be unpacked', async () => {
    for (const dialect of ['7.2', '10.0'] as const) {
      const zlib = await packet(dialect, (header) => header.writeUInt32BE(2, 8));
      expect(await text(dialect, [channel(dialect, 0, [zlib]), channel(dialect, 1)])).to.equal(
        'multifd 0: flags received 2 flags expected 0',
      );
      for (const [method, flags] of [
        ['zlib', 2],
        ['zstd', 4],
      ] as const) {
        const bad = await packet(dialect, (header) => header.writeUInt32BE(flags, 8));
        expect(await text(dialect, [channel(dialect, 0, [bad]), channel(dialect, 1)], method)).to.match(
          new RegExp(`^multifd 0: page data cannot be unpacked with ${method}: `),
        );
      }
    }
  });

  it('a cut packet, cut pages, a channel that closes early, a missing SYNC', async () => {
    for (const dialect of dialects) {
      const good = await packet(dialect, () => undefined);
      const eof = 'Unexpected end-of-file before all data were read';
      for (const length of [1, 300, good.length - 1]) {
        const bytes = Buffer.concat([channel(dialect, 0, [], false), good.subarray(0, length)]);
        expect(await text(dialect, [bytes, channel(dialect, 1)]), `${length}`).to.equal(eof);
      }
      expect(await text(dialect, [channel(dialect, 0, [good], false), channel(dialect, 1)])).to.match(
        /^multifd 0: the channel ended before the SYNC packet/,
      );
    }
  });

  it('what is fine: an unknown block without pages, reserved bytes, SYNC with pages, one SYNC too many', async () => {
    for (const dialect of dialects) {
      const layout = packetLayout(streamRules[dialect]);
      const empty = new PacketWriter({ rules: streamRules[dialect], channel: 0 }).sync(3, 0);
      empty.write('foo', layout.blockName);
      const riding = await packet(dialect, (header) => header.writeUInt32BE(0x80000001, 8));
      const bytes = Buffer.concat([channel(dialect, 0, [empty, riding]), empty]);
      expect(await text(dialect, [bytes, channel(dialect, 1)])).to.equal('fine');
    }
  });

  it('more connections than channels are refused', () => {
    const receiver = new MultifdReceiver({
      rules: streamRules['7.2'],
      channels: 1,
      block: () => undefined,
      sink: { pages: () => undefined, zeroPage: () => undefined },
    });
    expect(receiver.add([channel('7.2', 0)])).to.equal(true);
    expect(receiver.add([channel('7.2', 1)])).to.equal(false);
  });
});

describe('multifd from sender to receiver', () => {
  for (const dialect of dialects) {
    for (const compression of dialect === '3.0' ? (['none'] as const) : (['none', 'zlib', 'zstd'] as const)) {
      it(`${dialect}, ${compression}: later passes win on any distribution`, async () => {
        const random = seeded(21);
        const [from, to] = [
          createGuestRam([{ name: 'ram', size: ramBytes }]),
          createGuestRam([{ name: 'ram', size: ramBytes }]),
        ];
        const [source, target] = [from.blocks[0]!, to.blocks[0]!];
        const rules = streamRules[dialect];
        const pipes = Array.from({ length: 3 }, () => [] as Buffer[]);
        const sinks = pipes.map((pipe) => ({
          write: async (buffers: readonly Buffer[]): Promise<void> => {
            for (let i = Math.floor(random() * 4); i > 0; i--) await Promise.resolve();
            pipe.push(Buffer.concat(buffers));
          },
        }));
        const pagesPerPacket = dialect === '3.0' ? { pagesPerPacket: 5 } : {};
        const sender = new MultifdSender({ rules, sinks, compression, level: 1, ...pagesPerPacket });
        await sender.start();
        const snapshots: Buffer[] = [];
        for (let pass = 0; pass < 4; pass++) {
          for (let offset = 0; offset < ramBytes; offset += pageSize) {
            if (pass > 0 && random() < 0.5) continue;
            source.bytes.fill(random() < 0.3 ? 0 : Math.floor(random() * 256), offset, offset + pageSize);
            await sender.page(source, offset);
          }
          await sender.sync();
          snapshots.push(Buffer.from(source.bytes));
        }
        sender.close();
        const written = pipes.flat().reduce((sum, { length }) => sum + length, 0);
        if (dialect === '10.0') expect(sender.bytes).to.equal(written);
        if (dialect === '7.2' && compression === 'none') expect(sender.bytes).to.equal(written - 3 * 64);

        const receiver = new MultifdReceiver({
          rules,
          channels: 3,
          compression,
          ...pagesPerPacket,
          block: (name) => ({ name, length: ramBytes }),
          sink: {
            pages: (_block, offset, bytes, start, count) =>
              bytes.copy(target.bytes, offset, start, start + count * pageSize),
            zeroPage: (_block, offset) => target.bytes.fill(0, offset, offset + pageSize),
          },
        });
        for (const pipe of [pipes[2]!, pipes[0]!, pipes[1]!]) receiver.add(pipe);
        await receiver.ready();
        for (const snapshot of snapshots) {
          await receiver.sync();
          // Channels go on as soon as they are released, so only the last state is still to be seen here.
          if (snapshot === snapshots.at(-1)) expect(target.bytes.equals(snapshot)).to.equal(true);
        }
        await receiver.finish();
        expect(target.bytes.equals(source.bytes)).to.equal(true);
      });
    }
  }

  it('a broken connection reaches the caller', async () => {
    const ram = createGuestRam([{ name: 'ram', size: ramBytes }]);
    let broken = false;
    const sinks = [{ write: () => (broken ? Promise.reject(new Error('Broken pipe')) : Promise.resolve()) }];
    const sender = new MultifdSender({ rules: streamRules['7.2'], sinks });
    await sender.start();
    broken = true;
    sender.page(ram.blocks[0]!, 0);
    let error: unknown;
    await sender.sync().catch((reason: unknown) => {
      error = reason;
    });
    expect(String(error)).to.equal('Error: Broken pipe');
  });
});
