import { expect } from 'chai';
import type { StreamWriter } from '../../../reference/stream/stream-writer.js';
import {
  build,
  type DestinationOptions,
  hex,
  load,
  machine,
  ramBlock,
  ramId,
  ramPart,
  ramSize,
  ramStart,
  type TestDialect,
} from './builder.js';
import { fragments, seeded } from './recordings.js';

/** A row of stream-format.md §10. */
interface Row {
  readonly name: string;
  readonly bytes: (dialect: TestDialect) => Buffer;
  readonly lines: readonly string[] | ((dialect: TestDialect) => readonly string[]);
  readonly reason: string | ((dialect: TestDialect) => string);
  readonly dialects?: readonly TestDialect[];
  readonly options?: DestinationOptions;
}

const head = hex('5145564d 00000003');
const config = (length: number, rest: Buffer): Buffer => {
  const prefix = Buffer.from([7, 0, 0, 0, 0]);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([head, prefix, rest]);
};
const subsection = (dialect: TestDialect, name: string, version: number, body: Buffer): Buffer =>
  build(dialect, (writer) => {
    writer.header();
    writer.configuration('none', [{ name, version, body }]);
  });
const be32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const capabilities = (...names: string[]): Buffer =>
  Buffer.concat([
    be32(names.length),
    ...names.map((name) => Buffer.from(`${String.fromCharCode(name.length)}${name}`)),
  ]);
const later: readonly TestDialect[] = ['7.2', '10.0'];
const withZlib: readonly TestDialect[] = ['3.0', '7.2'];

const stream: Row[] = [
  { name: 'nothing', bytes: () => hex(''), lines: ['Not a migration stream'], reason: 'INV' },
  { name: 'two bytes', bytes: () => hex('5145'), lines: ['Not a migration stream'], reason: 'INV' },
  { name: 'another magic', bytes: () => hex('5145564e 00000003'), lines: ['Not a migration stream'], reason: 'INV' },
  {
    name: 'version 2',
    bytes: () => hex('5145564d 00000002'),
    lines: ["SaveVM v2 format is obsolete and don't work anymore"],
    reason: 'SUP',
  },
  {
    name: 'version 4',
    bytes: () => hex('5145564d 00000004'),
    lines: ['Unsupported migration stream version'],
    reason: 'SUP',
  },
  { name: 'magic only', bytes: () => hex('5145564d'), lines: ['Unsupported migration stream version'], reason: 'SUP' },
  { name: 'header only', bytes: () => head, lines: ['Configuration section missing'], reason: 'INV' },
  {
    name: 'a section instead of the configuration',
    bytes: () => Buffer.concat([head, hex('01')]),
    lines: ['Configuration section missing'],
    reason: 'INV',
  },
  {
    name: 'another machine',
    bytes: () => config(2, Buffer.from('pc')),
    lines: ["Machine type received is 'pc' and local is 'none'"],
    reason: 'INV',
  },
  {
    name: 'a longer machine name',
    bytes: () => config(5, Buffer.from('nonex')),
    lines: ["Machine type received is 'nonex' and local is 'none'"],
    reason: 'INV',
  },
  {
    name: 'a cut machine name',
    bytes: () => config(4, Buffer.from('no')),
    lines: ['Failed to load configuration:name'],
    reason: 'IO',
  },
  {
    name: 'a machine name of 2 GiB',
    bytes: () => config(0x7fffffff, Buffer.from('none')),
    lines: ['Failed to load configuration:name'],
    reason: 'IO',
  },
  {
    name: 'page bits 13',
    bytes: (dialect) => subsection(dialect, 'configuration/target-page-bits', 1, be32(13)),
    lines: ['Received TARGET_PAGE_BITS is 13 but local is 12'],
    reason: 'INV',
  },
  {
    name: 'a too new subsection',
    bytes: (dialect) => subsection(dialect, 'configuration/target-page-bits', 2, be32(12)),
    lines: ['configuration/target-page-bits: incoming version_id 2 is too new for local version_id 1'],
    reason: 'INV',
  },
  {
    name: 'an unknown subsection',
    bytes: (dialect) => subsection(dialect, 'configuration/bogus', 1, be32(0)),
    lines: [],
    reason: 'NOENT',
  },
  {
    name: 'capabilities, unknown to the baseline',
    bytes: (dialect) => subsection(dialect, 'configuration/capabilities', 1, capabilities()),
    lines: [],
    reason: 'NOENT',
    dialects: ['3.0'],
  },
  {
    name: 'a capability that differs',
    bytes: (dialect) => subsection(dialect, 'configuration/capabilities', 1, capabilities('x-ignore-shared')),
    lines: ['Capability x-ignore-shared is off, but received capability is on'],
    reason: 'INV',
    dialects: later,
  },
  {
    name: 'an unknown capability',
    bytes: (dialect) => subsection(dialect, 'configuration/capabilities', 1, capabilities('bogus')),
    lines: ['Received unknown capability bogus', 'Failed to load configuration/capabilities:capabilities'],
    reason: 'INV',
    dialects: later,
  },
  {
    name: 'another UUID',
    bytes: (dialect) => subsection(dialect, 'configuration/uuid', 1, Buffer.alloc(16, 1)),
    lines: ['UUID received is 01010101-0101-0101-0101-010101010101 and local is 02020202-0202-0202-0202-020202020202'],
    reason: 'INV',
    dialects: later,
    options: { uuid: Buffer.alloc(16, 2) },
  },
  {
    name: 'a subsection of somebody else',
    bytes: (dialect) => subsection(dialect, 'timer/foo', 1, be32(0)),
    lines: ['Unknown savevm section type 5'],
    reason: 'INV',
  },
  ...[5, 6, 7, 9, 126, 255].map(
    (type): Row => ({
      name: `item type ${type}`,
      bytes: (dialect) => machine(dialect, (writer) => writer.out.u8(type)),
      lines: [`Unknown savevm section type ${type}`],
      reason: 'INV',
    }),
  ),
];

const sections: Row[] = [
  {
    name: 'an unknown section',
    bytes: (dialect) => machine(dialect, (writer) => writer.full(1, 'foo', 0, 1)),
    lines: (dialect) => [
      `Unknown savevm section or instance 'foo' 0${
        dialect === '3.0'
          ? ''
          : '. Make sure that your current VM setup matches your saved VM setup, including any hotplugged devices'
      }`,
    ],
    reason: 'INV',
  },
  {
    name: 'an empty idstr',
    bytes: (dialect) => machine(dialect, (writer) => writer.full(1, '', 0, 1)),
    lines: ['Unable to read ID string for section 1'],
    reason: 'INV',
  },
  {
    name: 'a cut idstr',
    bytes: (dialect) => machine(dialect, (writer) => writer.out.bytes(hex('01 00000001 03 7261'))),
    lines: ['Unable to read ID string for section 1'],
    reason: 'INV',
  },
  {
    name: 'a cut version id',
    bytes: (dialect) => machine(dialect, (writer) => writer.out.bytes(hex('01 00000001 03 72616d 00000000 0000'))),
    lines: ['qemu_loadvm_section_start_full: Failed to read instance/version ID: -5'],
    reason: 'IO',
  },
  {
    name: 'a cut id of PART',
    bytes: (dialect) => machine(dialect, (writer) => writer.out.bytes(hex('02 0000'))),
    lines: ['qemu_loadvm_section_part_end: Failed to read section ID: -5'],
    reason: 'IO',
  },
  { name: 'no EOF', bytes: (dialect) => machine(dialect, ramStart), lines: [], reason: 'IO' },
  {
    name: 'a too new version',
    bytes: (dialect) => machine(dialect, (writer) => writer.start(1, 'ram', 0, 5)),
    lines: ["savevm: unsupported version 5 for 'ram' v4"],
    reason: 'INV',
  },
  {
    name: 'a negative version',
    bytes: (dialect) => machine(dialect, (writer) => writer.start(1, 'ram', 0, 0xffffffff)),
    lines: ["savevm: unsupported version -1 for 'ram' v4"],
    reason: 'INV',
  },
  ...[0, 3].map(
    (version): Row => ({
      name: `ram version ${version}`,
      bytes: (dialect) => machine(dialect, (writer) => writer.start(1, 'ram', 0, version)),
      lines: ["error while loading state for instance 0x0 of device 'ram'"],
      reason: 'INV',
    }),
  ),
  {
    name: 'an unknown id in PART',
    bytes: (dialect) => machine(dialect, (writer) => writer.part(77)),
    lines: ['Unknown savevm section 77'],
    reason: 'INV',
  },
  {
    name: 'an id replaced by a second START',
    bytes: (dialect) =>
      machine(dialect, (writer) => {
        ramStart(writer);
        writer.start(9, 'ram', 0, 4);
        writer.ram.eos();
        writer.footer();
        writer.part(ramId);
      }),
    lines: ['Unknown savevm section 1'],
    reason: 'INV',
  },
  {
    name: 'PART with id 0 before any START, which means the first handler',
    bytes: (dialect) => machine(dialect, (writer) => writer.part(0)),
    lines: [
      'timer: incoming version_id 0 is too old for local minimum version_id  1',
      'error while loading state section id 0(timer)',
    ],
    reason: 'INV',
  },
  ...[16, 32].map(
    (length): Row => ({
      name: `a timer body of ${length} bytes`,
      bytes: (dialect) => machine(dialect, (writer) => writer.device(3, 'timer', 0, 2, Buffer.alloc(length))),
      lines: ['Missing section footer for timer'],
      reason: 'INV',
      // A short body swallows its footer, so that what follows is no footer either.
      ...(length > 24 ? {} : { bytes: (dialect: TestDialect) => shortTimer(dialect) }),
    }),
  ),
  {
    name: 'no footer',
    bytes: (dialect) =>
      machine(dialect, (writer) => {
        writer.start(1, 'ram', 0, 4);
        writer.ram.eos();
        writer.eof();
      }),
    lines: ['Missing section footer for ram'],
    reason: 'INV',
  },
  {
    name: 'the footer of another section',
    bytes: (dialect) =>
      machine(dialect, (writer) => {
        writer.start(1, 'ram', 0, 4);
        writer.ram.eos();
        writer.out.bytes(hex('7e 00000002'));
      }),
    lines: ['Mismatched section id in footer for ram - read 0x2 expected 0x1'],
    reason: 'INV',
  },
  {
    name: 'a cut footer',
    bytes: (dialect) =>
      machine(dialect, (writer) => {
        writer.start(1, 'ram', 0, 4);
        writer.ram.eos();
        writer.out.bytes(hex('7e 0000'));
      }),
    lines: ['Mismatched section id in footer for ram - read 0x0 expected 0x1'],
    reason: 'INV',
  },
  {
    name: 'the end before the footer',
    bytes: (dialect) =>
      machine(dialect, (writer) => {
        writer.start(1, 'ram', 0, 4);
        writer.ram.eos();
      }),
    lines: ['check_section_footer: Read section footer failed: -5'],
    reason: 'INV',
  },
  {
    name: 'a too old timer',
    bytes: (dialect) => machine(dialect, (writer) => writer.device(3, 'timer', 0, 0, Buffer.alloc(24))),
    lines: [
      'timer: incoming version_id 0 is too old for local minimum version_id  1',
      "error while loading state for instance 0x0 of device 'timer'",
    ],
    reason: 'INV',
  },
  {
    name: 'a cut globalstate',
    bytes: (dialect) =>
      machine(dialect, (writer) => {
        writer.full(4, 'globalstate', 0, 1);
        writer.out.bytes(Buffer.alloc(10));
      }),
    lines: [
      'Failed to load globalstate:runstate',
      "error while loading state for instance 0x0 of device 'globalstate'",
    ],
    reason: 'IO',
  },
  {
    name: 'an unknown run state',
    bytes: (dialect) =>
      machine(dialect, (writer) => {
        const body = Buffer.alloc(104);
        body.write('bogus', 4);
        writer.device(4, 'globalstate', 0, 1, body);
      }),
    lines: ['invalid parameter value: bogus', "error while loading state for instance 0x0 of device 'globalstate'"],
    reason: 'INV',
  },
];

function shortTimer(dialect: TestDialect): Buffer {
  return machine(dialect, (writer) => {
    writer.device(3, 'timer', 0, 2, Buffer.alloc(16));
    writer.device(3, 'timer', 0, 2, Buffer.alloc(24));
  });
}

const setupLine = "error while loading state for instance 0x0 of device 'ram'";
const partLine = 'error while loading state section id 1(ram)';
const inStart = (steps: (writer: StreamWriter) => void) => (dialect: TestDialect) =>
  machine(dialect, (writer) => {
    writer.start(ramId, 'ram', 0, 4);
    steps(writer);
  });
const inPart = (steps: (writer: StreamWriter) => void) => (dialect: TestDialect) => ramPart(dialect, steps);
const raw = (text: string, ...rest: Buffer[]) =>
  inPart((writer) => writer.out.bytes(Buffer.concat([hex(text), ...rest])));
const named = '03 72616d';
const page = Buffer.alloc(4096, 0x41);
const unknownFlags = (dialect: TestDialect, flags: number): string =>
  `Unknown combination of migration flags: ${flags === 0 && dialect === '3.0' ? '0' : `0x${flags.toString(16)}`}`;

const ram: Row[] = [
  {
    name: 'an unknown block in the setup',
    bytes: inStart((writer) => writer.ram.setup([{ name: 'foo', length: ramSize }])),
    lines: ['Unknown ramblock "foo", cannot accept migration', setupLine],
    reason: 'INV',
  },
  {
    name: 'a total above the sum',
    bytes: inStart((writer) => {
      writer.ram.setup([{ name: 'ram', length: ramSize }], ramSize * 2);
      writer.ram.eos();
    }),
    lines: ['Unknown ramblock "", cannot accept migration', setupLine],
    reason: 'INV',
  },
  {
    name: 'a total below the sum',
    bytes: inStart((writer) => {
      writer.ram.setup([{ name: 'ram', length: ramSize }], ramSize / 2);
      writer.ram.eos();
    }),
    lines: ['Unknown ramblock "", cannot accept migration', setupLine],
    reason: 'INV',
  },
  {
    name: 'another used length',
    bytes: inStart((writer) => writer.ram.setup([{ name: 'ram', length: 0x100000 }])),
    lines: (dialect) => [
      dialect === '3.0'
        ? 'Length mismatch: ram: 0x100000 in != 0x200000: Invalid argument'
        : 'Size mismatch: ram: 0x100000 != 0x200000: Invalid argument',
      setupLine,
    ],
    reason: 'INV',
  },
  {
    name: 'CONTINUE without a block before',
    bytes: raw('0000000000001028', page),
    lines: ['Ack, bad migration stream!', 'Illegal RAM offset 1000', partLine],
    reason: 'INV',
  },
  {
    name: 'an unknown block in a page record',
    bytes: raw('0000000000001008 03 666f6f', page),
    lines: ["Can't find block foo", 'Illegal RAM offset 1000', partLine],
    reason: 'INV',
  },
  {
    name: 'an offset behind the block',
    bytes: raw(`0000000000200008 ${named}`, page),
    lines: ['Illegal RAM offset 200000', partLine],
    reason: 'INV',
  },
  {
    name: 'the highest offset',
    bytes: raw(`fffffffffffff008 ${named}`, page),
    lines: ['Illegal RAM offset fffffffffffff000', partLine],
    reason: 'INV',
  },
  ...[0x00a, 0x012, 0x102, 0x001, 0x048].map(
    (flags): Row => ({
      name: `flags 0x${flags.toString(16)}`,
      bytes: raw(`000000000000${(0x1000 + flags).toString(16).padStart(4, '0')} ${named}`, page),
      lines: (dialect) => [unknownFlags(dialect, flags), partLine],
      reason: 'INV',
    }),
  ),
  { name: 'flags 0', bytes: raw('0000000000001000'), lines: (d) => [unknownFlags(d, 0), partLine], reason: 'INV' },
  {
    name: 'a HOOK record',
    bytes: raw('0000000000000080'),
    lines: [partLine],
    reason: 'INV',
    dialects: withZlib,
  },
  {
    name: 'a FLUSH record before 10.0',
    bytes: raw('0000000000000200'),
    lines: (d) => [unknownFlags(d, 0x200), partLine],
    reason: 'INV',
    dialects: withZlib,
  },
  {
    name: 'a compressed page without the capability',
    bytes: raw(`0000000000001100 ${named} 00000001 00`),
    lines: ['Received an unexpected compressed page', partLine],
    reason: 'INV',
    dialects: withZlib,
  },
  {
    name: 'a compressed page in 10.0',
    bytes: raw(`0000000000001100 ${named} 00000001 00`),
    lines: [unknownFlags('10.0', 0x100), partLine],
    reason: 'INV',
    dialects: ['10.0'],
  },
  ...['00000000', '00000003 414141'].map(
    (data): Row => ({
      name: `bad zlib data (${data})`,
      bytes: raw(`0000000000001100 ${named} ${data}`, hex('0000000000000010')),
      lines: ['decompress data failed', partLine],
      reason: 'PERM',
      dialects: withZlib,
      options: { capabilities: ['compress'] },
    }),
  ),
  ...([4111, -1] as const).map(
    (length): Row => ({
      name: `a compressed length of ${length}`,
      bytes: raw(`0000000000001100 ${named}`, be32(length >>> 0), page),
      lines: [`Invalid compressed data length: ${length}`, partLine],
      reason: 'INV',
      dialects: withZlib,
      options: { capabilities: ['compress'] },
    }),
  ),
  ...(
    [
      ['02 0000', 'wrong compression!'],
      ['01 1001', 'len overflow!'],
      ['01 0001 00', 'decode error!'],
    ] as const
  ).map(
    ([data, text]): Row => ({
      name: `XBZRLE ${data}`,
      bytes: raw(`0000000000001040 ${named} ${data}`, page, page),
      lines: [`Failed to load XBZRLE page - ${text}`, 'Failed to decompress XBZRLE page at 1000', partLine],
      reason: 'INV',
    }),
  ),
  {
    name: 'a cut page',
    bytes: raw(`0000000000001008 ${named} 4141`),
    lines: [partLine],
    reason: 'IO',
  },
  ...['', '000000', '00000000000010'].map(
    (text): Row => ({
      name: `a record header cut after ${text.length / 2} bytes`,
      bytes: raw(text),
      lines: (dialect) => [dialect === '10.0' ? 'Getting RAM address failed' : unknownFlags(dialect, 0), partLine],
      reason: (dialect) => (dialect === '10.0' ? 'IO' : 'INV'),
    }),
  ),
  {
    name: 'a cut block name',
    bytes: raw('0000000000001008 03 72'),
    lines: ["Can't find block r", 'Illegal RAM offset 1000', partLine],
    reason: 'INV',
  },
  {
    name: 'a ZERO record with another value in 10.0',
    bytes: raw(`0000000000001002 ${named} aa`),
    lines: ['Found a zero page with value 170', partLine],
    reason: 'INV',
    dialects: ['10.0'],
  },
];

const groups: Record<string, readonly Row[]> = { 'header and items': stream, sections, ram };

describe('malformed streams (stream-format.md §10)', () => {
  for (const [group, rows] of Object.entries(groups)) {
    describe(group, () => {
      for (const row of rows) {
        it(row.name, () => {
          for (const dialect of row.dialects ?? (['3.0', '7.2', '10.0'] as const)) {
            const bytes = row.bytes(dialect);
            const expected = {
              lines: typeof row.lines === 'function' ? row.lines(dialect) : row.lines,
              reason: typeof row.reason === 'function' ? row.reason(dialect) : row.reason,
            };
            const random = seeded(bytes.length);
            const splits = [undefined, () => 1, () => 1 + Math.floor(random() * 30)];
            for (const next of splits) {
              const pieces = next === undefined ? {} : { pieces: (all: Buffer) => fragments(all, next) };
              const { lines, reason } = load(dialect, bytes, { ...row.options, ...pieces });
              expect({ lines, reason }, dialect).to.deep.equal(expected);
            }
          }
        });
      }
    });
  }
});

describe('streams that look wrong and load (stream-format.md §2–§5)', () => {
  const done = (steps: (writer: StreamWriter) => void) => (dialect: TestDialect) =>
    machine(dialect, (writer) => {
      steps(writer);
      writer.eof();
      writer.vmdescription('{}');
    });
  const rows: Row[] = [
    { name: 'no ram section', bytes: done(() => undefined), lines: [], reason: 'complete' },
    {
      name: 'a prefix of the machine name',
      bytes: () => Buffer.concat([config(2, Buffer.from('no')), hex('00 06 00000000')]),
      lines: [],
      reason: 'complete',
    },
    {
      name: 'an empty machine name',
      bytes: () => Buffer.concat([config(0, hex('')), hex('00 06 00000000')]),
      lines: [],
      reason: 'complete',
    },
    {
      name: 'no vmdescription',
      bytes: (dialect) => machine(dialect, (writer) => writer.eof()),
      lines: ['Expected vmdescription section, but got 0'],
      reason: 'complete',
    },
    {
      name: 'another byte instead of the vmdescription',
      bytes: (dialect) => Buffer.concat([machine(dialect, (writer) => writer.eof()), hex('0900')]),
      lines: ['Expected vmdescription section, but got 9'],
      reason: 'complete',
    },
    {
      name: 'a cut vmdescription',
      bytes: (dialect) => Buffer.concat([machine(dialect, (writer) => writer.eof()), hex('06 00001000 7b')]),
      lines: [],
      reason: 'complete',
    },
    {
      name: 'pages without setup, EOS with CONTINUE, ram as FULL, any section id',
      bytes: done((writer) => {
        writer.full(4711, 'ram', 0, 4);
        writer.ram.page(ramBlock, ramSize - 4096, page, 0);
        writer.out.be64(0x30);
        writer.footer();
      }),
      lines: [],
      reason: 'complete',
    },
    {
      name: 'total 0 and a second setup in a PART',
      bytes: done((writer) => {
        writer.start(1, 'ram', 0, 4);
        writer.ram.setup([]);
        writer.ram.eos();
        writer.footer();
        writer.part(1);
        writer.ram.setup([{ name: 'ram', length: ramSize }]);
        writer.ram.eos();
        writer.footer();
      }),
      lines: [],
      reason: 'complete',
    },
    {
      name: 'timer version 1',
      bytes: done((writer) => writer.device(0, 'timer', 0, 1, Buffer.alloc(16))),
      lines: [],
      reason: 'complete',
    },
    {
      name: 'an empty delta, and a compressed page that is short',
      bytes: done((writer) => {
        writer.start(1, 'ram', 0, 4);
        writer.ram.xbzrle(ramBlock, 0, Buffer.alloc(0));
        writer.ram.eos();
        writer.footer();
      }),
      lines: [],
      reason: 'complete',
    },
    {
      name: 'a HOOK record in 10.0',
      bytes: done((writer) => {
        writer.start(1, 'ram', 0, 4);
        writer.out.be64(0x80);
        writer.ram.eos();
        writer.footer();
      }),
      lines: [],
      reason: 'complete',
      dialects: ['10.0'],
    },
    {
      name: 'page bits 12, and a UUID where none is known',
      bytes: (dialect) =>
        build(dialect, (writer) => {
          writer.header();
          writer.configuration('none', [
            { name: 'configuration/target-page-bits', version: 1, body: be32(12) },
            { name: 'configuration/capabilities', version: 1, body: capabilities('xbzrle') },
          ]);
          writer.eof();
          writer.vmdescription('');
        }),
      lines: [],
      reason: 'complete',
      dialects: later,
    },
  ];
  for (const row of rows) {
    it(row.name, () => {
      for (const dialect of row.dialects ?? (['3.0', '7.2', '10.0'] as const)) {
        const { lines, reason } = load(dialect, row.bytes(dialect));
        expect({ lines, reason }, dialect).to.deep.equal({ lines: row.lines, reason: row.reason });
      }
    });
  }

  it('fills a page with the byte of a ZERO record where the dialect allows it', () => {
    const bytes = done((writer) => {
      writer.start(1, 'ram', 0, 4);
      writer.ram.zero(ramBlock, 0x3000, 0xaa);
      writer.ram.eos();
      writer.footer();
    })('7.2');
    const { loader, reason } = load('7.2', bytes);
    expect(reason).to.equal('complete');
    const { bytes: ramBytes } = loader.ram.blocks[0]!;
    expect(ramBytes.subarray(0x3000, 0x4000).equals(Buffer.alloc(4096, 0xaa))).to.equal(true);
    expect(ramBytes[0x2fff]).to.equal(0);
    expect(ramBytes[0x4000]).to.equal(0);
  });
});
