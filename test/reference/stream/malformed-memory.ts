/** Malformed sections of memory (stream-format.md §10). */
import { hex, ramSize } from './builder.js';
import {
  be32,
  inStart,
  named,
  page,
  partLine,
  type Row,
  raw,
  setupLine,
  unknownFlags,
  withZlib,
} from './stream-rows.js';

export const ram: Row[] = [
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
