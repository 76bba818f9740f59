/** A port on loopback at which connections are refused, for as long as it is held. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

export interface RefusedPort {
  readonly port: number;
  release(): void;
}

/**
 * The local end of an established connection: nobody listens there, and nobody can begin to, which a port that was merely
 * found free does not promise.
 */
export async function refusedPort(): Promise<RefusedPort> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [
    [{ destroy(): void }],
    unknown,
  ];
  return {
    port: socket.localPort as number,
    release: () => {
      socket.destroy();
      peer.destroy();
      server.close();
    },
  };
}
