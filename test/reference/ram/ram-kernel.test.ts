import { expect } from 'chai';
import fc from 'fast-check';
import { createGuestRam, pageSize } from '../../../reference/ram/guest-ram.js';
import { outputRoom } from '../../../reference/ram/ram-memory.js';
import { encodeXbzrle } from '../../../reference/ram/xbzrle-encode.js';
import { isZeroPage } from '../../../reference/ram/zero-page.js';
import { ByteOutput } from '../../../reference/stream/byte-output.js';
import { RamFlag } from '../../../reference/stream/format.js';
import { RamRecordWriter } from '../../../reference/stream/ram-record-writer.js';
import { load, ramBlock, ramPart, ramSize } from '../stream/builder.js';
import { seeded } from '../stream/recordings.js';

const skipped = '      skipped: this processor has no WebAssembly SIMD';

describe('runs of records', () => {
  it('are written in one call as they are singly, zero pages and addresses beyond 2 GiB included', function () {
    // Untouched memory costs nothing: this guest's output lies behind 2.5 GiB.
    const size = 1280 * 1024 * 1024;
    const ram = createGuestRam([
      { name: 'low', size },
      { name: 'ram', size: 64 * pageSize },
    ]);
    const { memory } = ram;
    if (memory === undefined) {
      console.log(skipped);
      this.skip();
    }
    const output = memory.lendOutput()!;
    expect(output.byteOffset).to.be.above(2 ** 31);
    expect(memory.lendOutput(), 'lent twice').to.equal(undefined);
    const random = seeded(5);
    for (const block of ram.blocks) {
      for (let page = 0; page < 64; page++) {
        // Pages that are zero but for one byte anywhere, and others.
        const at = page * pageSize + Math.floor(random() * pageSize);
        if (page % 3 === 0) block.bytes[at] = 1;
        else if (page % 3 === 1) block.bytes.fill(page, page * pageSize, (page + 1) * pageSize);
      }
      const singly = new RamRecordWriter(new ByteOutput());
      const out = new ByteOutput(outputRoom, output);
      const many = new RamRecordWriter(out);
      expect(many.pages(block, 0, 8, memory, block.base), 'before a record with the name').to.equal(0);
      const single = (page: number, writer: RamRecordWriter): number =>
        isZeroPage(block.bytes, page * pageSize)
          ? writer.zero(block, page * pageSize)
          : writer.page(block, page * pageSize, block.bytes, page * pageSize);
      let bytes = 0;
      for (let page = 0; page < 64; page++) bytes += single(page, singly);
      const run = (from: number, count: number): number =>
        many.pages(block, from * pageSize, count, memory, block.base + from * pageSize);
      expect(single(0, many) + run(1, 1) + run(2, 62)).to.equal(bytes);
      out.recycle(out.take());
    }
    const elsewhere = new RamRecordWriter(new ByteOutput());
    const [block] = ram.blocks;
    elsewhere.zero(block!, 0);
    expect(elsewhere.pages(block!, pageSize, 8, memory, pageSize), 'output outside the memory').to.equal(0);
    memory.giveBackOutput();
    expect(memory.lendOutput()).to.equal(output);
  });

  it('have the bytes that single records have', function () {
    const ram = createGuestRam([{ name: 'ram', size: 300 * pageSize }]);
    const { memory } = ram;
    if (memory === undefined) {
      console.log(skipped);
      this.skip();
    }
    const block = ram.blocks[0]!;
    const random = seeded(6);
    for (let page = 0; page < 300; page++) {
      if (random() < 0.6)
        block.bytes.fill(page, page * pageSize + Math.floor(random() * pageSize), (page + 1) * pageSize);
    }
    const one = new ByteOutput();
    const singly = new RamRecordWriter(one);
    const two = new ByteOutput(outputRoom, memory.lendOutput());
    const many = new RamRecordWriter(two);
    const taken: Buffer[] = [];
    for (const writer of [singly, many]) writer.page(block, 0, block.bytes, 0);
    for (let page = 1; page < 300; ) {
      const count = Math.min(300 - page, 1 + Math.floor(random() * 100));
      for (let n = page; n < page + count; n++) {
        if (isZeroPage(block.bytes, n * pageSize)) singly.zero(block, n * pageSize);
        else singly.page(block, n * pageSize, block.bytes, n * pageSize);
      }
      expect(many.pages(block, page * pageSize, count, memory, page * pageSize)).to.be.above(0);
      const buffers = two.take();
      taken.push(...buffers.map((buffer) => Buffer.from(buffer)));
      two.recycle(buffers);
      page += count;
    }
    expect(Buffer.concat(taken).equals(one.takeJoined())).to.equal(true);
  });

  it('are applied at once as they are singly, damaged ones and any pieces included, wherever the bytes lie', () => {
    const old = Buffer.alloc(pageSize);
    const fresh = Buffer.alloc(pageSize);
    const delta = Buffer.alloc(2 * pageSize);
    // Runs of pages that follow one another, and single ones.
    const record = fc.record({
      kind: fc.constantFrom('page', 'zero', 'filled', 'xbzrle', 'xbzrle'),
      step: fc.option(fc.nat(ramSize / pageSize - 1), { freq: 2 }),
      at: fc.nat(pageSize - 1),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom('3.0', '7.2', '10.0'),
        fc.array(record, { minLength: 1, maxLength: 40 }),
        fc.option(fc.record({ at: fc.nat(), value: fc.nat(255) })),
        fc.integer({ min: 1, max: 9000 }),
        (dialect, edits, damage, piece) => {
          let records = 0;
          const stream = ramPart(dialect, (writer) => {
            writer.ram.zero(ramBlock, 0);
            records = writer.out.pending;
            let page = 0;
            for (const { kind, step, at, bytes } of edits) {
              page = step ?? (page + 1) % (ramSize / pageSize);
              fresh.fill(0);
              fresh.set(bytes.subarray(0, pageSize - at), at);
              if (kind === 'page') writer.ram.page(ramBlock, page * pageSize, Buffer.from(fresh), 0);
              else if (kind === 'zero') writer.ram.zero(ramBlock, page * pageSize);
              else if (kind === 'filled') {
                writer.out.be64(page * pageSize + (RamFlag.zero | RamFlag.continue));
                writer.out.u8(bytes[0]!);
              } else {
                const length = encodeXbzrle(old, 0, fresh, 0, delta);
                writer.ram.xbzrle(ramBlock, page * pageSize, delta, Math.max(length, 0));
              }
            }
            records = writer.out.pending - records;
            writer.ram.eos();
            writer.footer();
          });
          if (damage !== null) stream[stream.length - 13 - records + (damage.at % records)] = damage.value;
          const pieces = function* (bytes: Buffer): Generator<Buffer> {
            for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
          };
          const singly = load(dialect, stream, { singly: true });
          for (const options of [{ pieces }, { pieces, lent: true }, { lent: true }]) {
            const atOnce = load(dialect, stream, options);
            expect(atOnce.lines).to.deep.equal(singly.lines);
            expect(atOnce.reason).to.equal(singly.reason);
            expect(atOnce.loader.counts).to.deep.equal(singly.loader.counts);
            const [mine, theirs] = [atOnce, singly].map(({ loader }) => loader.ram.blocks[0]!);
            expect(mine!.bytes.equals(theirs!.bytes)).to.equal(true);
            expect([...atOnce.loader.received(mine!).words]).to.deep.equal([...singly.loader.received(theirs!).words]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
