import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const main = fileURLToPath(new URL('../../../reference/monitor/main.ts', import.meta.url));
const built = main.replace(/\.ts$/, '.js');
const command = existsSync(main) ? ['--import', 'tsx', main] : [built];

/** The lines that one connection gets. */
class Lines {
  readonly lines: string[] = [];
  ended = false;
  #wake = () => {};

  constructor(readonly socket: Socket) {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      const parts = (text + chunk.toString()).split('\r\n');
      text = parts.pop()!;
      this.lines.push(...parts);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('end', () => {
      this.ended = true;
      this.#wake();
    });
  }

  /** Waits for `count` lines in all, or for the end. */
  async until(count: number): Promise<string[]> {
    while (this.lines.length < count && !this.ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.lines;
  }
}

const negotiate = '{"execute":"qmp_capabilities"}';
const named = (id: string) => `{"execute":"query-name","id":"${id}"}`;

describe('The monitor as a program', function () {
  this.timeout(60_000);
  let folder: string;
  let child: ChildProcess | undefined;
  let stderr: string;
  const open: Socket[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qmpspec-'));
    stderr = '';
  });
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.destroy();
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child!.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    child = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const path = () => join(folder, 'qmp');

  function start(...args: string[]): ChildProcess {
    child = spawn(process.execPath, [...command, '-M', 'none', '-nodefaults', '-m', '1M', ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stderr!.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    return child;
  }

  const exited = (process: ChildProcess) =>
    process.exitCode !== null
      ? Promise.resolve(process.exitCode)
      : new Promise<number | null>((resolve) => process.once('close', (code) => resolve(code)));

  /** Connects as soon as somebody listens. */
  async function dial(where = path()): Promise<Lines> {
    for (;;) {
      try {
        const socket = await new Promise<Socket>((resolve, reject) => {
          const attempt = connect({ path: where, allowHalfOpen: true }, () => resolve(attempt)).once('error', reject);
        });
        open.push(socket);
        return new Lines(socket);
      } catch (error) {
        if (child?.exitCode !== null) throw new Error(`the monitor has ended: ${stderr}`, { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  it('QMP-CONN-02, QMP-CONN-03, QMP-CONN-05, QMP-GREET-07: one client at a time, the next ones wait', async () => {
    const process = start('-qmp', `unix:${path()},server,nowait`);
    const first = await dial();
    first.socket.write(negotiate);
    expect(await first.until(2)).to.have.length(2);
    const second = await dial();
    second.socket.write(named('early') + negotiate + named('b1'));
    first.socket.write(named('a1'));
    await first.until(3);
    expect(second.lines).to.deep.equal([]);
    first.socket.end('{"execute":"sto');
    const lines = await second.until(4);
    expect(lines[0]).to.contain('"QMP"');
    expect(lines[1]).to.contain('CommandNotFound');
    expect(lines[3]).to.contain('"b1"');
    second.socket.write('{"execute":"quit"}');
    expect(await exited(process)).to.equal(0);
    expect(existsSync(path()), 'socket file is gone').to.equal(false);
  });

  it('QMP-EVT-12, QMP-EVT-14: the end of file follows the event, whatever was sent behind quit', async () => {
    const process = start('-qmp', `unix:${path()},server,nowait`);
    const client = await dial();
    client.socket.write(`${negotiate}{"execute":"quit"}${named('x').repeat(5000)}`);
    const lines = await client.until(99);
    expect(client.ended).to.equal(true);
    expect(lines).to.have.length(4);
    expect(lines[3]).to.contain('SHUTDOWN');
    expect(await exited(process)).to.equal(0);
  });

  it('QMP-EVT-13: SIGTERM', async () => {
    const process = start('-qmp', `unix:${path()},server,nowait`, '-pidfile', join(folder, 'pid'));
    const client = await dial();
    client.socket.write(negotiate);
    await client.until(2);
    expect(readFileSync(join(folder, 'pid'), 'utf8')).to.equal(`${process.pid}\n`);
    process.kill('SIGTERM');
    const lines = await client.until(99);
    expect(lines[2]).to.contain('SHUTDOWN');
    expect(await exited(process)).to.equal(0);
    expect(existsSync(join(folder, 'pid'))).to.equal(false);
  });

  it('replaces a stale socket file, makes its own private, and keeps other files', async () => {
    const stale = createServer().listen(join(folder, 'stale'));
    await new Promise((resolve) => stale.once('listening', resolve));
    renameSync(join(folder, 'stale'), path());
    await new Promise((resolve) => stale.close(resolve));
    const process = start('-qmp', `unix:${path()},server,nowait`);
    const client = await dial();
    await client.until(1);
    expect(statSync(path()).mode & 0o777).to.equal(0o600);
    process.kill('SIGTERM');
    expect(await exited(process)).to.equal(0);
    const file = join(folder, 'file');
    writeFileSync(file, 'precious');
    const other = start('-qmp', `unix:${file},server,nowait`);
    expect(await exited(other)).to.equal(1);
    expect(stderr).to.contain(`Failed to bind socket to ${file}: Address already in use`);
    expect(readFileSync(file, 'utf8')).to.equal('precious');
  });

  it('QMP-TRANS-01, QMP-TRANS-13: stdio, whose end of file ends nothing', async () => {
    const process = start('-qmp', 'stdio');
    process.stdin!.end(`${negotiate}${named('x')}`);
    let text = '';
    for await (const chunk of process.stdout!) {
      text += String(chunk);
      if (text.split('\r\n').length > 3) break;
    }
    expect(text).to.contain('"id": "x"');
    expect(process.exitCode).to.equal(null);
    process.kill('SIGTERM');
    expect(await exited(process)).to.equal(0);
  });

  it('QMP-TRANS-02: connects, and connects again', async () => {
    const sessions: Lines[] = [];
    let wake = () => {};
    const server = createServer((socket) => {
      open.push(socket);
      sessions.push(new Lines(socket));
      wake();
    }).listen(path());
    start('-qmp', `unix:${path()},reconnect=1`);
    for (let n = 0; n < 2; n++) {
      while (sessions.length <= n)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      const session = sessions[n]!;
      session.socket.write(negotiate);
      expect((await session.until(2))[1]).to.equal('{"return": {}}');
      session.socket.end();
    }
    server.close();
  });

  it('QMP-TRANS-04: a server without nowait holds up the next monitor', async () => {
    const second = join(folder, 'second');
    start('-qmp', `unix:${path()},server`, '-qmp', `unix:${second},server,nowait`);
    while (!existsSync(path())) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(existsSync(second)).to.equal(false);
    const first = await dial();
    await first.until(1);
    expect((await (await dial(second)).until(1))[0]).to.contain('"QMP"');
  });

  const failures: [args: string[], text: string][] = [
    [['-foo'], '-foo: invalid option'],
    [
      ['-qmp', 'unix:/nonexistent/x,server,nowait'],
      'Failed to bind socket to /nonexistent/x: No such file or directory',
    ],
    [['-qmp', 'unix:/nonexistent/x'], "Failed to connect to '/nonexistent/x': No such file or directory"],
    [['-qmp', 'tcp:0.0.0.0:0,server,nowait'], 'beyond this host'],
    [['-device', 'loader,file=/nonexistent,addr=0'], 'Cannot load specified image /nonexistent'],
    [['-pidfile', '/nonexistent/pid'], 'cannot create PID file'],
    [['-incoming', 'foo'], '-incoming foo: unknown migration protocol: foo'],
    [
      ['--dialect', '7.2', '-chardev', 'stdio,id=c', '-mon', 'chardev=c,mode=control,x-oob=on'],
      "Invalid parameter 'x-oob'",
    ],
    [['-global', 'migration.bogus=9'], "can't apply global migration.bogus=9: Property 'migration.bogus' not found"],
    [['-global', 'migration.x-downtime-limit=3000000'], "Parameter 'downtime_limit' expects an integer in the range"],
    [['-chardev', 'stdio,id=c,mux=on', '-mon', 'chardev=c,mode=control,x-oob=on'], 'multiplexed'],
  ];
  for (const [args, text] of failures) {
    it(`ends with status 1 and one line: ${args.join(' ')}`, async () => {
      expect(await exited(start(...args))).to.equal(1);
      expect(stderr)
        .to.contain(text)
        .and.to.match(/^qmpspec-monitor: [^\n]*\n$/);
    });
  }

  it('--version', async () => {
    const process = start('--version', '--dialect', '3.0');
    let text = '';
    for await (const chunk of process.stdout!) text += String(chunk);
    expect(text).to.equal('QEMU emulator version 3.0.50 (qmpspec reference)\n');
    expect(await exited(process)).to.equal(0);
  });
});
