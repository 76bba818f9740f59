/** Migration connections of a simulation: one switchboard, seen by the monitors' engines and by our own peers. */

import type { PeerNetwork } from '../oracle/peer/peer-network.js';
import { ConnectError as NotConnected } from '../protocol/errors.js';
import { Channel } from '../reference/migration/channel.js';
import { ConnectError, unixPathLimit } from '../reference/migration/connect.js';
import { execRefused, ListenError } from '../reference/migration/listen.js';
import type { MigrationNetwork } from '../reference/migration/network.js';
import type { MigrationUri } from '../reference/model/index.js';
import type { PipeEnd } from '../targets/in-process/pipe.js';
import type { Switchboard } from './switchboard.js';

type SocketUri = Extract<MigrationUri, { kind: 'tcp' | 'unix' }>;

const keyOf = (uri: SocketUri): string => (uri.kind === 'unix' ? `unix:${uri.path}` : `tcp:${uri.port}`);

const channelOf = (end: PipeEnd): Channel => new Channel({ readable: end, writable: end, socket: true });

/** Why an address cannot even be tried. */
function fault(uri: SocketUri): string | undefined {
  if (uri.kind === 'unix') {
    return Buffer.byteLength(uri.path) > unixPathLimit ? `UNIX socket path '${uri.path}' is too long` : undefined;
  }
  const { host, port } = uri;
  const failed = (reason: string) => `address resolution failed for ${host}:${port}: ${reason}`;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) return failed('Servname not supported for ai_socktype');
  const loopback = host === '' || host === 'localhost' || /^127(\.\d+){3}$/.test(host);
  return loopback ? undefined : failed('Name or service not known');
}

/** For the engines of the reference. There are no children and no descriptors. */
export function engineNetwork(board: Switchboard): MigrationNetwork {
  let lastPort = 40_000;
  return {
    connect(uri, rules) {
      let giveUp: (error: Error) => void = () => {};
      let stop = () => {};
      const channel = new Promise<Channel>((resolve, reject) => {
        giveUp = reject;
        const wrong = fault(uri);
        if (wrong !== undefined) {
          reject(new ConnectError(wrong));
          return;
        }
        stop = board.connect(keyOf(uri), (result) => {
          if (result !== 'nobody') resolve(channelOf(result));
          else if (uri.kind === 'tcp')
            reject(new ConnectError(rules.connectError(`${uri.host}:${uri.port}`, 'Connection refused')));
          else {
            const reason = uri.path === '' ? 'Connection refused' : 'No such file or directory';
            reject(new ConnectError(rules.connectUnixError(uri.path, reason)));
          }
        });
      });
      return {
        channel,
        abort() {
          stop();
          giveUp(new ConnectError('the connection attempt was given up'));
        },
      };
    },
    async listen(uri, _host, _takeFd, onChannel) {
      if (uri.kind === 'exec') throw new ListenError(execRefused);
      if (uri.kind === 'fd') throw new ListenError(`Unable to use file descriptor '${uri.name}': Bad file descriptor`);
      const wrong = fault(uri);
      if (wrong !== undefined) throw new ListenError(wrong);
      const bound = uri.kind === 'tcp' && uri.port === '0' ? { ...uri, port: String(++lastPort) } : uri;
      const { close } = board.listen(keyOf(bound), (end) => onChannel(channelOf(end)), true);
      const address =
        bound.kind === 'unix'
          ? { path: bound.path, type: 'unix' }
          : { type: 'inet', host: '127.0.0.1', port: bound.port, ipv4: true };
      return { address, close };
    },
  };
}

/** For our own peers. */
export function peerNetwork(board: Switchboard): PeerNetwork {
  return {
    async listen(path, accepted) {
      const { close } = board.listen(`unix:${path}`, accepted, false);
      return { close: async () => close() };
    },
    connect(path) {
      return new Promise((resolve, reject) => {
        board.connect(`unix:${path}`, (result) => {
          if (result !== 'nobody') resolve(result);
          else reject(new NotConnected(`unix:${path}`, 'ENOENT', 'nobody listens there'));
        });
      });
    },
    async listenFull(path, inner) {
      const { open, close } = board.full(`unix:${path}`, `unix:${inner}`);
      return { release: async () => open(), leave: close, close: async () => close() };
    },
  };
}
