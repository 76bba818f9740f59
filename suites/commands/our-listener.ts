/** A unix socket of ours that accepts connections and says nothing. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface OurListener {
  /** Connections accepted so far. */
  readonly accepted: number;
  close(): void;
}

export async function listenAt(path: string): Promise<OurListener> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    // A peer that breaks the connection off is no error of ours.
    socket.on('error', () => undefined);
    socket.resume();
    sockets.push(socket);
  }).listen(path);
  await once(server, 'listening');
  return {
    get accepted() {
      return sockets.length;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
