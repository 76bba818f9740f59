import { existsSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { expect } from 'chai';
import { dialectNames } from '../../../reference/dialects/dialect.js';
import { type MachineOptions, scratch, TestMachine } from './test-machine.js';

const files = scratch();

/** A waiting destination, closed at the end. */
async function destination(options: MachineOptions, use: (m: TestMachine) => Promise<void>) {
  const machine = new TestMachine({ runState: 'prelaunch', ...options });
  machine.migration.deferIncoming();
  try {
    await machine.capabilities('events');
    await use(machine);
  } finally {
    machine.close();
  }
}
const send = (path: string, bytes: Buffer) =>
  createConnection({ path })
    .on('error', () => {})
    .end(bytes);

describe('migration: incoming side', () => {
  after(() => files.remove());

  for (const dialect of dialectNames) {
    it(`${dialect}: garbage fails the load and ends the process with status 1 (MIG-SM-I20)`, () =>
      destination({ dialect }, async (m) => {
        const path = files.path(`garbage${dialect}`);
        await m.ok('migrate-incoming', { uri: `unix:${path}` });
        send(path, Buffer.from('this is not a migration stream'));
        await m.until('exit 1');
        expect(m.story).to.equal('M(setup) ↵ M(active) M(failed) exit 1');
        expect(m.lines).to.deep.equal(['Not a migration stream', 'load of migration failed: Invalid argument']);
      }));
  }

  it('loads the smallest stream there is (stream-format.md §11)', () =>
    destination({ megabytes: 2 }, async (m) => {
      const path = files.path('small');
      await m.ok('migrate-incoming', { uri: `unix:${path}` });
      const hex =
        '5145564d00000003 07000000046e6f6e65 0100000007 0372616d 00000000 00000004 0000000000200004 0372616d 0000000000200000 0000000000000010 7e00000007';
      const page = Buffer.concat([
        Buffer.from('0200000007 0000000000001008 0372616d'.replaceAll(' ', ''), 'hex'),
        Buffer.alloc(4096, 'A'),
      ]);
      const tail = '0000000000000010 7e00000007 0300000007 0000000000000010 7e00000007 00 06000000027b7d';
      const bytes = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
      send(path, Buffer.concat([bytes(hex), page, bytes(tail)]));
      await m.until('M(completed)');
      expect(m.story).to.equal('M(setup) ↵ M(active) R M(completed)');
      const ram = m.ram.blocks[0]!.bytes;
      expect(ram.subarray(4096, 8192).equals(Buffer.alloc(4096, 'A'))).to.equal(true);
      expect(ram[4095]).to.equal(0);
      expect(ram[8192]).to.equal(0);
    }));

  it('says why an address cannot be used, and may be tried again (MIG-CMD-INC-04)', () =>
    destination({}, async (m) => {
      expect(await m.refused('migrate-incoming', { uri: 'defer' })).to.equal('Incoming migration already deferred');
      expect(await m.refused('migrate-incoming', { uri: 'foo:x' })).to.equal('unknown migration protocol: foo:x');
      expect(await m.refused('migrate-incoming', { uri: 'tcp:1' })).to.equal("error parsing address '1'");
      expect(await m.refused('migrate-incoming', { uri: 'unix:/nonexistent/x' })).to.match(
        /^Failed to bind socket to \/nonexistent\/x: (No such file or directory|Permission denied)$/,
      );
      expect(m.story).to.equal('M(setup) ↵error M(setup) ↵error M(setup) ↵error M(setup) ↵error');
      expect(await m.info()).to.deep.equal({});
      await m.ok('migrate-incoming', { uri: `unix:${files.path('good')}` });
      expect(await m.refused('migrate-incoming', { uri: 'unix:/x' })).to.equal(
        'The incoming migration has already been started',
      );
    }));

  it('closes the listener and removes its path at the first connection (baseline), not in 7.2', async () => {
    for (const [dialect, stays] of [
      ['3.0', false],
      ['7.2', true],
    ] as const) {
      await destination({ dialect }, async (m) => {
        const path = files.path(`once${dialect}`);
        await m.ok('migrate-incoming', { uri: `unix:${path}` });
        const socket = createConnection({ path });
        await m.until('M(active)');
        expect(existsSync(path)).to.equal(stays);
        socket.destroy();
        await m.until('exit 1');
      });
    }
  });

  it('refuses to listen beyond loopback without being allowed to', () =>
    destination({}, async (m) => {
      expect(await m.refused('migrate-incoming', { uri: 'tcp::0' })).to.match(/no loopback address/);
    }));

  it('shows where it listens in 7.2 and later', () =>
    destination({ dialect: '10.0' }, async (m) => {
      const path = files.path('shown');
      await m.ok('migrate-incoming', { uri: `unix:${path}` });
      expect(await m.info()).to.deep.equal({ status: 'setup', 'socket-address': [{ type: 'unix', path }] });
    }));

  it('reads the output of a child', () =>
    destination({ megabytes: 1 }, async (m) => {
      const file = files.path('stream');
      const source = new TestMachine({ megabytes: 1 });
      // The source has done its part when the pipe has taken everything; the child may still be writing then.
      await source.ok('migrate', { uri: `exec:cat >${file}.part; mv ${file}.part ${file}` });
      while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5));
      await m.ok('migrate-incoming', { uri: `exec:sleep 0.2; cat ${file}` });
      await m.until('M(completed)');
      expect(m.story).to.equal('M(setup) ↵ M(active) R M(completed)');
      source.close();
    }));

  it('-incoming URI: a bad one ends the process with status 1 (MIG-SM-I01, I02)', async () => {
    const bad = new TestMachine({ runState: 'prelaunch' });
    await bad.migration.startIncoming('foo:x');
    expect(bad.exitStatus).to.equal(1);
    expect(bad.lines).to.deep.equal(['-incoming foo:x: unknown migration protocol: foo:x']);
    bad.close();
    const good = new TestMachine({ runState: 'prelaunch' });
    await good.migration.startIncoming(`unix:${files.path('start')}`);
    expect(good.runState).to.equal('inmigrate');
    expect(await good.refused('migrate-incoming', { uri: 'unix:/x' })).to.equal("For use with '-incoming defer'");
    good.close();
  });

  it('leaves nothing listening behind after close', async () => {
    const path = files.path('closed');
    const machine = new TestMachine({ runState: 'prelaunch' });
    machine.migration.deferIncoming();
    await machine.ok('migrate-incoming', { uri: `unix:${path}` });
    machine.close();
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    server.close();
  });
});
