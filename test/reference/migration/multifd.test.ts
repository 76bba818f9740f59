import { writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { type DialectName, dialectNames } from '../../../reference/dialects/dialect.js';
import { needQemu, RealQemu } from './real-qemu.js';
import { scratch, scribble, TestMachine } from './test-machine.js';

const files = scratch();
let count = 0;
const size = 8 << 20;

/** A migration from one reference to another over data channels; RAM must arrive whole. */
async function between(
  dialect: DialectName,
  options: { readonly method?: string; readonly capabilities?: readonly string[] } = {},
): Promise<void> {
  const { method = 'none', capabilities = [] } = options;
  const source = new TestMachine({ dialect, megabytes: 8 });
  const destination = new TestMachine({ dialect, megabytes: 8, runState: 'prelaunch' });
  scribble(source.ram);
  destination.migration.deferIncoming();
  const uri = `unix:${files.path(`m${++count}`)}`;
  const postcopy = capabilities.includes('postcopy-ram');
  try {
    for (const machine of [source, destination]) {
      if (method !== 'none') await machine.ok('migrate-set-parameters', { 'multifd-compression': method });
      await machine.capabilities('events', dialect === '3.0' ? 'x-multifd' : 'multifd', ...capabilities);
    }
    if (postcopy) await source.ok('migrate-set-parameters', { 'max-bandwidth': 2_000_000n });
    await destination.ok('migrate-incoming', { uri });
    await source.ok('migrate', { uri });
    if (postcopy) {
      await source.until('P2', 'M(active)');
      await source.ok('migrate-start-postcopy');
      await source.until('M(postcopy-active)');
    }
    await source.until('M(completed)');
    await destination.until('M(completed)');
    expect(source.ram.blocks[0]!.bytes.equals(destination.ram.blocks[0]!.bytes)).to.equal(true);
    const ram = (await source.info()).ram as Record<string, number>;
    expect(ram['multifd-bytes']).to.be.greaterThan(0);
    expect(ram['multifd-bytes']).to.be.at.most(ram.transferred!);
  } finally {
    source.close();
    destination.close();
  }
}

describe('migration: multifd', function () {
  this.timeout(60_000);
  after(() => files.remove());

  for (const dialect of dialectNames) {
    const methods = dialect === '3.0' ? ['none'] : ['none', 'zlib'];
    for (const method of methods) {
      it(`dialect ${dialect} with itself, compression ${method}`, () => between(dialect, { method }));
    }
    // The source closes its channels only when it has been answered.
    it(`dialect ${dialect} with itself and a return path`, () => between(dialect, { capabilities: ['return-path'] }));
  }

  // Behind the switch pages come on the main channel, and the data channels are still synchronised.
  for (const dialect of ['3.0', '7.2'] as const) {
    it(`dialect ${dialect} with itself, ending in postcopy`, () =>
      between(dialect, { capabilities: ['postcopy-ram'] }));
  }

  for (const version of ['7.2', '10.0'] as const) {
    it(`to QEMU ${version}`, async function () {
      const binary = needQemu(this, version);
      const qemu = await RealQemu.start(binary, files.path(`q${++count}`), '-m', '8M', '-incoming', 'defer');
      const source = new TestMachine({ dialect: version, megabytes: 8 });
      try {
        scribble(source.ram);
        await qemu.capabilities('events', 'multifd');
        await source.capabilities('events', 'multifd');
        const uri = `unix:${files.path(`m${++count}`)}`;
        await qemu.execute('migrate-incoming', { uri });
        await source.ok('migrate', { uri });
        await source.until('M(completed)');
        await qemu.until('M(completed)');
        const memory = await qemu.memory(size, files.path(`mem${++count}`));
        expect(memory.equals(source.ram.blocks[0]!.bytes), 'RAM of both ends').to.equal(true);
      } finally {
        source.close();
        await qemu.kill();
      }
    });

    it(`from QEMU ${version}, which waits for an answer`, async function () {
      const binary = needQemu(this, version);
      const destination = new TestMachine({ dialect: version, megabytes: 8, runState: 'prelaunch' });
      const pattern = new TestMachine({ megabytes: 8 });
      scribble(pattern.ram);
      const image = files.path(`img${++count}`);
      writeFileSync(image, pattern.ram.blocks[0]!.bytes);
      const loader = `loader,file=${image},addr=0,force-raw=on`;
      const qemu = await RealQemu.start(binary, files.path(`q${++count}`), '-m', '8M', '-device', loader);
      destination.migration.deferIncoming();
      try {
        await qemu.capabilities('events', 'multifd', 'return-path');
        await destination.capabilities('events', 'multifd');
        const uri = `unix:${files.path(`m${++count}`)}`;
        await destination.ok('migrate-incoming', { uri });
        await qemu.execute('migrate', { uri });
        await qemu.until('M(completed)');
        await destination.until('M(completed)');
        expect(destination.ram.blocks[0]!.bytes.equals(pattern.ram.blocks[0]!.bytes), 'RAM of both ends').to.equal(
          true,
        );
      } finally {
        destination.close();
        pattern.close();
        await qemu.kill();
      }
    });
  }
});
