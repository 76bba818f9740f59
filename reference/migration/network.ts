/** How migration connections are made. A simulation carries them in memory. */
import type { MigrationRules } from '../dialects/migration.js';
import type { MigrationUri } from '../model/index.js';
import type { Channel } from './channel.js';
import { type Connecting, connectSocket } from './connect.js';
import type { Clock, MigrationHost } from './host.js';
import { type Listener, listen } from './listen.js';

export interface MigrationNetwork {
  /** Connects a socket address; the promise rejects with ConnectError. */
  connect(uri: Extract<MigrationUri, { kind: 'tcp' | 'unix' }>, rules: MigrationRules, clock: Clock): Connecting;
  /** Opens the incoming side. @throws ListenError */
  listen(
    uri: Exclude<MigrationUri, { kind: 'bad' | 'unknown' }>,
    host: MigrationHost,
    takeFd: (name: string) => number | undefined,
    onChannel: (channel: Channel) => void,
  ): Promise<Listener>;
}

/** Sockets, children and descriptors of this host. */
export const hostNetwork: MigrationNetwork = { connect: connectSocket, listen };
