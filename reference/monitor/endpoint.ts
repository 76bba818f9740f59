/** Opens the addresses of monitors: listens, connects, or takes standard input and output. */
import { chmodSync, existsSync, fstatSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type ListenOptions, type Server, Socket } from 'node:net';
import { dirname } from 'node:path';
import type { ByteSink, ByteStream } from '../../protocol/byte-stream.js';
import { type DescriptorPassing, descriptorPassing } from '../../protocol/descriptor-passing.js';
import { reasonOf } from '../migration/errno.js';
import type { Address } from './address.js';
import { DescriptorInput } from './descriptor-input.js';
import type { Channel } from './session.js';
import { UsageError } from './usage-error.js';

export interface Endpoint {
  /** Resolves with the first client of a server that is waited for (QMP-TRANS-04), else at once. */
  readonly ready: Promise<void>;
  /** Stops listening or connecting, and removes a socket file. */
  close(): void;
}

type SocketAddress = Exclude<Address, { kind: 'stdio' }>;

/** Resolves when `finish` says so, or when the stream is gone. */
function flushed(stream: ByteSink, finish: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    stream.once('close', resolve);
    finish(resolve);
  });
}

/** A monitor's end of a connection. */
export function socketChannel(socket: ByteStream): Channel {
  // A client that is gone before its turn is no error; a session adds its own listener.
  socket.on('error', () => {});
  return { input: socket, output: socket, end: () => flushed(socket, (done) => void socket.end(done)) };
}

/** As {@link socketChannel}, of a unix socket whose bytes may carry descriptors. */
function descriptorChannel(socket: Socket, passing: DescriptorPassing): Channel {
  const input = new DescriptorInput(socket, passing);
  return {
    ...socketChannel(socket),
    input,
    onDescriptors: (listener) => {
      input.onDescriptors = listener;
    },
  };
}

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * @param option shown in front of errors.
 * @throws UsageError if the address cannot be opened.
 */
export async function openEndpoint(
  address: Address,
  option: string,
  allowRemote: boolean,
  attach: (channel: Channel) => void,
): Promise<Endpoint> {
  if (address.kind === 'stdio') {
    attach(standardChannel());
    return { ready: Promise.resolve(), close: () => {} };
  }
  return address.server ? await listen(address, option, allowRemote, attach) : await dial(address, option, attach);
}

/** Standard output must not block when its reader is slow, and does not end with the client (QMP-TRANS-13). */
function standardChannel(): Channel {
  const stat = fstatSync(1);
  const output =
    stat.isFIFO() || stat.isSocket() ? new Socket({ fd: 1, readable: false, writable: true }) : process.stdout;
  return { input: process.stdin, output, end: () => flushed(output, (done) => output.write('', () => done())) };
}

async function listen(
  address: SocketAddress,
  option: string,
  allowRemote: boolean,
  attach: (channel: Channel) => void,
): Promise<Endpoint> {
  if (address.kind === 'tcp' && !allowRemote && !isLoopback(address.host)) {
    throw new UsageError(
      `${option}: would listen on '${address.host || '*'}', beyond this host; use 127.0.0.1, or --allow-remote if that is meant`,
    );
  }
  let firstClient = () => {};
  const ready = new Promise<void>((resolve) => {
    firstClient = resolve;
    if (!address.wait) resolve();
  });
  const passing = address.kind === 'unix' ? await descriptorPassing() : undefined;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    firstClient();
    attach(passing === undefined ? socketChannel(socket) : descriptorChannel(socket, passing));
  });
  await bind(server, address, option);
  return {
    ready,
    close: () => {
      server.close();
      if (address.kind === 'unix') unlinkQuietly(address.path);
    },
  };
}

async function bind(server: Server, address: SocketAddress, option: string): Promise<void> {
  const place = address.kind === 'unix' ? address.path : `${address.host}:${address.port}`;
  const where: ListenOptions =
    address.kind === 'unix' ? { path: address.path } : { host: address.host || '::', port: address.port };
  // A socket file that an earlier process left is replaced; anything else of that name is not ours to remove.
  if (address.kind === 'unix' && lstatSync(address.path, { throwIfNoEntry: false })?.isSocket())
    unlinkQuietly(address.path);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // The file appears during this call, and must never be open to others.
      const mask = process.umask(0o177);
      server.listen({ ...where, backlog: 1 }, resolve);
      process.umask(mask);
    });
    if (address.kind === 'unix') chmodSync(address.path, 0o600);
  } catch (error) {
    // Node reports a missing folder of a socket path as a lack of permission.
    const missing = address.kind === 'unix' && !existsSync(dirname(address.path));
    const reason = missing ? 'No such file or directory' : reasonOf(error);
    throw new UsageError(`${option}: Failed to bind socket to ${place}: ${reason}`);
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody was faster.
  }
}

/** The connecting side (QMP-TRANS-02, QMP-TRANS-03). */
async function dial(address: SocketAddress, option: string, attach: (channel: Channel) => void): Promise<Endpoint> {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const again = () => {
    if (closed || address.reconnectMs === 0) return;
    timer = setTimeout(() => void attempt().catch(() => {}), address.reconnectMs);
  };
  const attempt = () =>
    new Promise<void>((resolve, reject) => {
      const place = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
      const socket = connect({ ...place, allowHalfOpen: true });
      socket.once('close', again);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        attach(socketChannel(socket));
        resolve();
      });
    });
  try {
    await attempt();
  } catch (error) {
    const place = address.kind === 'unix' ? address.path : `${address.host}:${address.port}`;
    if (address.reconnectMs === 0)
      throw new UsageError(`${option}: Failed to connect to '${place}': ${reasonOf(error)}`);
  }
  return {
    ready: Promise.resolve(),
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}
