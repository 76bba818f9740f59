import { readdirSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { FullListener } from '../../../oracle/peer/full-listener.js';
import { withFolder } from '../../cli/process.js';

const threads = (): number => readdirSync('/proc/self/task').length;

/** Connects without waiting for it; the result tells what came of it. */
function arrives(path: string): { socket: Socket; outcome: Promise<string> } {
  const socket = connect(path);
  const outcome = new Promise<string>((resolve) => {
    socket.once('data', (data) => resolve(data.toString()));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    socket.once('close', () => resolve('closed'));
  });
  return { socket, outcome };
}

describe('a listener whose queue is full', function () {
  this.timeout(20000);

  it('lets in nobody, then everybody, and its thread serves the next one', async () => {
    await withFolder(async (folder) => {
      const inner = join(folder, 'inner');
      const server = createServer((socket) => socket.on('error', () => undefined).end('welcome'));
      await new Promise<void>((resolve) => server.listen({ path: inner }, resolve));
      try {
        let before: number | undefined;
        for (let round = 0; round < 4; round++) {
          const path = join(folder, `full${round}`);
          const full = await FullListener.open(path, inner);
          // An unix socket does not wait where it is asked not to: it is told that there is no room.
          expect(await arrives(path).outcome, `round ${round}, full`).to.equal('EAGAIN');
          await full.release();
          expect(await arrives(path).outcome, `round ${round}, released`).to.equal('welcome');
          await full.close();
          before ??= threads();
          expect(threads(), `threads in round ${round}`).to.equal(before);
        }
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    });
  });

  it('refuses everybody once it leaves, and its thread serves the next one', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'full');
      for (let round = 0; round < 2; round++) {
        const full = await FullListener.open(path, join(folder, 'inner'));
        full.leave();
        await full.close();
        expect(await arrives(path).outcome).to.be.oneOf(['ENOENT', 'ECONNREFUSED']);
      }
    });
  });

  it('says why it cannot listen, and does not use that thread again', async () => {
    await withFolder(async (folder) => {
      const inner = join(folder, 'inner');
      const path = join(folder, 'missing', 'full');
      const failed = await FullListener.open(path, inner).catch((error: NodeJS.ErrnoException) => error);
      expect(failed).to.have.property('code').that.is.oneOf(['EACCES', 'ENOENT']);
      const full = await FullListener.open(join(folder, 'full'), inner);
      await full.close();
    });
  });
});
