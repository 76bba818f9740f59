import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { DialectName } from '../../reference/dialects/dialect.js';
import { createGuestRam } from '../../reference/ram/guest-ram.js';
import { needQemu, RealQemu } from '../reference/migration/real-qemu.js';
import { scribble, TestMachine } from '../reference/migration/test-machine.js';
import { needPostcopy } from '../targets/real-qemu.js';
import { refusal, run } from './stream-command.js';

/** More than one piece of what the command has in memory at a time. */
const size = 1024 * 1024 + 8192;

interface Way {
  readonly name: string;
  readonly dialects: readonly DialectName[];
  readonly options: (dialect: DialectName) => readonly string[];
  /** Capabilities and parameters of a destination. */
  readonly capabilities?: (dialect: DialectName) => readonly string[];
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Members of the dump that show that the way was really taken. */
  readonly shown: (dump: Dump) => boolean;
}

interface Dump {
  readonly blocks: readonly {
    readonly page: number;
    readonly zero: number;
    readonly xbzrle: number;
    readonly compressed: number;
    readonly discarded: number;
  }[];
  readonly commandCounts: Readonly<Record<string, number>>;
  readonly vmdescriptionBytes: number | null;
  readonly channels?: readonly { readonly pages: number; readonly syncs: number; readonly error?: string }[];
}

const all: readonly DialectName[] = ['3.0', '7.2', '10.0'];
const channelPages = ({ channels = [] }: Dump) => channels.reduce((sum, { pages }) => sum + pages, 0);
const multifd = (dialect: DialectName) => [dialect === '3.0' ? 'x-multifd' : 'multifd'];

describe('qmpspec stream make', () => {
  let folder = '';
  const file = (name: string) => join(folder, name);
  const ways: readonly Way[] = [
    { name: 'plain', dialects: all, options: () => [], shown: ({ blocks }) => blocks[0]!.page > 0 },
    {
      name: 'without devices',
      dialects: ['7.2'],
      options: () => ['--no-devices', '--no-vmdescription'],
      shown: ({ vmdescriptionBytes }) => vmdescriptionBytes === null,
    },
    {
      name: 'compress',
      dialects: ['3.0', '7.2'],
      options: () => ['--capability', 'compress'],
      capabilities: () => ['compress'],
      shown: ({ blocks }) => blocks[0]!.compressed > 0,
    },
    {
      name: 'compress at a level',
      dialects: ['7.2'],
      options: () => ['--compress', '6'],
      capabilities: () => ['compress'],
      shown: ({ blocks }) => blocks[0]!.compressed > 0,
    },
    {
      name: 'two passes',
      dialects: ['7.2'],
      options: () => ['--before', file('before')],
      shown: ({ blocks }) => blocks[0]!.page + blocks[0]!.zero > size / 4096,
    },
    {
      name: 'xbzrle',
      dialects: all,
      options: () => ['--capability', 'xbzrle', '--before', file('before')],
      shown: ({ blocks }) => blocks[0]!.xbzrle > 0,
    },
    {
      name: 'xbzrle and compress',
      dialects: ['3.0', '7.2'],
      options: () => ['--capability', 'xbzrle', '--capability', 'compress', '--before', file('before')],
      capabilities: () => ['compress'],
      shown: ({ blocks }) => blocks[0]!.xbzrle > 0 && blocks[0]!.compressed > 0,
    },
    {
      name: 'return path',
      dialects: all,
      options: () => ['--capability', 'return-path'],
      shown: ({ commandCounts }) => commandCounts.OPEN_RETURN_PATH === 1 && commandCounts.PING === 1,
    },
    {
      name: 'postcopy',
      dialects: all,
      options: () => ['--capability', 'postcopy-ram'],
      capabilities: () => ['postcopy-ram'],
      shown: ({ blocks, commandCounts }) => blocks[0]!.discarded > 0 && commandCounts.PING === 4,
    },
    {
      name: 'postcopy of what changed',
      dialects: all,
      options: () => ['--capability', 'postcopy-ram', '--before', file('before'), '--switch-at', '100'],
      capabilities: () => ['postcopy-ram'],
      // Every eleventh page, which is more than one command carries.
      shown: ({ commandCounts }) => commandCounts.POSTCOPY_RAM_DISCARD! > 1,
    },
    {
      name: 'postcopy of everything',
      dialects: ['7.2', '10.0'],
      options: () => ['--capability', 'postcopy-ram', '--switch-at', '0'],
      capabilities: () => ['postcopy-ram'],
      shown: ({ blocks }) => blocks[0]!.discarded === size / 4096,
    },
    {
      name: 'multifd',
      dialects: all,
      options: (dialect) => multifd(dialect).flatMap((name) => ['--capability', name]),
      capabilities: multifd,
      shown: (dump) => channelPages(dump) > 0,
    },
    {
      name: 'multifd, two passes over three channels',
      dialects: all,
      options: () => ['--channels', '3', '--before', file('before')],
      capabilities: multifd,
      parameters: { channels: 3 },
      shown: (dump) => dump.channels!.length === 3 && channelPages(dump) > 0,
    },
    ...(['zlib', 'zstd'] as const).map(
      (method): Way => ({
        name: `multifd with ${method}`,
        dialects: ['7.2', '10.0'],
        options: () => ['--channels', '2', '--compression', method, '--level', '3'],
        capabilities: multifd,
        parameters: { 'multifd-compression': method },
        shown: (dump) => channelPages(dump) > 0,
      }),
    ),
    {
      name: 'multifd ending in postcopy',
      dialects: ['3.0', '7.2'],
      options: () => ['--channels', '2', '--capability', 'postcopy-ram'],
      capabilities: (dialect) => [...multifd(dialect), 'postcopy-ram'],
      shown: (dump) => channelPages(dump) > 0 && dump.blocks[0]!.discarded > 0,
    },
  ];
  /** What a destination must have set to take it. */
  const parametersFor = ({ parameters = {} }: Way, dialect: DialectName): Record<string, unknown> => {
    const { channels, ...others } = parameters;
    if (channels === undefined) return others;
    return { ...others, [dialect === '3.0' ? 'x-multifd-channels' : 'multifd-channels']: channels };
  };
  let image = Buffer.alloc(0);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'qmpspec-make-'));
    const ram = createGuestRam([{ name: 'ram', size }]);
    scribble(ram);
    image = Buffer.from(ram.blocks[0]!.bytes);
    writeFileSync(file('image'), image);
    const old = Buffer.from(image);
    for (let page = 0; page < size; page += 11 * 4096) old.write('as it was', page + 100);
    writeFileSync(file('before'), old);
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const way of ways) {
    for (const dialect of way.dialects) {
      it(`${way.name}, ${dialect}: conforms, and holds the image`, async () => {
        const options = [...way.options(dialect)];
        const made = file('made.bin');
        await run('make', file('image'), '--dialect', dialect, '-o', made, ...options);
        const count = Number(/--channels (\d)/.exec(options.join(' '))?.[1] ?? (way.name === 'multifd' ? 2 : 0));
        const channels = Array.from({ length: count }, (_, id) => ['--channel', file(`made.ch${id}.bin`)]).flat();
        const { out } = await run('check', made, '--dialect', dialect, ...channels);
        expect(out.replace(/^note: .*\n/, '')).to.equal(
          `${made}: conforms (${readFileSync(made).length} bytes, dialect ${dialect})\n`,
        );
        // The dialect is left to be found out.
        const dump = JSON.parse((await run('dump', made, '--json', ...channels)).out) as Dump;
        expect(way.shown(dump), JSON.stringify(dump, null, 1)).to.equal(true);
        expect((await run('extract', made, '-o', file('again'), ...channels)).exitCode).to.equal(0);
        expect(readFileSync(file('again')).equals(image), 'image').to.equal(true);
      });

      it(`${way.name}, ${dialect}: loads into the reference`, async () => {
        const machine = new TestMachine({
          dialect,
          runState: 'prelaunch',
          ram: createGuestRam([{ name: 'ram', size }]),
        });
        try {
          machine.migration.deferIncoming();
          await machine.ok('migrate-set-parameters', integers(parametersFor(way, dialect)));
          await machine.capabilities('events', ...(way.capabilities?.(dialect) ?? []));
          const uri = `unix:${file(`ref-${dialect}`)}`;
          await machine.ok('migrate-incoming', { uri });
          await run('make', file('image'), '--dialect', dialect, '-o', uri, ...way.options(dialect));
          await machine.until('M(completed)');
          expect(machine.ram.blocks[0]!.bytes.equals(image), 'RAM').to.equal(true);
        } finally {
          machine.close();
        }
      });

      // A 7.2 that went to postcopy with data channels aborts at its end, whoever was the source.
      if (dialect === '3.0' || way.name === 'multifd ending in postcopy') continue;
      it(`${way.name}: loads into QEMU ${dialect}`, async function () {
        const binary = needQemu(this, dialect);
        if (way.capabilities?.(dialect).includes('postcopy-ram')) needPostcopy(this, binary);
        const memory = `${size / 1024}k`;
        const each = dialect === '10.0' && way.name.startsWith('multifd');
        const flushed = each ? ['-global', 'migration.multifd-flush-after-each-section=off'] : [];
        const qemu = await RealQemu.start(binary, file('q'), '-m', memory, '-incoming', 'defer', ...flushed);
        try {
          const parameters = parametersFor(way, dialect);
          if (Object.keys(parameters).length > 0) await qemu.execute('migrate-set-parameters', parameters);
          await qemu.capabilities('events', ...(way.capabilities?.(dialect) ?? []));
          const uri = `unix:${file(`m-${dialect}`)}`;
          await qemu.execute('migrate-incoming', { uri });
          await run('make', file('image'), '--dialect', dialect, '-o', uri, ...way.options(dialect));
          await qemu.until('M(completed)');
          expect((await qemu.memory(size, file('memory'))).equals(image), 'RAM').to.equal(true);
        } finally {
          await qemu.kill();
        }
      });
    }
  }

  it('fills up to the size that it is told', async () => {
    writeFileSync(file('short'), 'a page and a few bytes'.repeat(250));
    await run('make', file('short'), '-o', file('made.bin'));
    await run('extract', file('made.bin'), '-o', file('again'));
    expect(readFileSync(file('again'))).to.have.length(8192);
    await run('make', file('short'), '-o', file('made.bin'), '--size', '40960');
    await run('extract', file('made.bin'), '-o', file('again'));
    expect(readFileSync(file('again'))).to.have.length(40960);
  });

  it('tells when the destination did not load it', async () => {
    const machine = new TestMachine({ dialect: '10.0', runState: 'prelaunch' });
    try {
      machine.migration.deferIncoming();
      const uri = `unix:${file('refuses')}`;
      await machine.ok('migrate-incoming', { uri });
      // Twice the size of that machine.
      const args = ['make', file('image'), '--dialect', '10.0', '-o', uri, '--capability', 'return-path'];
      expect(await refusal(...args)).to.match(
        /the destination (did not load it|closed the connection)|EPIPE|ECONNRESET/,
      );
    } finally {
      machine.close();
    }
  });

  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [['--capability', 'xbzrle'], /xbzrle needs --before FILE/],
    [['--capability', 'bogus'], /'bogus' is no capability of dialect 7.2; one of xbzrle, compress, /],
    [['--capability', 'events'], /'events' changes nothing in a made stream; one of/],
    [['--capability', 'multifd', '--dialect', '3.0'], /'multifd' is no capability of dialect 3.0; one of .*x-multifd/],
    [['--switch-at', '10'], /add --capability postcopy-ram/],
    [['--compression', 'zlib'], /--compression is about data channels: add --channels N/],
    [['--pages-per-packet', '4'], /--pages-per-packet is about data channels/],
    [['--channels', '2', '--pages-per-packet', '4'], /packets of dialect 7.2 always have room for 128 pages/],
    [['--channels', '2', '--level', '4'], /add --compression zlib or zstd/],
    [['--channels', '2', '--compression', 'zlib', '--level', '10'], /--level of zlib is 0 to 9/],
    [['--channels', '2', '--compression', 'zlib', '--dialect', '3.0'], /dialect 3.0 has no multifd compression/],
    [['--channels', '2', '--compress', '1'], /none is left for xbzrle or compress/],
    [['--channels', '2', '--capability', 'postcopy-ram', '--dialect', '10.0'], /do not go together in dialect 10.0/],
    [['--channels', '2', '-o', '-'], /give -o a file or an address/],
    [['--capability', 'postcopy-ram', '--switch-at', '100'], /nothing is left for postcopy/],
    [['--before', 'absent'], /absent: there is no such file/],
  ];
  for (const [options, expected] of refusals) {
    it(`explains why not ${options.join(' ')}`, async () => {
      expect(await refusal('make', file('image'), '-o', file('x'), ...options)).to.match(expected);
    });
  }
});

/** Integers as the monitor's reader makes them. */
function integers(parameters: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, typeof value === 'number' ? BigInt(value) : value]),
  );
}
