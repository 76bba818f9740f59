import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Relay } from '../../../oracle/peer/relay.js';
import { Transcript } from '../../../protocol/transcript.js';

describe('a relay', () => {
  let folder: string;
  let server: Server;
  let relay: Relay;
  let near: Socket;
  let far: Socket;
  let transcript: Transcript;
  let got = Buffer.alloc(0);
  const chunks: number[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'qmpspec-relay-'));
    got = Buffer.alloc(0);
    chunks.length = 0;
    const accepted = new Promise<Socket>((resolve) => {
      server = createServer(resolve).listen(join(folder, 'to'));
    });
    transcript = new Transcript();
    relay = await Relay.open(join(folder, 'from'), join(folder, 'to'), { transcript, endpoint: 'link' });
    near = connect(join(folder, 'from'));
    near.on('error', () => undefined);
    far = await accepted;
    far.on('error', () => undefined);
    far.on('data', (chunk: Buffer) => {
      chunks.push(chunk.length);
      got = Buffer.concat([got, chunk]);
    });
  });
  afterEach(async () => {
    near.destroy();
    far.destroy();
    await relay.close();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  const until = async (holds: () => boolean): Promise<void> => {
    const deadline = performance.now() + 5000;
    while (!holds()) {
      if (performance.now() > deadline) expect.fail(`it did not come; ${got.length} bytes did`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => i & 255));

  it('passes bytes both ways unchanged', async () => {
    near.write(bytes(300_000));
    far.write('back');
    const back = new Promise<string>((resolve) => near.once('data', (chunk) => resolve(chunk.toString())));
    await until(() => got.length === 300_000);
    expect(got.equals(bytes(300_000))).to.equal(true);
    expect(await back).to.equal('back');
    await relay.until('connected', 1000);
  });

  it('holds what comes while it is stalled, and loses nothing of it', async () => {
    relay.behave('stall');
    near.write(bytes(1000));
    far.write('still back');
    await new Promise((resolve) => near.once('data', resolve));
    expect(got.length).to.equal(0);
    relay.behave('pass');
    await until(() => got.length === 1000);
  });

  for (const behaviour of ['slice', 'slow'] as const) {
    it(`passes everything in the end when it is told to ${behaviour}`, async () => {
      relay.behave(behaviour, 7);
      near.write(bytes(700));
      await until(() => got.length === 700);
      expect(got.equals(bytes(700))).to.equal(true);
      expect(chunks.length).to.be.greaterThan(1);
    });
  }

  it('cuts at the byte that it is told to', async () => {
    relay.behave('cut', 100);
    near.write(bytes(1000));
    await relay.until('closed', 5000);
    await until(() => far.destroyed || far.readableEnded);
    expect(got.length).to.equal(100);
    expect(transcript.entries.map(({ text }) => text)).to.include('cut as it was told');
  });

  it('cuts at once', async () => {
    await relay.until('connected', 5000);
    relay.cut();
    await relay.until('closed', 5000);
    await until(() => near.destroyed || near.readableEnded);
  });

  it('closes one end when the other is closed', async () => {
    near.end('last words');
    await until(() => far.readableEnded);
    expect(got.toString()).to.equal('last words');
  });
});
