/** What is out of the ordinary in the memory of a stream (stream-format.md §5, xbzrle.md §2). */
import { deflateSync } from 'node:zlib';
import { encodeXbzrle } from '../../reference/ram/xbzrle-encode.js';
import type { StreamWriter } from '../../reference/stream/stream-writer.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { block } from '../state-machine/feed.js';
import { goodDeltas } from '../xbzrle/deltas.js';
import type { AcceptedRow } from './accepted-row.js';
import { pageOf, pageSize, pattern, ramEnd, ramId, ramPart, ramStart } from './loading.js';
import { hex } from './malformed-row.js';

type Items = NonNullable<AcceptedRow['items']>;

/** All of it in one PART section. */
const inPart =
  (records: (writer: StreamWriter, at: number) => readonly (readonly [number, Buffer])[]): Items =>
  (writer, at) => {
    const ram = new Map<number, Buffer>();
    ramStart(writer);
    ramPart(writer, () => {
      for (const [page, content] of records(writer, at)) ram.set(page, content);
    });
    ramEnd(writer);
    return ram;
  };

const plain: readonly AcceptedRow[] = [
  {
    id: 'MIG-STR-RAM-20',
    places: [],
    items: inPart(({ ram }, at) => {
      const records = [
        [at + 1, pattern(1)],
        [at + 7, pattern(2)],
        [block.length / pageSize - 1, pattern(3)],
      ] as const;
      for (const [page, bytes] of records) ram.page(block, page * pageSize, bytes, 0);
      return records;
    }),
  },
  {
    id: 'MIG-STR-RAM-21',
    places: [],
    items: inPart(({ ram }, at) => {
      ram.page(block, at * pageSize, pattern(4), 0);
      ram.page(block, (at + 1) * pageSize, pattern(5), 0);
      ram.zero(block, at * pageSize);
      return [[at + 1, pattern(5)]];
    }),
  },
  {
    id: 'MIG-STR-RAM-22',
    places: [],
    items: inPart(({ ram }, at) => {
      for (const seed of [6, 7, 8]) ram.page(block, at * pageSize, pattern(seed), 0);
      return [[at, pattern(8)]];
    }),
  },
  {
    id: 'MIG-STR-RAM-23',
    places: [],
    items: (writer, at) => {
      ramStart(writer);
      ramPart(writer, ({ ram }) => ram.page(block, at * pageSize, pattern(9), 0));
      ramPart(writer, ({ ram }) => ram.page(block, (at + 1) * pageSize, pattern(10), 0));
      ramEnd(writer, ({ ram }) => ram.page(block, (at + 2) * pageSize, pattern(11), 0));
      return new Map([9, 10, 11].map((seed, i) => [at + i, pattern(seed)]));
    },
  },
  {
    id: 'MIG-STR-RAM-24',
    places: [],
    items: (writer, at) => {
      ramStart(writer);
      writer.part(ramId);
      writer.ram.page(block, at * pageSize, pattern(12), 0);
      writer.out.bytes(hex('0000000000000030'));
      writer.footer();
      writer.part(ramId);
      writer.out.bytes(hex('0000000000005010'));
      writer.footer();
      return new Map([[at, pattern(12)]]);
    },
  },
  {
    id: 'MIG-STR-RAM-25',
    places: ['first memory'],
    items: (writer, at) => {
      writer.start(ramId, 'ram', 0, 4);
      writer.ram.page(block, at * pageSize, pattern(13), 0);
      writer.ram.eos();
      writer.footer();
      ramPart(writer, ({ ram }) => {
        ram.setup([block]);
        ram.page(block, (at + 1) * pageSize, pattern(14), 0);
      });
      return new Map([13, 14].map((seed, i) => [at + i, pattern(seed)]));
    },
  },
  {
    id: 'MIG-STR-RAM-26',
    places: ['first memory'],
    items: (writer, at) => {
      writer.start(ramId, 'ram', 0, 4);
      writer.ram.setup([]);
      writer.ram.eos();
      writer.footer();
      ramPart(writer, ({ ram }) => ram.page(block, at * pageSize, pageOf('G'), 0));
      return new Map([[at, pageOf('G')]]);
    },
  },
  {
    id: 'MIG-STR-RAM-28',
    places: ['size'],
    items: (writer, at) => {
      ramStart(writer);
      for (let i = 0; i < 2000; i++) ramPart(writer, () => undefined);
      ramPart(writer, ({ ram }) => ram.page(block, at * pageSize, pageOf('H'), 0));
      ramEnd(writer);
      return new Map([[at, pageOf('H')]]);
    },
  },
  {
    id: 'MIG-STR-RAM-29',
    places: ['size'],
    items: inPart(({ ram }, at) => {
      ram.page(block, at * pageSize, pattern(20), 0);
      ram.zero(block, (at + 1) * pageSize);
      return [[at, pattern(20)]];
    }),
    send: (feed) => {
      const bytes = feed.writer.out.takeJoined();
      for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 101 || 1) {
        feed.raw(bytes.subarray(at, at + size));
      }
    },
  },
];

const compressed: readonly AcceptedRow[] = [
  {
    id: 'MIG-STR-ZIP-10',
    places: [],
    capabilities: ['compress'],
    items: inPart(({ ram }, at) =>
      Array.from({ length: 10 }, (_, level) => {
        const page = level % 2 === 0 ? pattern(40 + level) : pageOf(String(level));
        if (level === 3) ram.forgetBlock();
        ram.compressed(block, (at + level) * pageSize, deflateSync(page, { level }));
        return [at + level, page] as const;
      }),
    ),
  },
  {
    id: 'MIG-STR-ZIP-11',
    places: [],
    capabilities: ['compress'],
    fits: (facts) => unlessExact(facts) === undefined,
    items: inPart(({ ram }, at) => {
      const short = pattern(50).subarray(0, 100);
      ram.page(block, at * pageSize, pageOf('J'), 0);
      ram.compressed(block, at * pageSize, Buffer.concat([deflateSync(short), Buffer.from('behind')]));
      return [[at, Buffer.concat([short, pageOf('J').subarray(100)])]];
    }),
  },
];

/** Deltas need no capability of the destination. */
const deltas: readonly AcceptedRow[] = [
  {
    id: 'MIG-XBZ-DEC-01',
    places: [],
    items: inPart(({ ram }, at) =>
      goodDeltas.map(([delta, , change], i) => {
        const page = pageOf('a');
        ram.page(block, (at + i) * pageSize, page, 0);
        ram.xbzrle(block, (at + i) * pageSize, hex(delta));
        change(page);
        return [at + i, page] as const;
      }),
    ),
  },
  {
    id: 'MIG-XBZ-DEC-02',
    places: [],
    items: inPart(({ ram }, at) => {
      const page = Buffer.alloc(pageSize);
      page.write('xyz', 5, 'latin1');
      page.write('!', 4000, 'latin1');
      ram.xbzrle(block, at * pageSize, hex('05 03 78797a'));
      ram.forgetBlock();
      ram.xbzrle(block, at * pageSize, hex('a01f 01 21'));
      return [[at, page]];
    }),
  },
  {
    id: 'MIG-XBZ-DEC-03',
    places: [],
    items: inPart(({ ram }, at) =>
      Array.from({ length: 24 }, (_, i) => {
        const seed = i + 1;
        const before = pattern(seed);
        const after = Buffer.from(before);
        for (let byte = seed; byte < pageSize; byte += 7 + seed * 3) after[byte] = (after[byte] ?? 0) ^ (seed + 1);
        const delta = Buffer.alloc(2 * pageSize);
        const length = encodeXbzrle(before, 0, after, 0, delta);
        ram.page(block, (at + i) * pageSize, before, 0);
        if (length > 0) ram.xbzrle(block, (at + i) * pageSize, delta, length);
        else ram.page(block, (at + i) * pageSize, after, 0);
        return [at + i, after] as const;
      }),
    ),
  },
];

export const acceptedRam: readonly AcceptedRow[] = [...plain, ...deltas, ...compressed];
