import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type AcceptedSocket, readInto } from '../../../reference/migration/accepted-socket.js';
import { Channel } from '../../../reference/migration/channel.js';
import { seeded } from '../stream/recordings.js';

const roomBytes = 10_000;

describe('an accepted socket that reads into given memory', () => {
  let folder: string;
  let server: Server;
  let client: Socket;
  let accepted: AcceptedSocket;
  let channel: Channel;
  const room = Buffer.alloc(roomBytes);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'qmpspec-accepted-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  async function connected(transport: 'unix' | 'tcp'): Promise<void> {
    server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const path = join(folder, 'socket');
    if (transport === 'unix') server.listen({ path });
    else server.listen({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    client = transport === 'unix' ? connect({ path }) : connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    accepted = readInto(socket, room);
    expect(accepted.input, 'no such sockets in this Node.js').not.to.equal(undefined);
    channel = new Channel({
      readable: accepted.socket,
      writable: accepted.socket,
      socket: true,
      input: accepted.input!,
    });
  }

  afterEach(() => {
    client.destroy();
    accepted.socket.destroy();
    server.close();
  });

  for (const transport of ['unix', 'tcp'] as const) {
    it(`brings every byte in order over ${transport}, waits when told to, and answers after the peer's end`, async () => {
      await connected(transport);
      const random = seeded(3);
      const sent = Buffer.from(Array.from({ length: 300_000 }, () => Math.floor(random() * 256)));
      const got: Buffer[] = [];
      let waits = 0;
      const ended = new Promise<Error | undefined>((resolve) => {
        channel.read((chunk) => {
          expect(chunk.buffer).to.equal(room.buffer);
          got.push(Buffer.from(chunk));
          if (got.length % 3 !== 0) return true;
          waits++;
          setImmediate(() => channel.resume());
          return false;
        }, resolve);
      });
      client.end(sent);
      expect(await ended).to.equal(undefined);
      expect(Buffer.concat(got).equals(sent)).to.equal(true);
      expect(waits).to.be.above(5);
      channel.post(Buffer.from('answer'));
      channel.finish();
      const [answer] = (await once(client, 'data')) as [Buffer];
      expect(answer.toString()).to.equal('answer');
      const closed = once(server, 'close');
      server.close();
      await closed;
    });
  }

  it('brings nothing while it waits', async () => {
    await connected('unix');
    const got: number[] = [];
    let wake = () => {};
    const first = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const ended = new Promise<void>((resolve) => {
      channel.read(
        (chunk) => {
          got.push(chunk.length);
          wake();
          return false;
        },
        () => resolve(),
      );
    });
    client.write('one');
    await first;
    client.end('two');
    // What has been written is there for the next poll of the event loop.
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(got).to.deep.equal([3]);
    channel.resume();
    for (let turn = 0; turn < 1000 && got.length < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    channel.resume();
    await ended;
    expect(got).to.deep.equal([3, 3]);
  });

  it('tells when nobody reads any more, and of a connection that broke', async () => {
    await connected('tcp');
    const closed = new Promise<void>((resolve) => {
      channel = new Channel({
        readable: accepted.socket,
        writable: accepted.socket,
        socket: true,
        input: accepted.input!,
        closed: resolve,
      });
    });
    const ended = new Promise<Error | undefined>((resolve) => channel.read(() => true, resolve));
    client.resetAndDestroy();
    expect((await ended)?.message).to.equal('Connection reset by peer');
    await closed;
  });
});
