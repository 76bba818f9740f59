import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import fc from 'fast-check';
import { createGuestRam, pageSize } from '../../../reference/ram/guest-ram.js';
import { createRamMemory, type RamMemory } from '../../../reference/ram/ram-memory.js';
import { XbzrleCache } from '../../../reference/ram/xbzrle-cache.js';
import { XbzrleCounters } from '../../../reference/ram/xbzrle-counters.js';
import { decodeXbzrle } from '../../../reference/ram/xbzrle-decode.js';
import { encodeXbzrle } from '../../../reference/ram/xbzrle-encode.js';
import { XbzrleEncoder } from '../../../reference/ram/xbzrle-encoder.js';
import { seeded, sha256, vector } from '../stream/recordings.js';

type Patch = readonly [number, string];
type PageSpec = string | { base?: string; size?: number; fill?: number; patch?: readonly Patch[] };
interface EncodeCase {
  readonly name: string;
  readonly old: PageSpec;
  readonly new: PageSpec;
  readonly dlen?: number;
  readonly ret: number;
  readonly enc?: PageSpec;
  readonly enc_sha256?: string;
  readonly decode_ret?: number;
}
interface DecodeCase {
  readonly name: string;
  readonly enc: PageSpec;
  readonly page: PageSpec;
  readonly ret: number;
  readonly result_sha256: string;
}
const pairs = JSON.parse(vector('xbzrle-pairs.json').toString()) as {
  pages: Record<string, string>;
  encode: EncodeCase[];
  decode: DecodeCase[];
};

function bytesOf(spec: PageSpec, old?: Buffer): Buffer {
  if (typeof spec === 'string') return Buffer.from(spec, 'hex');
  const base =
    spec.base === 'old' ? old! : spec.base === undefined ? undefined : Buffer.from(pairs.pages[spec.base]!, 'hex');
  const bytes = base === undefined ? Buffer.alloc(spec.size!, spec.fill) : Buffer.from(base);
  for (const [offset, hex] of spec.patch ?? []) Buffer.from(hex, 'hex').copy(bytes, offset);
  return bytes;
}

/** The encoder of xbzrle.md §2, step by step and one byte at a time. */
function plainEncode(old: Buffer, fresh: Buffer, limit: number): Buffer | number {
  const out: number[] = [];
  const length = (value: number): void => {
    if (value < 128) out.push(value);
    else out.push((value & 127) | 128, value >> 7);
  };
  for (let i = 0; i < fresh.length; ) {
    if (out.length + 2 > limit) return -1;
    let start = i;
    while (i < fresh.length && old[i] === fresh[i]) i++;
    if (i - start === fresh.length) return 0;
    if (i === fresh.length) break;
    length(i - start);
    if (out.length + 2 > limit) return -1;
    start = i;
    while (i < fresh.length && old[i] !== fresh[i]) i++;
    length(i - start);
    if (out.length + i - start > limit) return -1;
    out.push(...fresh.subarray(start, i));
  }
  return Buffer.from(out);
}

function kernel(context: Mocha.Context): RamMemory {
  const memory = createRamMemory(3 * pageSize);
  if (memory !== undefined) return memory;
  console.log('      skipped: this processor has no WebAssembly SIMD');
  return context.skip();
}

/** Pages that differ in runs of any length, of which each byte may be equal by chance. */
const changedPages = fc
  .record({
    fill: fc.integer({ min: 0, max: 255 }),
    runs: fc.array(
      fc.record({
        at: fc.integer({ min: 0, max: pageSize - 1 }),
        bytes: fc.oneof(
          { weight: 4, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 9 }) },
          { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }) },
        ),
        times: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 1500 })),
      }),
      { maxLength: 60 },
    ),
    limit: fc.oneof({ weight: 3, arbitrary: fc.constant(pageSize) }, fc.integer({ min: 0, max: pageSize })),
  })
  .map(({ fill, runs, limit }) => {
    const old = Buffer.alloc(pageSize, fill);
    const fresh = Buffer.from(old);
    for (const { at, bytes, times } of runs) {
      const end = Math.min(pageSize, at + bytes.length * times);
      fresh.fill(bytes, at, end);
    }
    return { old, fresh, limit };
  });

describe('XBZRLE', () => {
  it('encodes as the C functions of QEMU do', () => {
    expect(pairs.encode).to.have.length(71);
    for (const { name, ...test } of pairs.encode) {
      const old = bytesOf(test.old);
      const fresh = bytesOf(test.new, old);
      const out = Buffer.alloc(2 * old.length + 16);
      const ret = encodeXbzrle(old, 0, fresh, 0, out, 0, old.length, test.dlen ?? old.length);
      expect(ret, name).to.equal(test.ret);
      if (ret <= 0) continue;
      const encoded = out.subarray(0, ret);
      expect(sha256(encoded), name).to.equal(test.enc_sha256);
      if (test.enc !== undefined) expect(encoded.equals(bytesOf(test.enc)), name).to.equal(true);
      const page = Buffer.from(old);
      expect(decodeXbzrle(encoded, 0, ret, page, 0, page.length), name).to.equal(test.decode_ret);
      expect(page.equals(fresh), name).to.equal(true);
    }
  });

  it('decodes as the C functions of QEMU do, damage included', () => {
    expect(pairs.decode).to.have.length(22);
    for (const { name, ...test } of pairs.decode) {
      const encoded = bytesOf(test.enc);
      const page = bytesOf(test.page);
      expect(decodeXbzrle(encoded, 0, encoded.length, page, 0, page.length), name).to.equal(test.ret);
      expect(sha256(page), name).to.equal(test.result_sha256);
    }
  });

  it('encodes in WebAssembly as the C functions of QEMU do', function () {
    const memory = kernel(this);
    let pages = 0;
    for (const { name, ...test } of pairs.encode) {
      const old = bytesOf(test.old);
      if (old.length !== pageSize) continue;
      pages++;
      old.copy(memory.bytes, 0);
      bytesOf(test.new, old).copy(memory.bytes, pageSize);
      const ret = memory.encode(0, pageSize, test.dlen ?? pageSize);
      expect(ret, name).to.equal(test.ret);
      if (ret <= 0) continue;
      expect(sha256(memory.bytes.subarray(memory.delta, memory.delta + ret)), name).to.equal(test.enc_sha256);
      expect(memory.decode(memory.delta, ret, 0), name).to.equal(test.decode_ret);
      expect(memory.bytes.compare(memory.bytes, 0, pageSize, pageSize, 2 * pageSize), name).to.equal(0);
    }
    expect(pages).to.be.above(50);
  });

  it('decodes in WebAssembly as the C functions of QEMU do, damage included', function () {
    const memory = kernel(this);
    let pages = 0;
    for (const { name, ...test } of pairs.decode) {
      const encoded = bytesOf(test.enc);
      const page = bytesOf(test.page);
      if (page.length !== pageSize || encoded.length > pageSize + 16) continue;
      pages++;
      page.copy(memory.bytes, pageSize);
      encoded.copy(memory.bytes, memory.delta);
      expect(memory.decode(memory.delta, encoded.length, pageSize), name).to.equal(test.ret);
      expect(sha256(memory.bytes.subarray(pageSize, 2 * pageSize)), name).to.equal(test.result_sha256);
    }
    expect(pages).to.be.above(15);
  });

  it('encodes and decodes in WebAssembly as in TypeScript, whatever the pages and the limit', function () {
    const memory = kernel(this);
    fc.assert(
      fc.property(changedPages, ({ old, fresh, limit }) => {
        const out = Buffer.alloc(2 * pageSize);
        const expected = encodeXbzrle(old, 0, fresh, 0, out, 0, pageSize, limit);
        old.copy(memory.bytes, 0);
        fresh.copy(memory.bytes, pageSize);
        expect(memory.encode(0, pageSize, limit)).to.equal(expected);
        if (expected <= 0) return;
        expect(memory.bytes.compare(out, 0, expected, memory.delta, memory.delta + expected)).to.equal(0);
        const page = Buffer.from(old);
        expect(memory.decode(memory.delta, expected, 0)).to.equal(decodeXbzrle(out, 0, expected, page));
        expect(memory.bytes.compare(page, 0, pageSize, 0, pageSize)).to.equal(0);
        expect(page.equals(fresh)).to.equal(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('treats damaged deltas in WebAssembly as in TypeScript, and leaves the neighbours of the page alone', function () {
    const memory = kernel(this);
    const byte = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 40 }), fc.integer({ min: 0, max: 40 }), (bytes, cut) => {
        const delta = Buffer.from(bytes.slice(0, cut));
        memory.bytes.fill(0x55, 0, 3 * pageSize);
        // What lies behind a delta is not part of it.
        memory.bytes.fill(1, memory.delta);
        delta.copy(memory.bytes, memory.delta);
        const plain = Buffer.alloc(3 * pageSize, 0x55);
        const expected = decodeXbzrle(delta, 0, delta.length, plain, pageSize);
        expect(memory.decode(memory.delta, delta.length, pageSize)).to.equal(expected);
        expect(memory.bytes.compare(plain, 0, plain.length, 0, plain.length)).to.equal(0);
      }),
      { numRuns: 3000 },
    );
  });

  it('has a WebAssembly module that was made of its source', async () => {
    // A build script without types; it needs the module tree that only a checkout has.
    const script = pathToFileURL(join(process.cwd(), 'scripts', 'compile-wat.mjs')).href;
    const { compiled } = (await import(script)) as { compiled(): Promise<string> };
    expect(readFileSync('reference/ram/ram-kernel-code.ts', 'utf8')).to.equal(await compiled());
  });

  it('agrees with a plain encoder at any offset and alignment', () => {
    const random = seeded(1);
    for (let i = 0; i < 3000; i++) {
      const [a, b] = [Math.floor(random() * 9), Math.floor(random() * 9)];
      const old = Buffer.alloc(pageSize + 16);
      const fresh = Buffer.alloc(pageSize + 16);
      for (let n = Math.floor(random() ** 4 * 3000); n > 0; n--) {
        fresh[b + Math.floor(random() * pageSize)] = 1 + Math.floor(random() * 255);
      }
      const out = Buffer.alloc(2 * pageSize);
      const expected = plainEncode(old.subarray(a, a + pageSize), fresh.subarray(b, b + pageSize), pageSize);
      const ret = encodeXbzrle(old, a, fresh, b, out, 7);
      if (typeof expected === 'number') expect(ret).to.equal(expected);
      else {
        expect(out.subarray(7, 7 + ret).equals(expected)).to.equal(true);
        expect(decodeXbzrle(out, 7, ret, old, a)).to.be.above(0);
        expect(old.subarray(a, a + pageSize).equals(fresh.subarray(b, b + pageSize))).to.equal(true);
      }
    }
  });

  it('never writes outside the page, whatever the delta says', () => {
    const random = seeded(2);
    for (let i = 0; i < 20_000; i++) {
      const delta = Buffer.from(
        Array.from({ length: Math.floor(random() * 12) }, () => Math.floor(random() ** 2 * 256)),
      );
      const memory = Buffer.alloc(3 * 64, 0x55);
      const ret = decodeXbzrle(delta, 0, delta.length, memory, 64, 64);
      expect(ret).to.be.within(-1, 64);
      expect(memory.subarray(0, 64).every((byte) => byte === 0x55)).to.equal(true);
      expect(memory.subarray(128).every((byte) => byte === 0x55)).to.equal(true);
    }
  });
});

describe('XBZRLE page cache (xbzrle.md §3)', () => {
  const page = (value: number): Buffer => Buffer.alloc(pageSize, value);

  it('has a power of two of slots', () => {
    expect(new XbzrleCache(pageSize).slots).to.equal(1);
    for (const bytes of [0, 100, 3 * pageSize, pageSize + 1]) expect(() => new XbzrleCache(bytes)).to.throw(RangeError);
  });

  it('keeps a slot touched in this or the previous pass', () => {
    const cache = new XbzrleCache(2 * pageSize);
    expect(cache.insert(0, page(1), 0, 5)).to.equal(0);
    expect(cache.insert(2 * pageSize, page(2), 0, 6)).to.equal(-1);
    expect(cache.lookup(0, 6)).to.equal(0);
    expect(cache.insert(2 * pageSize, page(2), 0, 7), 'the hit renewed the age').to.equal(-1);
    expect(cache.insert(2 * pageSize, page(2), 0, 8)).to.equal(0);
    expect(cache.lookup(0, 8)).to.equal(-1);
    expect(cache.insert(2 * pageSize, page(3), 0, 8), 'the same address').to.equal(0);
    expect(cache.data[0]).to.equal(3);
  });

  it('with one slot and 16 pages dirtied in each pass has 1 hit and 15 misses in every pass', () => {
    const ram = createGuestRam([{ name: 'ram', size: 16 * pageSize }]);
    const block = ram.blocks[0]!;
    const encoder = new XbzrleEncoder(ram, pageSize, new XbzrleCounters('record'));
    const misses: number[] = [];
    for (let pass = 2; pass < 8; pass++) {
      const before = encoder.counters.cacheMiss;
      for (let n = 0; n < 16; n++) {
        block.bytes[n * pageSize] = pass;
        encoder.page(block, n * pageSize, pass, false);
      }
      misses.push(encoder.counters.cacheMiss - before);
    }
    expect(misses).to.deep.equal([16, 15, 15, 15, 15, 15]);
  });

  it('sends what the receiver needs to follow, and counts as each dialect does', () => {
    const cases = [createRamMemory, () => undefined].flatMap((createMemory) =>
      (['record', 'payload'] as const).map((counting) => ({ createMemory, counting })),
    );
    for (const { createMemory, counting } of cases) {
      const ram = createGuestRam([{ name: 'ram', size: 8 * pageSize }], createMemory);
      const block = ram.blocks[0]!;
      const random = seeded(3);
      const encoder = new XbzrleEncoder(ram, 8 * pageSize, new XbzrleCounters(counting));
      const mirror = Buffer.from(block.bytes);
      const sent = { unchanged: 0, delta: 0, page: 0, bytes: 0 };
      for (let pass = 2; pass < 60; pass++) {
        for (let n = 0; n < 8; n++) {
          const offset = n * pageSize;
          const changes = [0, 5, 3000][Math.floor(random() * 3)]!;
          for (let i = 0; i < changes; i++)
            block.bytes[offset + Math.floor(random() * pageSize)] = Math.floor(random() * 256);
          const decision = encoder.page(block, offset, pass, pass > 55);
          sent[decision]++;
          if (decision === 'page')
            encoder.pageBuffer.copy(mirror, offset, encoder.pageOffset, encoder.pageOffset + pageSize);
          if (decision === 'delta') {
            encoder.counters.sent(11 + encoder.deltaLength);
            sent.bytes += 11 + encoder.deltaLength;
            expect(decodeXbzrle(encoder.delta, 0, encoder.deltaLength, mirror, offset)).to.be.above(0);
          }
          // In the last stage the cache is not renewed, so only the first change of a page can be followed.
          if (pass <= 56)
            expect(
              mirror.subarray(offset, offset + pageSize).equals(block.bytes.subarray(offset, offset + pageSize)),
            ).to.equal(true);
        }
      }
      const { counters } = encoder;
      expect(counters.overflow + counters.cacheMiss).to.equal(sent.page);
      expect(counters.cacheMiss).to.equal(8);
      if (counting === 'record') {
        expect([counters.pages, counters.bytes]).to.deep.equal([sent.delta, sent.bytes]);
      } else {
        expect(counters.pages).to.equal(sent.delta + sent.unchanged + counters.overflow);
        expect(counters.bytes).to.equal(sent.bytes - 8 * sent.delta + pageSize * counters.overflow);
      }
    }
  });

  it('remembers zero pages without counting them', () => {
    const ram = createGuestRam([{ name: 'ram', size: pageSize }]);
    const encoder = new XbzrleEncoder(ram, pageSize);
    encoder.zeroPage(ram.blocks[0]!, 0, 2);
    ram.blocks[0]!.bytes[9] = 1;
    expect(encoder.page(ram.blocks[0]!, 0, 3, false)).to.equal('delta');
    expect(encoder.counters.cacheMiss).to.equal(0);
  });
});
