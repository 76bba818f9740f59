import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { Context } from 'mocha';
import { exitCodes } from '../../oracle/exit-codes.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { resolveTarget } from '../../targets/resolve.js';
import { realQemu } from '../targets/real-qemu.js';
import { Running, withFolder } from './process.js';
import { pythonClient } from './python-client.js';

/** Skips without Python, and says so. */
function python(context: Context): string {
  try {
    execFileSync('python3', ['-c', 'import asyncio']);
    return 'python3';
  } catch {
    console.log('      skipped: there is no python3');
    return context.skip();
  }
}

/** Passes bytes on and keeps them, so that what the proxy sent can be told from what its client sent. */
class Tap {
  readonly sent: Buffer[] = [];
  readonly received: Buffer[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    to: string,
  ) {
    server.on('connection', (client: Socket) => {
      const monitor = dial(to);
      // Each connection anew: the proxy asks for the greeting on one of its own before.
      const [sent, received]: [Buffer[], Buffer[]] = [[], []];
      for (const socket of [client, monitor]) this.sockets.add(socket.on('error', () => undefined));
      client.on('data', (chunk) => {
        sent.push(chunk);
        this.sent.splice(0, this.sent.length, ...sent);
      });
      monitor.on('data', (chunk) => {
        received.push(chunk);
        if (sent.length > 0) this.received.splice(0, this.received.length, ...received);
      });
      client.pipe(monitor).pipe(client);
    });
  }

  static async open(path: string, to: string): Promise<Tap> {
    const server = createServer();
    server.listen(path);
    await once(server, 'listening');
    return new Tap(server, to);
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

async function migrateThroughProxy(program: string, name: string): Promise<void> {
  const { target } = resolveTarget(name);
  await withFolder(async (folder) => {
    const source = await target.start();
    const channel = join(source.scratch, 'c.mig');
    const destination = await target.start({ incoming: `unix:${channel}` });
    source.letGo?.();
    const tap = await Tap.open(join(folder, 'tap'), join(source.scratch, 'qmp1.sock'));
    const listen = join(folder, 'proxy');
    const transcript = join(folder, 'transcript.jsonl');
    const addresses = ['--listen', `unix:${listen}`, '--connect', `unix:${join(folder, 'tap')}`];
    const proxy = new Running(['proxy', ...addresses, '--once', '--transcript', transcript]);
    try {
      await proxy.until(({ stderr }) => stderr.includes('relaying'));
      const script = join(folder, 'client.py');
      writeFileSync(script, pythonClient);
      const files = [join(folder, 'sent'), join(folder, 'received')];
      const args = [script, listen, `unix:${channel}`, ...files];
      const { stdout } = await promisify(execFile)(program, args, { cwd: tmpdir() });
      expect(stdout.trim()).to.match(/^setup active (device )?completed$/);
      const { code, stdout: verdict } = await proxy.end;
      expect(verdict).to.match(/^conforms {2}\(\d+ observations\)/);
      expect(code).to.equal(0);
      const [sent = '', received = ''] = files;
      expect(Buffer.concat(tap.sent).equals(readFileSync(sent)), 'bytes to the monitor').to.equal(true);
      expect(Buffer.concat(tap.received).equals(readFileSync(received)), 'bytes to the client').to.equal(true);
    } finally {
      proxy.kill('SIGKILL');
      await proxy.end;
      tap.close();
      await destination.dispose();
      await source.dispose();
      await target.close();
    }
  });
}

describe('qmpspec proxy under a client in Python', function () {
  // Three programs and an interpreter begin one after the other.
  this.timeout(60_000);

  it('passes a whole migration of the reference unchanged and judges it', async function () {
    await migrateThroughProxy(python(this), 'reference:7.2');
  });

  it('passes a whole migration of a real QEMU unchanged and judges it', async function () {
    const qemu = realQemu(this);
    await migrateThroughProxy(python(this), `qemu:${qemu}`);
  });
});

describe('qmpspec proxy', () => {
  const greeting =
    '{"QMP": {"version": {"qemu": {"micro": 50, "minor": 0, "major": 3}, "package": ""}, "capabilities": []}}';

  /** The proxy before a monitor that greets and says no more, in a folder of its own. */
  async function beforeMonitor(work: (folder: string, addresses: string[]) => Promise<void>): Promise<void> {
    await withFolder(async (folder) => {
      const monitor = createServer((client) =>
        client
          .on('error', () => undefined)
          .resume()
          .write(`${greeting}\r\n`),
      );
      monitor.listen(join(folder, 'qmp'));
      await once(monitor, 'listening');
      try {
        await work(folder, ['--listen', `unix:${join(folder, 'proxy')}`, '--connect', `unix:${join(folder, 'qmp')}`]);
      } finally {
        monitor.close();
      }
    });
  }

  it('says in words where it cannot listen', () =>
    beforeMonitor(async (folder, addresses) => {
      writeFileSync(join(folder, 'proxy'), '');
      const taken = await new Running(['proxy', ...addresses]).end;
      expect(taken.stderr).to.match(/^qmpspec: cannot listen at unix:.*proxy: there is a file of this name already\n$/);
      expect(taken.code).to.equal(exitCodes.usage);
      addresses[1] = `unix:${join(folder, 'no', 'proxy')}`;
      const nowhere = await new Running(['proxy', ...addresses]).end;
      expect(nowhere.stderr).to.match(/proxy: there is no such folder, or it is not ours to write\n$/);
    }));

  it('does not begin without the transcript that is asked for', () =>
    beforeMonitor(async (folder, addresses) => {
      const ended = await new Running(['proxy', ...addresses, '--transcript', join(folder, 'no', 't')]).end;
      expect(ended.stderr).to.match(/^qmpspec: .*no.t cannot be written: there is no such folder\n$/);
      expect(ended.code).to.equal(exitCodes.storage);
    }));

  it('is no success when the transcript could not be kept', () =>
    beforeMonitor(async (folder, addresses) => {
      const proxy = new Running(['proxy', ...addresses, '--once', '--transcript', '/dev/full']);
      await proxy.until(({ stderr }) => stderr.includes('relaying'));
      const client = dial(join(folder, 'proxy'));
      client.once('data', () => client.end('{"execute": "qmp_capabilities"}'));
      const ended = await proxy.end;
      expect(ended.stderr).to.contain('the transcript is incomplete: /dev/full cannot be written: the disk is full');
      expect(ended.code).to.equal(exitCodes.storage);
    }));

  it('knows what a build lacks by what the monitor lists, where the dialect is named too', async () => {
    const listed = dialects['7.2'].migration.capabilities
      .filter((name) => name !== 'zero-copy-send' && name !== 'block')
      .map((capability) => `{"capability": "${capability}", "state": false}`);
    const monitor = createServer((client) => {
      client.on('error', () => undefined).write(`${greeting}\r\n`);
      client.on('data', (asked) =>
        client.write(`{"return": ${/migrate/.test(String(asked)) ? `[${listed.join(', ')}]` : '{}'}}\r\n`),
      );
    });
    await withFolder(async (folder) => {
      monitor.listen(join(folder, 'qmp'));
      await once(monitor, 'listening');
      const listen = join(folder, 'proxy');
      const addresses = ['--listen', `unix:${listen}`, '--connect', `unix:${join(folder, 'qmp')}`];
      const proxy = new Running(['proxy', ...addresses, '--dialect', '7.2', '--once']);
      try {
        await proxy.until(({ stderr }) => stderr.includes('relaying'));
        const client = dial(listen);
        await once(client, 'data');
        for (const execute of ['qmp_capabilities', 'query-migrate-capabilities']) {
          client.write(`${JSON.stringify({ execute })}\n`);
          await once(client, 'data');
        }
        client.end();
        expect((await proxy.end).stdout).to.match(/^conforms/);
      } finally {
        proxy.kill('SIGKILL');
        monitor.close();
      }
    });
  });
});
