import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { type DialectName, dialectNames } from '../../../reference/dialects/dialect.js';
import { migrationCommands } from '../../../reference/model/index.js';
import { type MachineOptions, scratch, scribble, TestMachine } from './test-machine.js';

const files = scratch();
let count = 0;

/** A source with some RAM, closed at the end. */
async function source(
  options: MachineOptions,
  capabilities: readonly string[],
  use: (m: TestMachine) => Promise<void>,
) {
  const machine = new TestMachine({ megabytes: 4, ...options });
  scribble(machine.ram);
  try {
    await machine.capabilities('events', ...capabilities);
    await use(machine);
  } finally {
    machine.close();
  }
}

/** A peer that does what `serve` says with the first connection. */
async function peer(serve: (socket: Socket) => void, use: (uri: string) => Promise<void>) {
  const path = files.path(`p${++count}`);
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    await use(`unix:${path}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}
const silent = (socket: Socket) => void socket.resume();
const deaf = (socket: Socket) => void socket.pause();
const short = (type: number, value: number) => Buffer.from([0, type, 0, 4, 0, 0, 0, value]);

describe('migration: trouble on the source', () => {
  after(() => files.remove());

  describe('connecting', () => {
    const cases: [DialectName, string, string][] = [
      ['3.0', 'unix:/nonexistent/x', 'Failed to connect socket /nonexistent/x: No such file or directory'],
      ['7.2', 'unix:/nonexistent/x', "Failed to connect to '/nonexistent/x': No such file or directory"],
      ['3.0', 'tcp:127.0.0.1:1', 'Failed to connect socket: Connection refused'],
      ['10.0', 'tcp:127.0.0.1:1', "Failed to connect to '127.0.0.1:1': Connection refused"],
      ['3.0', `unix:/${'x'.repeat(120)}`, `UNIX socket path '/${'x'.repeat(120)}' is too long`],
    ];
    for (const [dialect, uri, text] of cases) {
      it(`${dialect} ${uri.slice(0, 24)}: failed with error-desc (MIG-SM-O08, MIG-CMD-MIG-32)`, () =>
        source({ dialect }, [], async (m) => {
          await m.ok('migrate', { uri });
          await m.until('M(failed)');
          expect(m.story).to.equal('M(setup) ↵ M(failed)');
          expect(await m.info()).to.deep.equal({ status: 'failed', 'error-desc': text });
          expect(m.lines).to.deep.equal([text]);
          expect(m.runState).to.equal('running');
        }));
    }

    it('a known scheme with a bad address fails in the reply (MIG-SM-O04, MIG-CMD-MIG-31)', () =>
      source({}, [], async (m) => {
        expect(await m.refused('migrate', { uri: 'tcp:1' })).to.equal("error parsing address '1'");
        expect(m.story).to.equal('M(setup) M(failed) ↵error');
        expect(await m.info()).to.deep.equal({ status: 'failed', 'error-desc': "error parsing address '1'" });
        expect(await m.refused('migrate', { uri: 'fd:none' })).to.equal(
          "File descriptor named 'none' has not been found",
        );
      }));

    it('an unknown scheme leaves error-desc out (MIG-SM-O03)', () =>
      source({}, [], async (m) => {
        expect(await m.refused('migrate', { uri: 'file:/x' })).to.equal(
          "Parameter 'uri' expects a valid migration protocol",
        );
        expect(await m.info()).to.deep.equal({ status: 'failed' });
      }));

    it('10.0 refuses an unusable URI before anything else', () =>
      source({ dialect: '10.0' }, [], async (m) => {
        expect(await m.refused('migrate', { uri: 'x:y' })).to.equal('unknown migration protocol: x:y');
        expect(m.story).to.equal('↵error');
        expect(await m.info()).to.deep.equal({});
      }));

    it('unusable TLS credentials fail the migration (MIG-SM-O05, O09)', () =>
      source({}, [], async (m) => {
        await m.ok('migrate-set-parameters', { 'tls-creds': 'id' });
        m.transcript.length = 0;
        await m.ok('migrate', { uri: 'exec:cat' });
        expect(m.story).to.equal('M(setup) M(failed) ↵');
        expect(await m.info()).to.deep.equal({ status: 'failed', 'error-desc': "No TLS credentials with id 'id'" });
      }));
  });

  it('a peer that goes away while iterating fails it, and leaves the guest alone (MIG-SM-O21)', () =>
    source({}, [], (m) =>
      peer(
        (socket) => socket.once('data', () => socket.destroy()),
        async (uri) => {
          await m.ok('migrate-set-parameters', { 'max-bandwidth': 2_000_000n });
          m.transcript.length = 0;
          await m.ok('migrate', { uri });
          await m.until('M(failed)');
          expect(m.story).to.equal('M(setup) ↵ P1 M(active) M(failed)');
          expect(await m.info()).to.deep.equal({ status: 'failed' });
          expect(m.runState).to.equal('running');
        },
      ),
    ));

  for (const dialect of dialectNames) {
    const answers: [string, (socket: Socket) => void][] = [
      ['SHUT 1', (socket) => socket.write(short(1, 1))],
      ['an unknown message', (socket) => socket.write(Buffer.from([0, 0x77, 0, 0]))],
      ['the end of the connection', (socket) => socket.destroy()],
    ];
    for (const [name, answer] of answers) {
      it(`${dialect}: ${name} instead of SHUT 0 lets the guest run again (MIG-SM-O38, O39)`, () =>
        source({ dialect, megabytes: 1 }, ['return-path', 'pause-before-switchover'], (m) =>
          peer(
            (socket) => {
              socket.resume();
              let text = '';
              // The vmdescription is the last thing that a source writes.
              socket.on('data', (chunk) => {
                text = (text + chunk.toString('latin1')).slice(-4000);
                if (/globalstate[\s\S]*\}\s?\]\s?\}$/.test(text)) answer(socket);
              });
            },
            async (uri) => {
              await m.ok('migrate', { uri });
              await m.until('M(pre-switchover)');
              await m.ok('migrate-continue', { state: 'pre-switchover' });
              await m.until('R');
              expect(m.story.replaceAll(/P\d+/g, 'P')).to.match(/S M\(pre-switchover\) ↵ M\(device\) P M\(failed\) R$/);
              expect(m.runState).to.equal('running');
            },
          ),
        ));
    }
  }

  it('a child that does not read fails it (MIG-CMD-EXEC-02), one that ends badly does not matter (EXEC-01)', () =>
    source({}, [], async (m) => {
      await m.ok('migrate', { uri: 'exec:false' });
      await m.until('M(failed)');
      m.transcript.length = 0;
      await m.ok('migrate', { uri: 'exec:cat >/dev/null; exit 3' });
      await m.until('M(completed)');
    }));

  describe('cancel', () => {
    for (const dialect of dialectNames) {
      it(`${dialect}: while iterating to a peer that does not read (MIG-SM-C04, MIG-DEF-01)`, () =>
        source({ dialect }, [], (m) =>
          peer(deaf, async (uri) => {
            await m.ok('migrate', { uri });
            await m.until('M(active)');
            await m.ok('migrate_cancel');
            await m.until('M(cancelled)');
            expect(m.story).to.equal('M(setup) ↵ P1 M(active) M(cancelling) ↵ M(cancelled)');
            expect(await m.info()).to.have.property('status', 'cancelled');
          }),
        ));

      it(`${dialect}: in the final wait (MIG-SM-C07)`, () =>
        source({ dialect, megabytes: 1 }, ['return-path'], (m) =>
          peer(silent, async (uri) => {
            await m.ok('migrate', { uri });
            await m.until('S');
            await m.until('P2', 'P3');
            await m.ok('migrate_cancel');
            await m.until('M(cancelled)');
            expect(m.story).to.match(/M\(cancelling\) ↵ R M\(cancelled\)$/);
            expect(m.runState).to.equal('running');
          }),
        ));

      it(`${dialect}: a stopped guest in pre-switchover (MIG-SM-C08, QMP-RUN-13)`, () =>
        source({ dialect, megabytes: 1, paused: true }, ['pause-before-switchover'], (m) =>
          peer(silent, async (uri) => {
            await m.ok('migrate', { uri });
            await m.until('M(pre-switchover)');
            await m.ok('migrate_cancel');
            await m.until('M(cancelled)');
            expect(m.story).to.match(/M\(pre-switchover\) M\(cancelling\) ↵ M\(cancelled\)$/);
            expect(m.runState).to.equal(dialect === '10.0' ? 'prelaunch' : 'postmigrate');
          }),
        ));
    }

    it('during a connect waits for it in the baseline, and not in 10.0 (MIG-SM-C02)', async () => {
      await source({}, [], async (m) => {
        await m.ok('migrate', { uri: 'unix:/nonexistent/x' });
        await m.ok('migrate_cancel');
        expect(m.story).to.equal('M(setup) ↵ M(cancelling) ↵');
        await m.until('M(cancelled)');
        expect(m.story).to.equal('M(setup) ↵ M(cancelling) ↵ M(cancelled)');
      });
      await source({ dialect: '10.0' }, [], async (m) => {
        await m.ok('migrate', { uri: 'unix:/nonexistent/x' });
        await m.ok('migrate_cancel');
        expect(m.story).to.equal('M(setup) ↵ M(cancelling) M(cancelled) ↵');
      });
    });

    it('cannot interrupt a write to a child (MIG-CMD-EXEC-04)', () =>
      source({}, [], async (m) => {
        await m.ok('migrate', { uri: 'exec:sleep 0.4' });
        await m.until('M(active)');
        await m.ok('migrate_cancel');
        expect(await m.info()).to.have.property('status', 'cancelling');
        await m.until('M(cancelled)');
      }));
  });

  it('answers every command while idle (commands.md §15)', () =>
    source({}, [], async (m) => {
      expect(await m.refused('migrate', { uri: 'unix:/x', resume: true })).to.match(/Cannot resume/);
      expect(await m.refused('migrate-start-postcopy')).to.match(/^Enable postcopy/);
      expect(await m.refused('migrate-pause')).to.match(/only supported during postcopy-active state$/);
      expect(await m.refused('migrate-recover', { uri: 'unix:/x' })).to.match(/postcopy is paused\.$/);
      expect(await m.refused('migrate-incoming', { uri: 'unix:/x' })).to.equal("For use with '-incoming defer'");
      expect(await m.refused('migrate-continue', { state: 'active' })).to.equal(
        'Migration not in expected state: none',
      );
      expect(await m.refused('x-colo-lost-heartbeat')).to.equal("The feature 'colo' is not enabled");
      expect(await m.execute('client_migrate_info', { protocol: 'spice', hostname: 'h' })).to.deep.equal({
        error: { class: 'DeviceNotActive', desc: 'SPICE is not in use' },
      });
      expect(await m.ok('query-xen-replication-status')).to.deep.equal({ error: false });
      await m.ok('xen-colo-do-checkpoint');
      await m.ok('migrate_cancel');
      expect(await m.ok('query-migrate-cache-size')).to.equal(67108864);
      expect([...migrationCommands.keys()].filter((name) => !m.migration.commands.has(name))).to.deep.equal([]);
    }));

  it('saves device state for Xen between STOP and RESUME (MIG-CMD-XEN-01)', () =>
    source({}, [], async (m) => {
      await m.ok('xen-save-devices-state', { filename: files.path('xen') });
      expect(m.story).to.equal('S R ↵');
      expect(await m.refused('xen-save-devices-state', { filename: '/nonexistent/f' })).to.equal(
        'Unable to open /nonexistent/f: No such file or directory',
      );
    }));
});
