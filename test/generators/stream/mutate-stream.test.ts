import { expect } from 'chai';
import { mutateStream, mutators, seededRandom } from '../../../generators/stream/mutate-stream.js';
import { modes, smallStream } from '../../../generators/stream/small-stream.js';
import { dialectNames, dialects } from '../../../reference/dialects/dialect.js';
import { migrationRules } from '../../../reference/dialects/migration.js';
import { createGuestRam } from '../../../reference/ram/guest-ram.js';
import { RamLoader } from '../../../reference/stream/ram-loader.js';
import { StreamError } from '../../../reference/stream/stream-error.js';
import { StreamReader } from '../../../reference/stream/stream-reader.js';

const ramBytes = 2 ** 20;

/** How a destination of the dialect ends; throws what is no error of the stream. */
function end(dialect: (typeof dialectNames)[number], mode: string, bytes: Buffer): string {
  const loader = new RamLoader(createGuestRam([{ name: 'ram', size: ramBytes }]));
  const capabilities = new Set(mode === 'postcopy' ? ['postcopy-ram'] : mode === 'compress' ? ['compress'] : []);
  const knownCapabilities = migrationRules[dialect].capabilities;
  const local = { machineName: 'none', blocks: [{ name: 'ram', length: ramBytes }], capabilities, knownCapabilities };
  const reader = new StreamReader(
    { rules: dialects[dialect].stream, local },
    {
      ramPage: (...page) => loader.ramPage(...page),
      command: ({ name, block, ranges }) => {
        if (name === 'POSTCOPY_RAM_DISCARD' && block !== undefined) loader.discard(block, ranges ?? []);
        if (name === 'POSTCOPY_LISTEN') loader.listen();
      },
    },
  );
  try {
    reader.push(bytes);
    reader.end();
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    expect(error.message).to.match(/^offset 0x[0-9a-f]+: /);
  }
  return reader.status;
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
