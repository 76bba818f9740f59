/** Malformed headers, items and sections (stream-format.md §10). */
import { hex, machine, ramId, ramStart, type TestDialect } from './builder.js';
import { be32, capabilities, config, head, later, type Row, subsection } from './stream-rows.js';

export const stream: Row[] = [
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

export const sections: Row[] = [
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
