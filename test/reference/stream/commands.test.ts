import { expect } from 'chai';
import type { StreamWriter } from '../../../reference/stream/stream-writer.js';
import {
  type DestinationOptions,
  hex,
  load,
  machine,
  ramBlock,
  ramId,
  ramSize,
  ramStart,
  type TestDialect,
} from './builder.js';
import { fragments } from './recordings.js';

interface Row {
  readonly name: string;
  readonly steps: (writer: StreamWriter, dialect: TestDialect) => void;
  readonly lines: readonly string[];
  readonly reason: string;
  readonly dialects?: readonly TestDialect[];
  readonly options?: DestinationOptions;
}

const postcopy: DestinationOptions = { capabilities: ['postcopy-ram'] };
const page = Buffer.alloc(4096, 0x41);

/** Everything up to the package, with one page to discard. */
function advised(writer: StreamWriter): void {
  writer.command('OPEN_RETURN_PATH');
  writer.postcopyAdvise(4096);
  ramStart(writer);
  writer.part(ramId);
  writer.ram.page(ramBlock, 0x1000, page, 0);
  writer.ram.eos();
  writer.footer();
}
/** Up to and including the package: the guest runs. */
function running(writer: StreamWriter): void {
  advised(writer);
  writer.postcopyDiscard('ram', [{ start: 0x1000, length: 0x1000 }]);
  writer.packaged(
    packageOf((inner) => {
      inner.command('POSTCOPY_LISTEN');
      inner.command('POSTCOPY_RUN');
    }),
  );
  writer.ram.forgetBlock();
  writer.part(ramId);
}
function packageOf(steps: (writer: StreamWriter) => void, dialect: TestDialect = '7.2'): Buffer {
  // Header and configuration of a machine stream are 17 bytes; a package has neither.
  return machine(dialect, steps).subarray(17);
}
function discard(payload: string): (writer: StreamWriter) => void {
  return (writer) => {
    advised(writer);
    writer.command('POSTCOPY_RAM_DISCARD', hex(payload));
  };
}
const range = '0000000000001000 0000000000001000';

const rows: Row[] = [
  {
    name: 'number 0',
    steps: (writer) => writer.rawCommand(0, hex('')),
    lines: ['MIG_CMD 0x0 unknown (len 0x0)'],
    reason: 'INV',
  },
  {
    name: 'a number beyond the last',
    steps: (writer) => writer.rawCommand(12, hex('')),
    lines: ['MIG_CMD 0xc unknown (len 0x0)'],
    reason: 'INV',
  },
  {
    name: 'number 10 in the baseline',
    steps: (writer) => writer.rawCommand(10, hex('')),
    lines: ['MIG_CMD 0xa unknown (len 0x0)'],
    reason: 'INV',
    dialects: ['3.0'],
  },
  {
    name: 'a wrong fixed length',
    steps: (writer) => writer.command('PING', Buffer.alloc(8)),
    lines: ['PING received with bad length - expecting 4, got 8'],
    reason: 'RANGE',
  },
  { name: 'a cut command', steps: (writer) => writer.out.bytes(hex('08 00')), lines: [], reason: 'IO' },
  {
    name: 'PING without return path',
    steps: (writer) => writer.ping(0x1234),
    lines: ['CMD_PING (0x1234) received with no return path'],
    reason: 'PERM',
  },
  {
    name: 'PING without return path in a package',
    steps: (writer) => writer.packaged(packageOf((inner) => inner.ping(3))),
    lines: ['CMD_PING (0x3) received with no return path'],
    reason: 'PERM',
  },
  {
    name: 'RAM advised, capability off',
    steps: (writer) => writer.postcopyAdvise(4096),
    lines: ['RAM postcopy is disabled but have 16 byte advise'],
    reason: 'INV',
  },
  {
    name: 'no RAM advised, capability on',
    steps: (writer) => writer.postcopyAdvise(),
    lines: ['RAM postcopy is enabled but have 0 byte advise'],
    reason: 'INV',
    options: postcopy,
  },
  {
    name: 'an advise of 8 bytes',
    steps: (writer) => writer.command('POSTCOPY_ADVISE', Buffer.alloc(8)),
    lines: ['CMD_POSTCOPY_ADVISE invalid length (8)'],
    reason: 'INV',
    options: postcopy,
  },
  {
    name: 'other RAM page sizes',
    steps: (writer) => writer.postcopyAdvise(0x2000),
    lines: ['Postcopy needs matching RAM page sizes (s=2000 d=1000)'],
    reason: 'PERM',
    options: postcopy,
  },
  {
    name: 'another target page size',
    steps: (writer) => writer.postcopyAdvise(4096, 8192),
    lines: ['Postcopy needs matching target page sizes (s=8192 d=4096)'],
    reason: 'PERM',
    options: postcopy,
  },
  {
    name: 'advise twice',
    steps: (writer) => {
      writer.postcopyAdvise(4096);
      writer.postcopyAdvise(4096);
    },
    lines: ['CMD_POSTCOPY_ADVISE in wrong postcopy state (1)'],
    reason: 'PERM',
    options: postcopy,
  },
  {
    name: 'LISTEN without advise',
    steps: (writer) => writer.command('POSTCOPY_LISTEN'),
    lines: ['CMD_POSTCOPY_LISTEN in wrong postcopy state (0)'],
    reason: 'PERM',
  },
  {
    name: 'RUN without LISTEN',
    steps: (writer) => writer.command('POSTCOPY_RUN'),
    lines: ['CMD_POSTCOPY_RUN in wrong postcopy state (0)'],
    reason: 'PERM',
  },
  {
    name: 'DISCARD without advise',
    steps: (writer) => writer.postcopyDiscard('ram', [{ start: 0, length: 4096 }]),
    lines: ['CMD_POSTCOPY_RAM_DISCARD in wrong postcopy state (0)'],
    reason: 'PERM',
  },
  {
    name: 'LISTEN twice',
    steps: (writer) => {
      advised(writer);
      writer.postcopyDiscard('ram', [{ start: 0x1000, length: 0x1000 }]);
      writer.packaged(
        packageOf((inner) => {
          inner.command('POSTCOPY_LISTEN');
          inner.command('POSTCOPY_LISTEN');
        }),
      );
    },
    lines: ['CMD_POSTCOPY_LISTEN in wrong postcopy state (3)'],
    reason: 'PERM',
    options: postcopy,
  },
  {
    name: 'a package without RUN and without EOF',
    steps: (writer) => {
      advised(writer);
      writer.postcopyDiscard('ram', [{ start: 0x1000, length: 0x1000 }]);
      writer.packaged(packageOf((inner) => inner.command('POSTCOPY_LISTEN')));
    },
    lines: [],
    reason: 'IO',
    options: postcopy,
  },
  {
    name: 'RUN without any discard before LISTEN',
    steps: (writer) => {
      advised(writer);
      writer.packaged(
        packageOf((inner) => {
          inner.command('POSTCOPY_LISTEN');
          inner.command('POSTCOPY_RUN');
        }),
      );
    },
    lines: ['CMD_POSTCOPY_RUN in wrong postcopy state (2)'],
    reason: 'PERM',
    options: postcopy,
  },
  ...(
    [
      ['6 bytes', '00 03 72616d 00', 'CMD_POSTCOPY_RAM_DISCARD invalid length (6)'],
      ['half a range', `00 03 72616d 00 ${range} 0000000000000000`, 'CMD_POSTCOPY_RAM_DISCARD invalid length (24)'],
      ['version 1', `01 03 72616d 00 ${range}`, 'CMD_POSTCOPY_RAM_DISCARD invalid version (1)'],
      ['no name', `00 00 00 ${range} 00`, 'CMD_POSTCOPY_RAM_DISCARD Failed to read RAMBlock ID'],
      ['no nil', `00 03 72616d 01 ${range}`, 'CMD_POSTCOPY_RAM_DISCARD missing nil (1)'],
      ['unknown block', `00 03 666f6f 00 ${range}`, "ram_discard_range: Failed to find block 'foo'"],
      [
        'overrun',
        '00 03 72616d 00 0000000000200000 0000000000001000',
        "ram_block_discard_range: Overrun block 'ram' (2097152/1000/200000)",
      ],
      [
        'unaligned start',
        '00 03 72616d 00 0000000000000800 0000000000001000',
        'ram_block_discard_range: Unaligned start address: 0x800',
      ],
    ] as const
  ).map(
    ([name, payload, line]): Row => ({
      name: `discard: ${name}`,
      steps: discard(payload),
      lines: [line],
      reason: 'PERM',
      options: postcopy,
    }),
  ),
  {
    name: 'a cut package',
    steps: (writer) => {
      writer.command('PACKAGED', hex('00000064'));
      writer.out.bytes(hex('010203'));
    },
    lines: ['CMD_PACKAGED: Buffer receive fail ret=3 length=100'],
    reason: 'AGAIN',
  },
  {
    name: 'a package of 4 GiB',
    steps: (writer) => {
      writer.command('PACKAGED', hex('ffffffff'));
      writer.out.bytes(Buffer.alloc(1000));
    },
    lines: ['CMD_PACKAGED: Buffer receive fail ret=1000 length=4294967295'],
    reason: 'AGAIN',
  },
  {
    name: 'recv-bitmap of an unknown block',
    steps: (writer) => writer.recvBitmap('foo'),
    lines: ["loadvm_handle_recv_bitmap: block 'foo' not found"],
    reason: 'INV',
  },
  {
    name: 'recv-bitmap without a name',
    steps: (writer) => writer.recvBitmap(''),
    lines: ['loadvm_handle_recv_bitmap: failed to read block name'],
    reason: 'INV',
  },
  {
    name: 'recv-bitmap of a wrong length',
    steps: (writer) => writer.command('RECV_BITMAP', hex('03 72616d 00')),
    lines: ['loadvm_handle_recv_bitmap: invalid payload length (5)'],
    reason: 'INV',
  },
  {
    name: 'what a destination only mentions',
    steps: (writer) => {
      writer.command('OPEN_RETURN_PATH');
      writer.command('OPEN_RETURN_PATH');
      writer.command('POSTCOPY_RESUME');
      writer.recvBitmap('ram');
      writer.packaged(hex('00'));
      writer.eof();
      writer.vmdescription('{}');
    },
    lines: [
      'CMD_OPEN_RETURN_PATH called when RP already open',
      'loadvm_postcopy_handle_resume: illegal resume received',
      'migrate_send_rp_recv_bitmap: MSG_RP_RECV_BITMAP only used for recovery',
    ],
    reason: 'complete',
  },
  {
    name: 'a delta after the switch to postcopy',
    steps: (writer) => {
      running(writer);
      writer.out.bytes(hex('0000000000001040 03 72616d 01 0000'));
    },
    lines: [
      'Unknown combination of migration flags: 0x40 (postcopy mode)',
      'error while loading state section id 1(ram)',
      'Detected IO failure for postcopy. Migration paused.',
    ],
    reason: 'INV',
    options: postcopy,
  },
  {
    name: 'a page that was not discarded',
    steps: (writer) => {
      running(writer);
      writer.ram.page(ramBlock, 0x1000, page, 0);
      writer.ram.page(ramBlock, 0x1000, page, 0);
    },
    lines: [
      'postcopy_place_page: File exists copy host: 0x1000',
      'error while loading state section id 1(ram)',
      'Detected IO failure for postcopy. Migration paused.',
    ],
    reason: 'EXIST',
    options: postcopy,
  },
  {
    name: 'the connection is cut in postcopy',
    steps: (writer) => {
      running(writer);
      writer.ram.eos();
      writer.footer();
    },
    lines: ['Detected IO failure for postcopy. Migration paused.'],
    reason: 'IO',
    options: postcopy,
  },
  {
    name: 'a whole postcopy; pages that never come read as zero',
    steps: (writer) => {
      running(writer);
      writer.ram.page(ramBlock, 0x5000, page, 0);
      writer.ram.eos();
      writer.footer();
      writer.end(ramId);
      writer.ram.eos();
      writer.footer();
      writer.eof();
    },
    lines: [],
    reason: 'complete',
    options: postcopy,
  },
];

describe('commands (stream-format.md §4, §9, §10)', () => {
  for (const row of rows) {
    it(row.name, () => {
      for (const dialect of row.dialects ?? (['3.0', '7.2', '10.0'] as const)) {
        const bytes = machine(dialect, (writer) => row.steps(writer, dialect));
        for (const pieces of [undefined, (all: Buffer) => fragments(all, () => 1)]) {
          const options = pieces === undefined ? {} : { pieces };
          const { lines, reason } = load(dialect, bytes, { ...row.options, ...options });
          expect({ lines, reason }, dialect).to.deep.equal({ lines: row.lines, reason: row.reason });
        }
      }
    });
  }

  it('discards make pages absent', () => {
    const bytes = machine('7.2', discard(`00 03 72616d 00 ${range}`));
    const { loader } = load('7.2', bytes, postcopy);
    expect(loader.ram.blocks[0]!.bytes.equals(Buffer.alloc(ramSize))).to.equal(true);
    expect(loader.received(loader.ram.blocks[0]!).count).to.equal(0);
    expect(loader.counts.discarded).to.equal(1);
  });

  it('RESUME and RECV_BITMAP have other numbers in the baseline', () => {
    const numbers = (dialect: TestDialect): string =>
      packageOf((writer) => {
        writer.command('POSTCOPY_RESUME');
        writer.recvBitmap('r');
      }, dialect).toString('hex');
    expect(numbers('3.0')).to.equal('080008000008000900020172');
    expect(numbers('7.2')).to.equal('080009000008000a00020172');
    expect(numbers('10.0')).to.equal(numbers('7.2'));
  });
});
