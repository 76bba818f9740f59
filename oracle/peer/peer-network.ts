/** What peers listen with: unix sockets of this host, or the channels of a simulation. */
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { ByteStream } from '../../protocol/byte-stream.js';
import { ConnectError } from '../../protocol/errors.js';
import { FullListener } from './full-listener.js';

export interface PeerListener {
  /** Ends the listener and removes its address. Never throws. */
  close(): Promise<void>;
}

/** A listener whose queue is full: whoever connects stays connecting. */
export interface FullPeerListener extends PeerListener {
  /** Hands everybody on to the inner listener from now on. */
  release(): Promise<void>;
  /** Closes the listener: whoever is connecting is refused. */
  leave(): void;
}

export interface PeerNetwork {
  /** Connections come paused, so that nothing is read before it is known what to do with them. */
  listen(path: string, accepted: (connection: ByteStream) => void): Promise<PeerListener>;
  /** Connects to a listener. @throws ConnectError when nobody listens there */
  connect(path: string): Promise<ByteStream>;
  /** @param inner path of the listener that gets the connections after the release */
  listenFull(path: string, inner: string): Promise<FullPeerListener>;
}

/** Unix sockets with mode 0600. */
export const hostPeerNetwork: PeerNetwork = {
  async listen(path, accepted) {
    const server = createServer({ pauseOnConnect: true }, accepted);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path }, () => {
        chmodSync(path, 0o600);
        resolve();
      });
    });
    return {
      async close() {
        await new Promise<void>((resolve) => server.close(() => resolve()));
        rmSync(path, { force: true });
      },
    };
  },
  connect(path) {
    return new Promise((resolve, reject) => {
      const socket = connect({ path, allowHalfOpen: true });
      socket.once('connect', () => resolve(socket));
      socket.once('error', (error: NodeJS.ErrnoException) =>
        reject(new ConnectError(`unix:${path}`, error.code ?? '', error.message)),
      );
    });
  },
  async listenFull(path, inner) {
    const full = await FullListener.open(path, inner);
    return {
      release: () => full.release(),
      leave: () => full.leave(),
      async close() {
        await full.close();
        rmSync(path, { force: true });
      },
    };
  },
};
