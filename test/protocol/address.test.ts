import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { formatAddress, listenAt, openSocket, parseAddress } from '../../protocol/address.js';
import { ConnectError, ListenError } from '../../protocol/errors.js';

describe('addresses', () => {
  it('are read and written again', () => {
    for (const text of [
      'unix:/tmp/a b.sock',
      'unix:relative',
      'tcp:localhost:4444',
      'tcp:[::1]:1',
      'tcp:10.0.0.1:65535',
    ]) {
      expect(formatAddress(parseAddress(text))).to.equal(text);
    }
    expect(parseAddress('tcp::4444')).to.deep.equal({ kind: 'tcp', host: '127.0.0.1', port: 4444 });
  });

  it('say what is wrong with them', () => {
    const faults: [string, RegExp][] = [
      ['unix:', /'unix:' lacks the path of the socket: write unix:PATH/],
      [`unix:/${'x'.repeat(107)}`, /longer than 107 bytes/],
      [`unix:/${'é'.repeat(60)}`, /longer than 107 bytes/],
      ['tcp:localhost:0', /port 0 of .* is not in 1\.\.65535/],
      ['tcp:localhost:65536', /port 65536/],
      ['tcp:localhost', /is not an address: write unix:PATH or tcp:HOST:PORT/],
      ['tcp:localhost:http', /is not an address/],
      ['/tmp/qmp.sock', /is not an address/],
      ['', /'' is not an address/],
    ];
    for (const [text, message] of faults) expect(() => parseAddress(text), text).to.throw(message);
    expect(parseAddress(`unix:/${'x'.repeat(106)}`).kind).to.equal('unix');
  });
});

describe('connecting', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const failure = async (text: string): Promise<ConnectError> => {
    const outcome = await openSocket(parseAddress(text), 2000).then(
      (socket) => socket.destroy(),
      (error: unknown) => error,
    );
    expect(outcome, text).to.be.instanceOf(ConnectError);
    return outcome as ConnectError;
  };

  it('tells in words why it failed', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const absent = await failure(`unix:${folder}/absent`);
    expect(absent.code).to.equal('ENOENT');
    expect(absent.message).to.equal(`cannot connect to unix:${folder}/absent: there is no such socket`);
    expect((await failure(`unix:${file}`)).message).to.match(/nothing listens there|that is not a socket/);
  });

  it('waits while too many others wait, and tells so when that does not end', async () => {
    const path = join(folder, 'busy.sock');
    // Listens, with room for two, and looks at nobody until it is told to.
    const program = `
      const server = require('node:net').createServer(() => undefined).listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => {
        require('node:fs').writeSync(1, 'listens');
        require('node:fs').readSync(0, Buffer.alloc(1));
      });`;
    const monitor = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(monitor.stdout, 'data');
      const address = parseAddress(`unix:${path}`);
      const two = [await openSocket(address, 2000), await openSocket(address, 2000)];
      const outcome = await openSocket(address, 50).catch((error: unknown) => error);
      expect(outcome).to.be.instanceOf(ConnectError);
      expect((outcome as ConnectError).message).to.match(/its queue of waiting clients is full/);
      const third = openSocket(address, 5000);
      monitor.stdin.write('x');
      for (const socket of [...two, await third]) socket.destroy();
    } finally {
      monitor.kill('SIGKILL');
    }
  });

  it('tells that nothing listens at a port', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    await new Promise((resolve) => server.close(resolve));
    const refused = await failure(`tcp:127.0.0.1:${port}`);
    expect(refused.code).to.equal('ECONNREFUSED');
    expect(refused.message).to.match(/nothing listens there/);
  });

  it('tells that a socket cannot be made its own, and listens no more', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
    try {
      const path = join(folder, 'gone.sock');
      const server = createServer();
      // Removed before it is ours alone: this listener is heard first.
      server.once('listening', () => rmSync(path));
      const outcome = await listenAt(server, { kind: 'unix', path }).catch((error: unknown) => error);
      expect(outcome).to.be.instanceOf(ListenError);
      expect(server.listening).to.equal(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
