/** multifd.md §1 to §5: the data channels of a destination. */
import type { Trial } from '../../oracle/trial.js';
import { DeadlinePassed } from '../../protocol/errors.js';
import { packetLayout } from '../../reference/multifd/packet-layout.js';
import { ChapterBuilder } from '../requirement.js';
import { block } from '../state-machine/feed.js';
import { failNeeds, holds, loadNeeds, pattern } from '../stream-format/loading.js';
import { Fed, type MultifdOptions, pageSize, unlessMethod, unlessMultifd } from './channels.js';

/** Milliseconds after which a real monitor that is known to stand still is taken at its word. */
const patience = 300;

type Pages = (fed: Fed) => Promise<void>;

/** A load over channels that succeeds, and the RAM afterwards. @param order in which the channels greet */
async function loadsOver(
  t: Trial,
  { order, ...options }: MultifdOptions & { order?: readonly number[] },
  pages: Pages,
): Promise<void> {
  const fed = await Fed.open(t, { ...options, greet: order === undefined });
  for (const channel of order ?? []) fed.data[channel]?.raw(fed.writer(channel).initial());
  await fed.finish(() => pages(fed));
  await fed.one.until('completed');
  await holds(t, fed.one, fed.ram);
}

/** By number of channels: loads that go together, each with pages of its own. */
const together: Readonly<Record<number, Readonly<Record<string, Pages>>>> = {
  1: {
    number: (fed) => fed.pages(0, new Map([[1, pattern(10)]])),
    full: (fed) => {
      // As many as a packet of the release takes.
      return fed.pages(0, new Map(Array.from({ length: fed.most }, (_, i) => [i * 3, pattern(i)] as const)));
    },
  },
  2: {
    any: async (fed) => {
      await fed.pages(
        0,
        new Map([
          [1, pattern(1)],
          [2, pattern(2)],
        ]),
      );
      await fed.pages(1, new Map([[9, pattern(3)]]));
      await fed.pages(0, new Map([[block.length / pageSize - 1, pattern(4)]]));
    },
    later: async (fed) => {
      await fed.pages(0, new Map([[4, pattern(20)]]));
      fed.syncs();
      const { writer } = fed.main;
      writer.part(70);
      fed.mark();
      writer.footer();
      await fed.pages(1, new Map([[4, pattern(21)]]));
    },
    passedOver: async (fed) => {
      for (const feed of fed.data) feed.raw(fed.writer(0).sync(3, 0));
      await fed.pages(0, new Map([[5, pattern(22)]]), { flags: 0x4000_0000 });
    },
  },
  3: {
    number: async (fed) => {
      for (let i = 0; i < 3; i++) await fed.pages(i, new Map([[i + 1, pattern(i + 10)]]));
    },
    order: (fed) => fed.pages(2, new Map([[8, pattern(25)]])),
  },
  5: {
    number: async (fed) => {
      for (let i = 0; i < 5; i++) await fed.pages(i, new Map([[i + 1, pattern(i + 10)]]));
    },
  },
};

/** One of them, looked at with the others of as many channels. */
async function loadsTogether(t: Trial, channels: number, name: string): Promise<void> {
  const all = together[channels] ?? {};
  // Of more than two the channels greet in another order than theirs.
  const options = { channels, ...(channels === 3 ? { order: [2, 0, 1] } : {}) };
  await t.observed(
    `load over ${channels} channels`,
    (t) =>
      loadsOver(t, options, async (fed) => {
        for (const pages of Object.values(all)) await pages(fed);
      }),
    (t) => loadsOver(t, options, all[name] as Pages),
  );
}

/**
 * What is wrong on a channel must fail the load; releases are known to stand still instead, or to fall over it
 * (multifd.md §5).
 */
async function refusesOver(
  t: Trial,
  spoil: (fed: Fed) => Promise<void>,
  options: { greet?: boolean } = {},
): Promise<void> {
  const fed = await Fed.open(t, options);
  const known = t.facts.product === 'qemu' && !/reference/.test(t.facts.package);
  await spoil(fed);
  fed.main.end().send();
  try {
    const exit = await fed.one.instance.exited(known ? patience : fed.one.session.deadline);
    if (known && exit.signal !== null) return t.knownDefect('MIG-DEF-21', 'exit status 1', `killed by ${exit.signal}`);
    t.check(exit.code === 1, 'exit status 1', `${exit.signal ?? exit.code}`);
  } catch (error) {
    if (!known || !(error instanceof DeadlinePassed)) throw error;
    t.knownDefect('MIG-DEF-22', 'a failed load', `nothing within ${patience} ms`);
  }
}

/** Packets that no receiver takes: what is wrong, and how to spoil a packet with one page. */
const bad: readonly (readonly [string, string, (packet: Buffer, t: Trial) => void])[] = [
  ['magic', 'another magic', (packet) => packet.writeUInt32BE(0x11223345, 0)],
  ['version', 'another version', (packet) => packet.writeUInt32BE(2, 4)],
  ['room', 'room for more pages than agreed', (packet) => packet.writeUInt32BE(129, 12)],
  ['used', 'more pages than it has room for', (packet) => packet.writeUInt32BE(200, 16)],
  [
    'block',
    'a block that there is not',
    (packet, t) => packet.write('bogus', packetLayout(t.dialect.stream).blockName),
  ],
  [
    'offset',
    'an offset behind its block',
    (packet, t) => packet.writeBigUInt64BE(BigInt(block.length), packetLayout(t.dialect.stream).offsets),
  ],
  ['cut', 'no more than half of its bytes', () => undefined],
];

const builder = new ChapterBuilder(['Multifd', '5 Destination'], 'multifd.md §4, §5', {
  ...loadNeeds,
  unless: unlessMultifd,
})
  .must('MIG-MFD-LOAD-01', 'pages may come over any channel, and one may carry them all', (t) =>
    loadsTogether(t, 2, 'any'),
  )
  .must('MIG-MFD-LOAD-02', 'the number of channels is the one that was set', async (t) => {
    for (const channels of [1, 3, 5]) await loadsTogether(t, channels, 'number');
  })
  .must('MIG-MFD-LOAD-03', 'a packet may be full', (t) => loadsTogether(t, 1, 'full'))
  .must('MIG-MFD-LOAD-04', 'a page of a later interval takes the place of an earlier one, over any channel', (t) =>
    loadsTogether(t, 2, 'later'),
  )
  .must('MIG-MFD-LOAD-05', 'empty packets and unknown high flags are passed over', (t) =>
    loadsTogether(t, 2, 'passedOver'),
  )
  .must(
    'MIG-MFD-LOAD-06',
    'zero pages of a packet clear what had come before',
    (t) =>
      loadsOver(t, {}, async (fed) => {
        await fed.pages(
          0,
          new Map([
            [6, pattern(23)],
            [7, pattern(24)],
          ]),
        );
        fed.syncs();
        const { writer } = fed.main;
        writer.part(70);
        fed.mark();
        writer.footer();
        await fed.pages(1, new Map(), { zero: [6, 100] });
        fed.ram.delete(6);
      }),
    {
      needs: {
        unless: (facts) =>
          packetLayout(facts.dialect.stream).zeroPages === undefined ? 'no zero pages in packets' : undefined,
      },
    },
  )
  .must('MIG-MFD-LOAD-07', 'data channels may greet in any order: their ids decide', (t) =>
    loadsTogether(t, 3, 'order'),
  )
  .must('MIG-MFD-CONN-10', 'the load does not begin before all channels have come', async (t) => {
    // One that is connected and says nothing would keep the main loop of a real monitor from everything else.
    const fed = await Fed.open(t, { late: true });
    await fed.one.session.fence();
    await fed.one.runStateIs('inmigrate');
    const status = await fed.one.status();
    t.check(status === 'none' || status === 'setup', ['none', 'setup'], status, 'status');
    await fed.joins();
    await fed.finish();
    await fed.one.until('completed');
  });

for (const method of ['zlib', 'zstd'] as const) {
  builder.must(
    `MIG-MFD-ZIP-10.${method}`,
    `a destination with ${method} unpacks each channel as one stream`,
    (t) =>
      loadsOver(t, { method }, async (fed) => {
        for (let i = 0; i < 6; i++)
          await fed.pages(
            i % 2,
            new Map([
              [i + 1, pattern(i + 30)],
              [i + 20, Buffer.alloc(pageSize, i + 65)],
            ]),
          );
      }),
    { needs: { unless: unlessMethod(method) } },
  );
}

for (const [name, what, spoil] of bad) {
  builder.must(
    `MIG-MFD-BAD-01.${name}`,
    `a packet with ${what} fails the load`,
    (t) =>
      refusesOver(t, async (fed) => {
        const { writer } = fed.main;
        writer.start(70, 'ram', 0, 4);
        writer.ram.setup([block]);
        fed.mark();
        writer.footer();
        fed.main.send();
        fed.syncs();
        const buffers = await fed.writer(0).pages({ block: { name: block.name, bytes: pattern(40) }, offsets: [0] }, 9);
        const packet = Buffer.concat(buffers);
        spoil(packet, t);
        fed.data[0]?.raw(name === 'cut' ? packet.subarray(0, 200) : packet);
        for (const feed of fed.data) feed.finish();
        writer.part(70);
        fed.mark();
        writer.footer();
      }),
    { lasting: true, needs: failNeeds },
  );
}

for (const [name, what, spoil] of [
  ['magic', 'another magic', (packet: Buffer) => packet.writeUInt32BE(0x11223345, 0)],
  ['version', 'another version', (packet: Buffer) => packet.writeUInt32BE(2, 4)],
  ['uuid', 'another UUID', (packet: Buffer) => packet.fill(7, 8, 24)],
  ['id', 'an id that there is not', (packet: Buffer) => packet.writeUInt8(9, 24)],
] as const) {
  builder.must(
    `MIG-MFD-BAD-02.${name}`,
    `an initial packet with ${what} fails the load`,
    (t) =>
      refusesOver(
        t,
        async (fed) => {
          const packet = fed.writer(0).initial();
          spoil(packet);
          fed.data[0]?.raw(packet);
          fed.data[1]?.raw(fed.writer(1).initial());
        },
        { greet: false },
      ),
    { lasting: true, needs: failNeeds },
  );
}

export const multifdDestination = builder
  .must(
    'MIG-MFD-BAD-03',
    'an id that is used twice fails the load',
    (t) =>
      refusesOver(
        t,
        async (fed) => {
          for (const feed of fed.data) feed.raw(fed.writer(1).initial());
        },
        { greet: false },
      ),
    { lasting: true, needs: failNeeds },
  )
  .done();
