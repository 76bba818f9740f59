import { expect } from 'chai';
import type { StreamWriter } from '../../../reference/stream/stream-writer.js';
import { build, hex, load, machine, ramBlock, ramSize, type TestDialect } from './builder.js';
import { be32, capabilities, config, later, page, type Row } from './stream-rows.js';

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
