import { expect } from 'chai';
import { StreamError } from '../../../reference/stream/stream-error.js';
import { StreamReader } from '../../../reference/stream/stream-reader.js';
import { load } from './builder.js';
import { fragments, Loading, optionsOf, recordings, seeded, vector } from './recordings.js';

/** Changes, cuts, doubles or removes bytes at a few places. */
function mutate(bytes: Buffer, random: () => number): Buffer {
  let out: Buffer = Buffer.from(bytes);
  const changes = 1 + Math.floor(random() * 4);
  for (let i = 0; i < changes; i++) {
    const at = Math.floor(random() * out.length);
    switch (Math.floor(random() * 6)) {
      case 0:
        out[at] = Math.floor(random() * 256);
        break;
      case 1:
        out[at]! ^= 1 << Math.floor(random() * 8);
        break;
      case 2:
        out = out.subarray(0, at);
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + Math.floor(random() * 40))]);
        break;
      case 4:
        out = Buffer.concat([out.subarray(0, at), out.subarray(Math.max(0, at - Math.floor(random() * 40)))]);
        break;
      default:
        out.fill(0xff, at, Math.min(out.length, at + 1 + Math.floor(random() * 8)));
    }
  }
  return out;
}

/** The parts of a recording where structure lies close: its first and last bytes. */
function compact(bytes: Buffer): Buffer {
  return bytes.length < 8192 ? bytes : Buffer.concat([bytes.subarray(0, 4096), bytes.subarray(-4096)]);
}

describe('mutated streams', () => {
  const sources = recordings.filter((entry) => entry.type === 'main' && entry.resume_of === undefined);

  it('end in a StreamError or load, 10,000 of them, and never need much memory', function () {
    this.timeout(120_000);
    const random = seeded(20_180_601);
    const ends = { failed: 0, complete: 0 };
    const before = process.memoryUsage().rss;
    let most = 0;
    for (let i = 0; i < 10_000; i++) {
      const entry = sources[i % sources.length]!;
      const original = compact(vectorOf(entry.file));
      const bytes = mutate(original, random);
      const reader = new StreamReader(optionsOf(entry, original), { ramSetup: () => undefined });
      try {
        if (i % 4 === 0) for (const piece of fragments(bytes, () => 1 + Math.floor(random() * 700))) reader.push(piece);
        else reader.push(bytes);
        reader.end();
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        expect(error.message).to.match(/^offset 0x[0-9a-f]+: /);
      }
      expect(reader.status, `${entry.file}, mutation ${i}`).to.be.oneOf(['failed', 'complete']);
      ends[reader.status as 'failed' | 'complete']++;
      if (i % 500 === 0) most = Math.max(most, process.memoryUsage().rss - before);
    }
    expect(ends.failed).to.be.above(1000);
    expect(ends.complete).to.be.above(100);
    expect(most).to.be.below(600 * 1024 * 1024);
  });

  it('of an empty machine end the same way in any fragmentation, with the same messages', function () {
    this.timeout(120_000);
    const random = seeded(7);
    const names = ['7.2-none-return-path.bin', '7.2-none-uuid.bin', '3.0.50-none-colo.bin', '3.0.50-none-zero.bin'];
    let complete = 0;
    for (let i = 0; i < 400; i++) {
      const file = names[i % names.length]!;
      const bytes = mutate(vectorOf(file), random);
      const dialect = file.startsWith('3') ? '3.0' : '7.2';
      const { loader: _, ...whole } = load(dialect, bytes, { ramSize: 0x100000 });
      const next = () => 1 + Math.floor(random() * 200);
      const { loader: __, ...pieces } = load(dialect, bytes, {
        ramSize: 0x100000,
        pieces: (all) => fragments(all, next),
      });
      expect(pieces).to.deep.equal(whole);
      if (whole.reason === 'complete') complete++;
    }
    expect(complete).to.be.within(20, 380);
  });

  it('load nothing but what a loader can take', () => {
    const random = seeded(99);
    const entry = recordings.find(({ file }) => file === '7.2-none-compress.bin')!;
    const original = vectorOf(entry.file);
    for (let i = 0; i < 100; i++) {
      const bytes = mutate(original, random);
      const loading = new Loading();
      const reader = new StreamReader(optionsOf(entry, original), {
        ramPage: (...args) => loading.ramPage(...args),
        // A mutated setup may ask for any amount of memory; a real guest has what it has.
        ramSetupBlock: (setup) => {
          if (setup.length <= 64 * 1024 * 1024) loading.ramSetupBlock(setup);
        },
      });
      try {
        reader.push(bytes);
        reader.end();
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
      }
      expect(reader.status).to.be.oneOf(['failed', 'complete']);
    }
  });
});

const cache = new Map<string, Buffer>();
function vectorOf(file: string): Buffer {
  const bytes = cache.get(file) ?? vector(file);
  cache.set(file, bytes);
  return bytes;
}
