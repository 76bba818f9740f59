import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Peer, type PeerOptions } from '../../../oracle/peer/peer.js';
import { DeadlinePassed } from '../../../protocol/errors.js';
import { Transcript } from '../../../protocol/transcript.js';
import { dialects } from '../../../reference/dialects/dialect.js';
import { StreamWriter } from '../../../reference/stream/stream-writer.js';
import type { PeerBehaviour } from '../../../targets/scenario.js';

const rules = dialects['7.2'].stream;
const wait = 5000;

/** What the peer said back, and the moments of a client's connection. */
class Client {
  readonly said: Buffer[] = [];
  code = '';
  ended = false;
  private readonly socket: Socket;
  private readonly waiters = new Set<() => void>();
  connected = false;

  constructor(path: string) {
    this.socket = connect(path);
    const notice = (act: () => void) => {
      act();
      for (const waiter of this.waiters) waiter();
    };
    this.socket.on('connect', () => notice(() => (this.connected = true)));
    this.socket.on('data', (chunk) => notice(() => this.said.push(chunk)));
    this.socket.on('close', () => notice(() => (this.ended = true)));
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.code = error.code ?? ''));
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  close(): void {
    this.socket.destroy();
  }

  get hex(): string {
    return Buffer.concat(this.said).toString('hex');
  }

  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => {
      const waiter = () => {
        if (!holds()) return;
        this.waiters.delete(waiter);
        resolve();
      };
      this.waiters.add(waiter);
    });
  }
}

/** The stream of a machine without RAM. */
function stream(returnPath: boolean, tail: 'whole' | 'cut' = 'whole'): Buffer {
  const writer = new StreamWriter(rules);
  writer.header();
  writer.configuration('none');
  if (returnPath) {
    writer.command('OPEN_RETURN_PATH');
    writer.ping(7);
  }
  if (tail === 'whole') {
    writer.eof();
    writer.vmdescription('{}');
  }
  return writer.out.takeJoined();
}

const pong = (value: string) => `00020004${value}`;
const shut = (value: string) => `00010004${value}`;

describe('a peer on a migration channel', () => {
  let folder: string;
  let peer: Peer | undefined;
  const clients: Client[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qmpspec-peer-'));
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await peer?.close();
    peer = undefined;
    expect(readdirSync(folder), 'left behind').to.deep.equal([]);
    rmSync(folder, { recursive: true });
  });

  const opens = async (behaviour: PeerBehaviour, options: PeerOptions = {}) => {
    peer = await Peer.open(join(folder, 'channel'), behaviour, { rules, ...options });
    expect(peer.uri).to.equal(`unix:${join(folder, 'channel')}`);
    return peer;
  };
  const calls = () => {
    const client = new Client(join(folder, 'channel'));
    clients.push(client);
    return client;
  };

  it('answers pings and tells at the end that all is well', async () => {
    const channel = await opens('answer');
    const client = calls();
    client.write(stream(true));
    await channel.until('end-of-stream', wait);
    await client.until(() => client.hex === pong('00000007') + shut('00000000'));
    expect(channel.connections).to.equal(1);
    expect(channel.received).to.equal(stream(true).length);
  });

  it('serves one migration after the other', async () => {
    await opens('answer');
    for (let turn = 0; turn < 2; turn++) {
      const client = calls();
      client.write(stream(true));
      await client.until(() => client.hex === pong('00000007') + shut('00000000'));
      client.close();
    }
  });

  it('says nothing where no return path was opened', async () => {
    const channel = await opens('answer');
    const client = calls();
    client.write(stream(false));
    await channel.until('end-of-stream', wait);
    client.close();
    await channel.until('closed', wait);
    expect(client.hex).to.equal('');
  });

  it('reports an error at the end', async () => {
    await opens('error');
    const client = calls();
    client.write(stream(true));
    await client.until(() => client.hex === pong('00000007') + shut('00000001'));
  });

  it('reads all and stays silent, until it is released', async () => {
    const channel = await opens('silent');
    const client = calls();
    client.write(stream(true));
    await channel.until('end-of-stream', wait);
    expect(client.hex).to.equal('');
    await channel.release();
    await client.until(() => client.hex === pong('00000007') + shut('00000000'));
  });

  it('reads nothing, until it is released', async () => {
    const channel = await opens('stall');
    const client = calls();
    client.write(stream(true));
    await channel.until('connected', wait);
    let passed: unknown;
    await channel.until('end-of-stream', 20).catch((error: unknown) => (passed = error));
    expect(passed).to.be.instanceOf(DeadlinePassed);
    expect(channel.received).to.equal(0);
    await channel.release();
    await client.until(() => client.hex === pong('00000007') + shut('00000000'));
  });

  it('closes at once, or after some bytes', async () => {
    const channel = await opens('cut');
    const client = calls();
    await client.until(() => client.ended);
    await channel.until('closed', wait);
    await channel.close();
    const later = await opens('cut', { bytes: 10 });
    const second = calls();
    second.write(stream(false, 'cut').subarray(0, 9));
    await later.until('connected', wait);
    expect(second.ended).to.equal(false);
    second.write(Buffer.from([0]));
    await second.until(() => second.ended);
    expect(later.received).to.equal(10);
  });

  it('is not there', async () => {
    const channel = await opens('absent');
    const client = calls();
    await client.until(() => client.ended);
    expect(client.code).to.equal('ENOENT');
    await channel.release();
    channel.cut();
    expect(existsSync(join(folder, 'channel'))).to.equal(false);
  });

  it('has a full queue until it is released, and then answers', async () => {
    const channel = await opens('full');
    const client = calls();
    await client.until(() => client.ended);
    expect(client.code).to.equal('EAGAIN');
    expect(channel.connections).to.equal(0);
    await channel.release();
    const second = calls();
    await second.until(() => second.connected);
    second.write(stream(true));
    await channel.until('end-of-stream', wait);
    await second.until(() => second.hex === pong('00000007') + shut('00000000'));
    expect(channel.connections, 'the fillers of the queue do not count').to.equal(1);
  });

  it('refuses whoever waited at a full queue once it is cut', async () => {
    const channel = await opens('full');
    channel.cut();
    await channel.close();
    const client = calls();
    await client.until(() => client.ended);
    expect(client.code).to.equal('ENOENT');
  });

  it('closes its connections when it is cut', async () => {
    const channel = await opens('silent');
    const client = calls();
    await channel.until('connected', wait);
    channel.cut();
    await client.until(() => client.ended);
  });

  it('also closes a connection that is made and not yet accepted when it is cut', async () => {
    const channel = await opens('answer');
    const client = calls();
    // The kernel has connected the client; our listener has not been told yet.
    await client.until(() => client.connected || channel.connections > 0);
    channel.cut();
    await client.until(() => client.ended);
    // A monitor would need another round trip with us before it connects again.
    for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
    const later = calls();
    await channel.until('connected', wait, 2);
    later.write(stream(true));
    await later.until(() => later.hex === pong('00000007') + shut('00000000'));
  });

  it('sends any bytes on the return path', async () => {
    const channel = await opens('silent');
    const client = calls();
    await channel.until('connected', wait);
    channel.message(Buffer.from('0000ffff', 'hex'));
    await client.until(() => client.hex === '0000ffff');
  });

  it('closes the connection of a stream that cannot be read, and says why', async () => {
    const transcript = new Transcript();
    await opens('answer', { transcript, endpoint: 'channel' });
    const client = calls();
    client.write(Buffer.from('QEVN0000'));
    await client.until(() => client.ended);
    const facts = transcript.entries.filter(({ at, kind }) => at === 'channel' && kind === 'channel');
    expect(facts.map(({ text }) => text).join('\n')).to.match(/listens at .*: answer\n.*accepted\n.*cannot be read/);
  });

  it('goes on with a broken postcopy on a second connection', async () => {
    const channel = await opens('answer');
    const first = new StreamWriter(rules);
    first.header();
    first.configuration('none');
    first.command('OPEN_RETURN_PATH');
    first.start(1, 'ram', 0, 4);
    first.ram.setup([{ name: 'ram', length: 0x10000 }]);
    first.ram.eos();
    first.footer();
    const client = calls();
    client.write(first.out.takeJoined());
    await channel.until('connected', wait);
    await client.until(() => client.connected);
    // The setup has been read when a ping behind it is answered.
    first.ping(1);
    client.write(first.out.takeJoined());
    await client.until(() => client.hex === pong('00000001'));
    client.close();
    await channel.until('closed', wait);
    const second = new StreamWriter(rules);
    second.recvBitmap('ram');
    second.command('POSTCOPY_RESUME');
    const again = calls();
    again.write(second.out.takeJoined());
    const bitmap = '000500040372616d' + '0000000000000008' + '0000000000000000' + '0123456789abcdef';
    await again.until(() => again.hex === `${bitmap}0006000400000001`);
  });

  it('does not know what goes on with a stream that was cut before it came', async () => {
    const transcript = new Transcript();
    const channel = await opens('answer', { transcript, endpoint: 'channel' });
    const first = new StreamWriter(rules);
    first.header();
    const client = calls();
    client.write(first.out.takeJoined());
    await channel.until('connected', wait);
    await client.until(() => client.connected);
    client.close();
    await channel.until('closed', wait);
    const second = new StreamWriter(rules);
    second.command('POSTCOPY_RESUME');
    second.part(1);
    const again = calls();
    again.write(second.out.takeJoined());
    await again.until(() => again.ended);
    const facts = transcript.entries.filter(({ kind }) => kind === 'channel').map(({ text }) => text);
    expect(facts.join('\n')).to.match(/the stream cannot be read without its beginning: .*section id/);
  });

  it('is for this user alone', async () => {
    for (const behaviour of ['answer', 'full'] as const) {
      const channel = await opens(behaviour);
      expect(statSync(join(folder, 'channel')).mode & 0o777).to.equal(0o600);
      await channel.close();
    }
  });
});
