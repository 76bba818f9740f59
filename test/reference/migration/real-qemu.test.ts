import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { type DialectName, dialectNames } from '../../../reference/dialects/dialect.js';
import { needPostcopy } from '../../targets/real-qemu.js';
import { needQemu, RealQemu } from './real-qemu.js';
import { scratch, scribble, TestMachine } from './test-machine.js';

const files = scratch();
const size = 8 << 20;
let count = 0;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
const uriOf = async (transport: string) =>
  transport === 'unix' ? `unix:${files.path(`m${++count}`)}` : `tcp:127.0.0.1:${await freePort()}`;

/** Both ends for postcopy, the source alone for the return path. */
const forDestination = (capabilities: readonly string[]) => capabilities.filter((name) => name === 'postcopy-ram');

async function toQemu(binary: string, dialect: DialectName, transport: string, capabilities: readonly string[]) {
  const qemu = await RealQemu.start(binary, files.path(`q${++count}`), '-m', '8M', '-incoming', 'defer');
  const source = new TestMachine({ dialect, megabytes: 8 });
  try {
    scribble(source.ram);
    await qemu.capabilities('events', ...forDestination(capabilities));
    await source.capabilities('events', ...capabilities);
    const uri = await uriOf(transport);
    await qemu.execute('migrate-incoming', { uri });
    const postcopy = capabilities.includes('postcopy-ram');
    if (postcopy) await source.ok('migrate-set-parameters', { 'max-bandwidth': 1_000_000n });
    await source.ok('migrate', { uri });
    if (postcopy) {
      await source.until('M(active)');
      await source.ok('migrate-start-postcopy');
    }
    await source.until('M(completed)');
    await qemu.until('M(completed)');
    expect(qemu.events).to.include('RESUME');
    const memory = await qemu.memory(size, files.path(`mem${++count}`));
    expect(memory.equals(source.ram.blocks[0]!.bytes), 'RAM of both ends').to.equal(true);
  } finally {
    source.close();
    await qemu.kill();
  }
}

async function fromQemu(
  binary: string,
  dialect: DialectName,
  transport: string,
  capabilities: readonly string[],
  extra: string[],
) {
  const pattern = new TestMachine({ megabytes: 8 });
  scribble(pattern.ram);
  const image = files.path(`img${++count}`);
  writeFileSync(image, pattern.ram.blocks[0]!.bytes);
  const loader = ['-device', `loader,file=${image},addr=0,force-raw=on`];
  const qemu = await RealQemu.start(binary, files.path(`q${++count}`), '-m', '8M', ...loader, ...extra);
  const destination = new TestMachine({ dialect, megabytes: 8, runState: 'prelaunch' });
  destination.migration.deferIncoming();
  try {
    await qemu.capabilities('events', ...capabilities);
    await destination.capabilities('events', ...forDestination(capabilities));
    const uri = await uriOf(transport);
    await destination.ok('migrate-incoming', { uri });
    const postcopy = capabilities.includes('postcopy-ram');
    if (postcopy) await qemu.execute('migrate-set-parameters', { 'max-bandwidth': 1_000_000 });
    await qemu.execute('migrate', { uri });
    if (postcopy) {
      await qemu.until('M(active)');
      await qemu.execute('migrate-start-postcopy');
    }
    await qemu.until('M(completed)');
    await destination.until('M(completed)');
    expect(destination.runState).to.equal('running');
    expect(destination.ram.blocks[0]!.bytes.equals(pattern.ram.blocks[0]!.bytes), 'RAM of both ends').to.equal(true);
  } finally {
    pattern.close();
    destination.close();
    await qemu.kill();
  }
}

describe('migration: with a real QEMU', function () {
  this.timeout(60_000);
  after(() => files.remove());

  for (const version of ['7.2', '10.0'] as const) {
    for (const dialect of dialectNames) {
      // A command that 10.0 sends is unknown to every earlier release, as between two real QEMUs.
      const newer = dialect === '10.0' && version === '7.2';
      for (const [transport, capabilities] of [
        ['unix', []],
        ['tcp', ['return-path']],
        ['unix', ['postcopy-ram']],
      ] as const) {
        const what = `${transport} ${capabilities.join(' ')}`.trim();
        if (!newer) {
          it(`dialect ${dialect} to QEMU ${version}, ${what}`, async function () {
            const program = needQemu(this, version);
            if (capabilities.some((name) => name === 'postcopy-ram')) needPostcopy(this, program);
            await toQemu(program, dialect, transport, capabilities);
          });
        }
        it(`QEMU ${version} to dialect ${dialect}, ${what}`, async function () {
          const older = version === '10.0' && dialect !== '10.0';
          const extra = older ? ['-global', 'migration.send-switchover-start=off'] : [];
          await fromQemu(needQemu(this, version), dialect, transport, capabilities, extra);
        });
      }
    }
  }

  it('a real destination that fails its load fails the source, whose guest runs on (MIG-SM-O39)', async function () {
    const qemu = await RealQemu.start(
      needQemu(this, '7.2'),
      files.path(`q${++count}`),
      '-m',
      '16M',
      '-incoming',
      'defer',
    );
    const source = new TestMachine({ dialect: '7.2', megabytes: 8 });
    try {
      scribble(source.ram);
      await source.capabilities('events', 'return-path');
      const uri = await uriOf('unix');
      await qemu.execute('migrate-incoming', { uri });
      await source.ok('migrate', { uri });
      await source.until('M(failed)');
      expect(await qemu.exited).to.equal(1);
      expect(qemu.stderr).to.match(/Size mismatch: ram: 0x800000 != 0x1000000/);
      expect(source.runState).to.equal('running');
    } finally {
      source.close();
      await qemu.kill();
    }
  });
});
