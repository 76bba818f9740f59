import { expect } from 'chai';
import { loadStream, readReturnPath } from '../../../generators/stream/ends.js';
import { mutateStream, mutators, seededRandom } from '../../../generators/stream/mutate-stream.js';
import { returnPathModes, smallReturnPath } from '../../../generators/stream/small-return-path.js';
import { modes, type SmallStream, smallStream } from '../../../generators/stream/small-stream.js';
import { dialectNames, dialects } from '../../../reference/dialects/dialect.js';

const ramBytes = 2 ** 20;

/** How a destination of the dialect ends; what it says of an error names the place. */
function end(dialect: (typeof dialectNames)[number], mode: SmallStream['mode'], bytes: Buffer): string {
  const { status, error } = loadStream(dialects[dialect], ramBytes, mode, bytes);
  if (error !== undefined) expect(error.message).to.match(/^offset 0x[0-9a-f]+: /);
  return status;
}

describe('mutated streams of the generator', () => {
  it('begin as streams that load', () => {
    const random = seededRandom(3);
    for (const dialect of dialectNames) {
      for (const mode of modes) {
        if (mode === 'compress' && !dialects[dialect].stream.compressedPages) continue;
        const { bytes } = smallStream(dialects[dialect].stream, ramBytes, mode, random);
        expect(end(dialect, mode, bytes), `${dialect} ${mode}`).to.equal('complete');
      }
    }
  });

  it('have spans that lie in the stream and cover it', () => {
    const { bytes, spans } = smallStream(dialects['3.0'].stream, ramBytes, 'plain', seededRandom(4));
    const whole = spans.filter(({ kind }) => kind !== 'field');
    expect(whole[0]?.from).to.equal(0);
    whole.forEach(({ from, to }, i) => {
      expect(to).to.be.above(from);
      expect(to).to.equal(whole[i + 1]?.from ?? bytes.length);
    });
  });

  it('are the same for the same seed', () => {
    const make = () => {
      const random = seededRandom(5);
      const { bytes, spans } = smallStream(dialects['7.2'].stream, ramBytes, 'postcopy', random);
      return mutateStream(bytes, spans, random);
    };
    expect(make().bytes.equals(make().bytes)).to.equal(true);
    expect(make().names).to.deep.equal(make().names);
  });

  it('are changed by whatever they name', () => {
    const random = seededRandom(8);
    const alone = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const stream = smallStream(dialects['3.0'].stream, ramBytes, 'plain', random);
      const { bytes, names } = mutateStream(stream.bytes, stream.spans, random);
      expect(names.length).to.be.within(1, 3);
      if (names.length > 1) continue;
      expect(bytes.equals(stream.bytes), names[0]).to.equal(false);
      alone.add(names[0] as string);
    }
    expect(alone.size).to.equal(mutators.length);
  });

  it('end in an error or a load, and each kind of change in both', () => {
    const random = seededRandom(6);
    const ends = new Map<string, Set<string>>();
    for (let i = 0; i < 1000; i++) {
      const dialect = dialectNames[i % dialectNames.length] as (typeof dialectNames)[number];
      const mode = modes[i % modes.length] as (typeof modes)[number];
      const stream = smallStream(dialects[dialect].stream, ramBytes, mode, random);
      const { bytes, names } = mutateStream(stream.bytes, stream.spans, random);
      const status = end(dialect, mode, bytes);
      expect(status, `number ${i}: ${names.join(' ')}`).to.be.oneOf(['complete', 'failed']);
      if (names.length === 1) ends.set(names[0] as string, (ends.get(names[0] as string) ?? new Set()).add(status));
    }
    for (const { name } of mutators) expect(ends.get(name), name).to.include('failed');
    expect([...ends.values()].filter((one) => one.has('complete')).length).to.be.at.least(4);
  }).timeout(20_000);
});

describe('mutated return paths', () => {
  it('begin as return paths that a source takes, covered by their spans', () => {
    const random = seededRandom(7);
    for (const dialect of dialectNames) {
      for (const mode of returnPathModes) {
        const { bytes, spans } = smallReturnPath(dialects[dialect].stream, ramBytes, mode, random);
        const { status, error } = readReturnPath(dialects[dialect], ramBytes, mode, bytes);
        expect(status, `${dialect} ${mode}: ${error?.message}`).to.equal('complete');
        for (const kind of ['record', 'field'] as const) {
          const some = spans.filter((span) => span.kind === kind);
          expect(some[0]?.from).to.equal(0);
          some.forEach(({ to }, i) => {
            expect(to, `${dialect} ${mode} ${kind} ${i}`).to.equal(some[i + 1]?.from ?? bytes.length);
          });
        }
      }
    }
  });

  it('ask for every page there is, the last one too', () => {
    const random = seededRandom(9);
    const asked = new Set<bigint>();
    for (let i = 0; i < 1500; i++) {
      const { bytes, spans } = smallReturnPath(dialects['3.0'].stream, ramBytes, 'requests', random);
      // A request says where, how much, and the block.
      const requests = spans.filter(({ kind, from, to }) => kind === 'record' && to - from === 20);
      for (const { from } of requests) {
        const [start, length] = [bytes.readBigUInt64BE(from + 4), bytes.readUInt32BE(from + 12)];
        for (let page = 0; page < length; page += 4096) asked.add(start + BigInt(page));
      }
    }
    expect(asked.size).to.equal(ramBytes / 4096);
  });

  it('end in an error or in an end, and each kind of change in an error', () => {
    const random = seededRandom(8);
    const failing = new Set<string>();
    const statuses = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      const dialect = dialectNames[i % dialectNames.length] as (typeof dialectNames)[number];
      const mode = returnPathModes[(i % 7) % returnPathModes.length] as (typeof returnPathModes)[number];
      const path = smallReturnPath(dialects[dialect].stream, ramBytes, mode, random);
      const { bytes, names } = mutateStream(path.bytes, path.spans, random);
      const { status, error } = readReturnPath(dialects[dialect], ramBytes, mode, bytes);
      statuses.add(status);
      expect(status, `number ${i}: ${names.join(' ')}`).to.be.oneOf(['complete', 'failed']);
      if (error !== undefined && names.length === 1) failing.add(names[0] as string);
    }
    expect([...statuses].sort()).to.deep.equal(['complete', 'failed']);
    // Messages that change places, and one that comes twice, are right as often as not.
    for (const { name } of mutators) if (name !== 'swap') expect([...failing]).to.include(name);
  });
});
