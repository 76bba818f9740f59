import { spawn } from 'node:child_process';
import { chmodSync, createReadStream, fstatSync, lstatSync, rmSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import type { MigrationUri } from '../model/index.js';
import { inputRoom } from '../ram/ram-memory.js';
import { readInto } from './accepted-socket.js';
import { Channel } from './channel.js';
import { resolveInet, socketChannel, unixPathLimit } from './connect.js';
import { reasonOf } from './errno.js';
import type { MigrationHost } from './host.js';

/** A listener could not be opened; the message is the error's `desc`. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** What waits for an incoming connection. */
export interface Listener {
  /** `socket-address` of `query-migrate`, where there is one. */
  readonly address: Readonly<Record<string, unknown>> | undefined;
  close(): void;
}

/** Opens the incoming side of a URI (commands.md §11). @throws ListenError */
export async function listen(
  uri: Exclude<MigrationUri, { kind: 'bad' | 'unknown' }>,
  host: MigrationHost,
  takeFd: (name: string) => number | undefined,
  onChannel: (channel: Channel) => void,
): Promise<Listener> {
  switch (uri.kind) {
    case 'unix':
      return listenUnix(uri.path, host, onChannel);
    case 'tcp':
      return listenTcp(uri.host, uri.port, host, onChannel);
    case 'exec':
      if (host.allowExec !== true) throw new ListenError(execRefused);
      return firstByte(execSource(uri.command), onChannel);
    default:
      return firstByte(fdSource(uri.name, takeFd), onChannel);
  }
}

export const execRefused = "'exec:' is switched off; start the reference monitor with exec allowed to use it";

function serve({ ram }: Pick<MigrationHost, 'ram'>, onChannel: (channel: Channel) => void): Server {
  return createServer({ allowHalfOpen: true, pauseOnConnect: true }, (accepted) => {
    accepted.setNoDelay(true);
    // The first connection has most to say where there is but one, and its records are applied where they lie.
    const { memory } = ram;
    const lent = memory?.lendInput();
    const { socket, input } = readInto(accepted, lent ?? Buffer.allocUnsafeSlow(inputRoom));
    onChannel(
      new Channel({
        readable: socket,
        writable: socket,
        socket: true,
        ...(input === undefined ? {} : { input }),
        ...(lent === undefined ? {} : { closed: () => memory?.giveBackInput() }),
      }),
    );
  });
}

function opened(server: Server, begin: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.removeListener('error', reject);
      // A later accept error leaves the listener as it is: there is nobody to tell.
      server.on('error', () => {});
      resolve();
    });
    begin();
  });
}

async function listenUnix(path: string, host: MigrationHost, onChannel: (channel: Channel) => void): Promise<Listener> {
  if (Buffer.byteLength(path) > unixPathLimit) throw new ListenError(`UNIX socket path '${path}' is too long`);
  const server = serve(host, onChannel);
  try {
    // As a real monitor does: a socket left by an earlier process gives way.
    removeStaleSocket(path);
    await opened(server, () => server.listen({ path }));
    chmodSync(path, 0o600);
  } catch (error) {
    server.close();
    throw new ListenError(`Failed to bind socket to ${path}: ${reasonOf(error)}`);
  }
  return { address: { path, type: 'unix' }, close: () => server.close() };
}

function removeStaleSocket(path: string): void {
  try {
    if (lstatSync(path).isSocket()) rmSync(path);
  } catch {
    // Nothing there, or not ours to remove: bind will say so.
  }
}

async function listenTcp(
  name: string,
  port: string,
  host: MigrationHost,
  onChannel: (channel: Channel) => void,
): Promise<Listener> {
  let address: string;
  try {
    address = name === '' ? '0.0.0.0' : (await resolveInet(name, port))[0]!;
  } catch (error) {
    throw new ListenError(`address resolution failed for ${name}:${port}: ${reasonOf(error)}`);
  }
  if (host.allowRemote !== true && !isLoopback(address)) {
    throw new ListenError(`'${name}:${port}' is no loopback address; allow remote listeners to use it`);
  }
  const server = serve(host, onChannel);
  try {
    await opened(server, () => server.listen({ host: address, port: Number(port) }));
  } catch (error) {
    server.close();
    throw new ListenError(`Failed to bind socket: ${reasonOf(error)}`);
  }
  const bound = server.address();
  const shown = typeof bound === 'object' && bound !== null ? bound : { address, port: Number(port), family: 'IPv4' };
  const family = shown.family === 'IPv6' ? { ipv6: true } : { ipv4: true };
  return {
    address: { type: 'inet', host: shown.address, port: String(shown.port), ...family },
    close: () => server.close(),
  };
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

interface Source {
  readonly channel: Channel;
  readonly readable: NodeJS.ReadableStream;
}

/** `exec:` and `fd:`: the connection counts as made at the first readable byte (MIG-SM-I09). */
function firstByte({ channel, readable }: Source, onChannel: (channel: Channel) => void): Listener {
  let taken = false;
  readable.once('readable', () => {
    // `readable` also comes at the end of a stream without a byte, and then nothing ever connects.
    if (taken || (readable as Socket).readableLength === 0) return;
    taken = true;
    onChannel(channel);
  });
  return {
    address: undefined,
    close: () => {
      if (!taken) channel.destroy();
    },
  };
}

function execSource(command: string): Source {
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.on('error', () => {});
  const channel = new Channel({
    readable: child.stdout,
    // Carries the return path, if the child passes it on.
    writable: child.stdin,
    socket: false,
    cleanUp: () => {
      child.kill('SIGTERM');
    },
  });
  return { channel, readable: child.stdout };
}

function fdSource(name: string, takeFd: (name: string) => number | undefined): Source {
  const fd = takeFd(name) ?? (Number.parseInt(name, 10) || 0);
  try {
    const stat = fstatSync(fd);
    if (stat.isSocket()) {
      const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
      return { channel: socketChannel(socket), readable: socket };
    }
    const readable = stat.isFIFO() ? new Socket({ fd, readable: true, writable: false }) : createReadStream('', { fd });
    return { channel: new Channel({ readable, socket: false }), readable };
  } catch (error) {
    throw new ListenError(`Unable to use file descriptor '${name}': ${reasonOf(error)}`);
  }
}
