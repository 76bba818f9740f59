/** RAM that was written to a file, and RAM that a stream brought, against what they must be. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { dialects } from '../../../reference/dialects/dialect.js';
import { StreamWriter } from '../../../reference/stream/stream-writer.js';
import { block } from '../../../suites/state-machine/feed.js';
import { ramPart, ramStart } from '../../../suites/stream-format/loading.js';
import { checkRamFile } from '../../../suites/stream-format/ram-file.js';
import { firstDifference, Recording } from '../../../suites/stream-format/recording.js';

const page = 4096;

describe('RAM in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'ram.bin');
  const content = Buffer.alloc(page, 'a');
  const ram = (...pages: readonly number[]): Buffer => {
    const all = Buffer.alloc(3 << 20);
    for (const one of pages) content.copy(all, one * page);
    return all;
  };
  const faultOf = (bytes: Buffer, ...pages: readonly number[]) => {
    writeFileSync(path, bytes);
    return checkRamFile(path, new Map(pages.map((one) => [one, content])));
  };

  it('is right with the expected pages and zeros elsewhere', () => {
    expect(faultOf(ram(0, 300, 767), 0, 300, 767)).to.deep.equal({ length: 3 << 20 });
    expect(faultOf(ram())).to.deep.equal({ length: 3 << 20 });
  });

  it('is wrong in the first page that has other bytes', () => {
    expect(faultOf(ram(0, 300), 0).fault?.page).to.equal(300);
    expect(faultOf(ram(0), 0, 767).fault).to.deep.equal({ page: 767, expected: content, got: Buffer.alloc(page) });
    const odd = ram(5);
    odd[5 * page + 7] = 1;
    expect(faultOf(odd, 5).fault?.page).to.equal(5);
  });

  it('tells its length, whole pages or not', () => {
    expect(faultOf(ram(0).subarray(0, page + 100), 0)).to.deep.include({ length: page + 100 });
  });
});

describe('RAM that a stream brought', () => {
  const expected = Buffer.concat([Buffer.alloc(page, 'a'), Buffer.alloc(page), Buffer.alloc(100, 'b')]);
  const ram = Buffer.alloc(1 << 20);
  beforeEach(() => {
    ram.fill(0);
    expected.copy(ram);
  });

  it('may go on with zeros behind what is expected', () => {
    expect(firstDifference(ram, expected)).to.equal(-1);
  });

  it('differs in the first page with another byte, before the end of what is expected or behind it', () => {
    ram[1 << 19] = 1;
    expect(firstDifference(ram, expected)).to.equal((1 << 19) / page);
    ram[2 * page + 99] = 1;
    expect(firstDifference(ram, expected)).to.equal(2);
  });

  it('differs where it ends too early', () => {
    expect(firstDifference(expected.subarray(0, page), expected)).to.equal(1);
  });
});

describe('RAM that is used again', () => {
  it('is zeros, whatever a recording has put there', () => {
    const rules = dialects['7.2'].stream;
    const stream = (...numbers: readonly number[]): Buffer => {
      const writer = new StreamWriter(rules);
      writer.header();
      writer.configuration('none');
      ramStart(writer, 1 << 20);
      ramPart(writer, ({ ram }) => {
        for (const number of numbers) ram.page(block, number * page, Buffer.alloc(page, 'x'), 0);
        ram.zero(block, 200 * page);
      });
      return writer.out.takeJoined();
    };
    const first = new Recording(rules).read(stream(1, 255));
    first.place('ram', 3 * page, Buffer.alloc(page, 'y'));
    const held = first.contents('ram') as Buffer;
    expect([held[255 * page], held[3 * page]]).to.deep.equal([0x78, 0x79]);
    first.release();
    expect(first.contents('ram')).to.equal(undefined);
    const again = new Recording(rules).read(stream(7)).contents('ram') as Buffer;
    expect(again).to.equal(held);
    expect(firstDifference(again.subarray(8 * page), Buffer.alloc(0))).to.equal(-1);
    expect(firstDifference(again, Buffer.alloc(0))).to.equal(7);
  });
});
