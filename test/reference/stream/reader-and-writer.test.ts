import { expect } from 'chai';
import { streamRules } from '../../../reference/dialects/stream.js';
import { ByteOutput } from '../../../reference/stream/byte-output.js';
import { encodeGlobalState, encodeTimer } from '../../../reference/stream/device-layout.js';
import { StreamError } from '../../../reference/stream/stream-error.js';
import { StreamReader } from '../../../reference/stream/stream-reader.js';
import { build, hex, load, machine, ramBlock, ramId, ramSize } from './builder.js';
import { vector } from './recordings.js';

const page = Buffer.alloc(4096, 0x41);

describe('StreamWriter', () => {
  it('builds the smallest stream of stream-format.md §11', () => {
    const bytes = build('7.2', (writer) => {
      writer.header();
      writer.configuration('none');
      writer.start(7, 'ram', 0, 4);
      writer.ram.setup([{ name: 'ram', length: ramSize }]);
      writer.ram.eos();
      writer.footer();
      writer.part(7);
      writer.ram.page(ramBlock, 0x1000, page, 0);
      writer.ram.eos();
      writer.footer();
      writer.end(7);
      writer.ram.eos();
      writer.footer();
      writer.eof();
      writer.vmdescription('{}');
    });
    const eos = '0000000000000010';
    const expected = Buffer.concat([
      hex('5145564d 00000003 07 00000004 6e6f6e65'),
      hex(`01 00000007 03 72616d 00000000 00000004 0000000000200004 03 72616d 0000000000200000 ${eos} 7e 00000007`),
      hex('02 00000007 0000000000001008 03 72616d'),
      page,
      hex(`${eos} 7e 00000007 03 00000007 ${eos} 7e 00000007 00 06 00000002 7b7d`),
    ]);
    expect(bytes.equals(expected)).to.equal(true);
    for (const dialect of ['3.0', '7.2', '10.0'] as const) {
      const { reason, loader } = load(dialect, bytes);
      expect(reason).to.equal('complete');
      expect(loader.ram.blocks[0]!.bytes.subarray(0x1000, 0x2000).equals(page)).to.equal(true);
    }
  });

  it('builds the whole stream of a real source with an empty machine', () => {
    const recorded = vector('7.2-none-zero.bin');
    const rules = streamRules['7.2'];
    const ids = rules.sectionIds;
    const size = 1024 * 1024;
    const bytes = machine('7.2', (writer) => {
      writer.start(ids.ram!, 'ram', 0, 4);
      writer.ram.setup([{ name: 'ram', length: size }]);
      writer.ram.eos();
      writer.footer();
      writer.part(ids.ram!);
      for (let offset = 0; offset < size; offset += 4096) writer.ram.zero(ramBlock, offset);
      writer.ram.eos();
      writer.footer();
      writer.end(ids.ram!);
      writer.ram.eos();
      writer.footer();
      // Tick counts of the recorded run.
      const timer = recorded.subarray(recorded.indexOf('timer') + 13);
      writer.device(ids.timer!, 'timer', 0, 2, encodeTimer(timer.readBigInt64BE(0), timer.readBigInt64BE(16)));
      const state = recorded.toString('latin1').includes('prelaunch') ? 'prelaunch' : 'running';
      writer.device(ids.globalstate!, 'globalstate', 0, 1, encodeGlobalState(rules, state));
      writer.eof();
      writer.vmdescription(recorded.toString('latin1', recorded.lastIndexOf('{"page_size"')));
    });
    expect(bytes.equals(recorded)).to.equal(true);
  });

  it('returns record lengths', () => {
    build('7.2', ({ ram }) => {
      expect(ram.zero(ramBlock, 0)).to.equal(13);
      expect(ram.zero(ramBlock, 4096)).to.equal(9);
      expect(ram.page(ramBlock, 8192, page, 0)).to.equal(4104);
      expect(ram.pageReference(ramBlock, 0, page)).to.equal(4104);
      expect(ram.xbzrle(ramBlock, 0, Buffer.alloc(10))).to.equal(21);
      expect(ram.compressed(ramBlock, 0, Buffer.alloc(100))).to.equal(112);
      ram.forgetBlock();
      expect(ram.page({ name: 'pc.ram' }, 0, page, 0)).to.equal(4096 + 8 + 7);
    });
  });

  it('splits discards into commands of at most 12 ranges', () => {
    const ranges = Array.from({ length: 30 }, (_, i) => ({ start: i * 8192, length: 4096 }));
    const bytes = build('7.2', (writer) => writer.postcopyDiscard('ram', ranges));
    expect(bytes.length).to.equal(3 * (5 + 6) + 30 * 16);
  });
});

describe('ByteOutput', () => {
  it('keeps order across chunks, references and reuse', () => {
    const out = new ByteOutput(16);
    const expected: Buffer[] = [];
    const taken: Buffer[] = [];
    for (let i = 0; i < 200; i++) {
      const bytes = Buffer.alloc(i % 23, i);
      if (i % 3 === 0) out.reference(bytes);
      else out.bytes(bytes);
      out.be16(i);
      expected.push(bytes, Buffer.from([i >> 8, i & 255]));
      if (i % 7 === 0) {
        const buffers = out.take();
        taken.push(...buffers.map((buffer) => Buffer.from(buffer)));
        out.recycle(buffers);
      }
    }
    taken.push(...out.take());
    expect(Buffer.concat(taken).equals(Buffer.concat(expected))).to.equal(true);
    expect(out.total).to.equal(Buffer.concat(expected).length);
    expect(out.pending).to.equal(0);
  });

  it('writes 64-bit numbers exactly', () => {
    const out = new ByteOutput();
    out.be64(2 ** 53 - 1);
    out.be64(0xffff_ffff_ffff_f000);
    expect(out.takeJoined().toString('hex')).to.equal('001ffffffffffffffffffffffffff000');
  });
});

describe('StreamReader', () => {
  const pages = machine('7.2', (writer) => {
    writer.start(ramId, 'ram', 0, 4);
    writer.ram.setup([{ name: 'ram', length: ramSize }]);
    for (let offset = 0; offset < ramSize; offset += 4096) writer.ram.page(ramBlock, offset, page, 0);
    writer.ram.eos();
    writer.footer();
    writer.eof();
    writer.vmdescription('{}');
  });

  it('stops before the next record when the handler pauses, and goes on', async () => {
    let seen = 0;
    let completed = 0;
    const reader = new StreamReader(
      { rules: streamRules['7.2'] },
      {
        ramPage: () => {
          if (++seen % 100 === 0) reader.pause();
        },
        complete: () => {
          completed++;
        },
      },
    );
    expect(reader.push(pages)).to.equal(false);
    expect(seen).to.equal(100);
    const drained = reader.drained();
    reader.resume();
    await drained;
    expect(seen).to.equal(200);
    expect(reader.paused).to.equal(true);
    while (reader.paused) reader.resume();
    expect(seen).to.equal(512);
    expect([reader.status, completed]).to.deep.equal(['complete', 1]);
    reader.end();
    expect(completed).to.equal(1);
  });

  it('hands out views without a copy where a page lies in one chunk', () => {
    let inside = 0;
    const reader = new StreamReader(
      { rules: streamRules['7.2'] },
      {
        ramPage: (_block, _offset, _kind, bytes) => {
          if (bytes.buffer === pages.buffer) inside++;
        },
      },
    );
    reader.push(pages);
    expect(inside).to.equal(512);
  });

  it('passes on what a handler throws, and reads nothing more', () => {
    const reader = new StreamReader(
      { rules: streamRules['7.2'] },
      {
        ramPage: () => {
          throw new TypeError('disk full');
        },
      },
    );
    expect(() => reader.push(pages)).to.throw(TypeError, 'disk full');
    expect(reader.status).to.equal('failed');
    expect(reader.error).to.be.instanceOf(TypeError);
    reader.push(pages);
    reader.end();
  });

  it('waits for the byte behind EOF, and leaves what comes behind the vmdescription', () => {
    const reader = new StreamReader({ rules: streamRules['7.2'] }, {});
    reader.push(pages.subarray(0, pages.length - 7));
    expect(reader.status).to.equal('reading');
    reader.push(Buffer.concat([pages.subarray(pages.length - 7), hex('00000001')]));
    expect(reader.status).to.equal('complete');
    expect(reader.takeRest().toString('hex')).to.equal('00000001');
  });

  it('says where, what was expected and what came', () => {
    const reader = new StreamReader({ rules: streamRules['7.2'] }, {});
    const bad = Buffer.from(pages);
    bad[0x36 + 7] = 0x0a;
    let error: unknown;
    try {
      reader.push(bad);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).to.be.instanceOf(StreamError);
    const { message, failure, errno } = error as StreamError;
    expect(message).to.equal('offset 0x36: ram: record flags: expected one known flag, got 0xa (Invalid argument)');
    expect(failure).to.equal('load of migration failed: Invalid argument');
    expect(errno).to.equal(22);
  });
});
