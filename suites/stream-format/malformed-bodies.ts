/** What is wrong inside `ram`, or with a command (stream-format.md §10). */
import type { StreamWriter } from '../../reference/stream/stream-writer.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { block } from '../state-machine/feed.js';
import { pageOf, ramId, ramStart } from './loading.js';
import { begun, cutBehind, cutInPart, hex, inPart, type Row, raw, type Write } from './malformed-row.js';
import { u32 } from './subsections.js';

const setup = (name: string, length: number, total = block.length): Write =>
  begun((writer) => {
    writer.start(1, 'ram', 0, 4);
    writer.ram.setup([{ name, length }], total);
    writer.ram.eos();
    writer.footer();
  });

export const ramRows: readonly Row[] = [
  {
    id: '30',
    what: 'an unknown block in the setup',
    write: setup('foo', block.length),
    line: /Unknown ramblock "foo"/,
  },
  {
    id: '31',
    what: 'another length of a block',
    write: setup('ram', block.length / 2, block.length / 2),
    line: /(Length|Size) mismatch: ram/,
  },
  { id: '32.less', what: 'a setup whose total is smaller than its block', write: setup('ram', block.length, 4096) },
  {
    id: '32.more',
    what: 'a setup whose total is larger than its block',
    write: setup('ram', block.length, 2 * block.length),
  },
  {
    id: '33',
    what: 'CONTINUE without an earlier block',
    write: begun((writer) => {
      ramStart(writer);
      writer.part(ramId);
      writer.out.be64(0x1022);
      writer.out.u8(0);
      writer.ram.eos();
      writer.footer();
    }),
    line: /Illegal RAM offset 1000/,
  },
  {
    id: '34',
    what: 'a page of an unknown block',
    write: inPart((writer) => writer.ram.page({ name: 'foo' }, 0x1000, pageOf('A'), 0)),
    line: /Can't find block foo/,
  },
  {
    id: '35',
    what: 'a page behind the end of its block',
    write: inPart((writer) => writer.ram.page(block, block.length, pageOf('A'), 0)),
    line: /Illegal RAM offset 1000000/,
  },
  ...[0x000, 0x001, 0x00a, 0x012, 0x102, 0x400, 0x800].map((flags) => ({
    id: `36.${flags.toString(16).padStart(3, '0')}`,
    what: `a record with the flags 0x${flags.toString(16)}`,
    write: inPart((writer: StreamWriter) => {
      writer.ram.zero(block, 0);
      writer.out.be64(0x1000 + flags + 0x20 * (flags === 0 ? 0 : 1));
      writer.out.bytes(Buffer.alloc(4200));
    }),
  })),
  {
    id: '37.inside',
    what: 'a stream that is cut inside a page',
    write: cutInPart((writer) => {
      writer.out.be64(0x1008);
      writer.out.str8('ram');
      writer.out.bytes(Buffer.alloc(100, 1));
    }),
    cut: true,
    line: /error while loading state section id \d+\(ram\)/,
  },
  { id: '38.before', what: 'a stream that is cut before a record', write: cutInPart(() => undefined), cut: true },
  {
    id: '38.inside',
    what: 'a stream that is cut inside a record header',
    write: cutInPart((writer) => writer.out.be32(0)),
    cut: true,
  },
  {
    id: '39',
    what: 'a stream that is cut in a block name',
    write: cutInPart((writer) => {
      writer.out.be64(0x1008);
      writer.out.bytes(Buffer.from('\x03r', 'latin1'));
    }),
    cut: true,
    line: /Illegal RAM offset 1000/,
  },
  {
    id: '40',
    what: 'an RDMA hook where there is no RDMA',
    write: inPart((writer) => writer.out.be64(0x80)),
    needs: {
      unless: (facts) =>
        unlessExact(facts) ?? (facts.dialect.stream.hookIgnored ? 'hooks are passed over in this release' : undefined),
    },
  },
];

export const commandRows: readonly Row[] = [
  {
    id: '50.zero',
    what: 'command 0',
    write: begun((writer) => writer.rawCommand(0, Buffer.alloc(0))),
    line: /MIG_CMD 0x0 unknown/,
  },
  {
    id: '50.unknown',
    what: 'an unknown command',
    write: begun((writer) => writer.rawCommand(99, Buffer.alloc(0))),
    line: /MIG_CMD 0x63 unknown/,
  },
  {
    id: '51.ping',
    what: 'a PING of 8 bytes',
    write: begun((writer) => writer.rawCommand(2, Buffer.alloc(8))),
    line: /PING received with bad length - expecting 4, got 8/,
  },
  {
    id: '51.open',
    what: 'an OPEN_RETURN_PATH with a payload',
    write: begun((writer) => writer.rawCommand(1, Buffer.alloc(1))),
    line: /OPEN_RETURN_PATH received with bad length - expecting 0, got 1/,
  },
  { id: '52', what: 'a stream that is cut in the header of a command', write: cutBehind(raw('08 0002 00')), cut: true },
  {
    id: '53',
    what: 'a PING inside a package without a return path',
    write: begun((writer) => writer.packaged(hex('08 0002 0004 00001234 00'))),
    line: /received with no return path/,
  },
  {
    id: '60.cut',
    what: 'a package that is cut',
    write: cutBehind((writer) => {
      writer.rawCommand(7, u32(100));
      writer.out.bytes(Buffer.alloc(3));
    }),
    cut: true,
    line: /CMD_PACKAGED: Buffer receive fail ret=3 length=100/,
  },
  {
    id: '70.unknown',
    what: 'a question for the bitmap of an unknown block',
    write: begun((writer) => writer.recvBitmap('foo')),
    line: /block 'foo' not found/,
  },
  {
    id: '70.empty',
    what: 'a question for a bitmap without a name',
    write: begun((writer) => writer.command('RECV_BITMAP', Buffer.alloc(1))),
    line: /failed to read block name/,
  },
  {
    id: '70.length',
    what: 'a question for a bitmap with more behind the name',
    write: begun((writer) => writer.command('RECV_BITMAP', hex('03 72616d 00'))),
    line: /invalid payload length \(5\)/,
  },
  {
    id: '71',
    what: 'an advice of RAM pages where postcopy is off',
    write: begun((writer) => writer.postcopyAdvise(4096)),
    line: /RAM postcopy is disabled but have 16 byte advise/,
    defect: 'MIG-DEF-12',
  },
];
