/** Where a monitor listens: `unix:PATH` or `tcp:HOST:PORT` (IPv6 hosts in brackets). */
import { chmodSync } from 'node:fs';
import { connect, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { ConnectError, ListenError } from './errors.js';

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** @throws Error saying what is wrong with `text`. */
export function parseAddress(text: string): Address {
  if (text.startsWith('unix:')) {
    const path = text.slice(5);
    if (path === '') throw new Error(`'${text}' lacks the path of the socket: write unix:PATH`);
    // The kernel's limit for sun_path, with its terminating zero.
    if (Buffer.byteLength(path) > 107) throw new Error(`socket path '${path}' is longer than 107 bytes`);
    return { kind: 'unix', path };
  }
  const tcp = /^tcp:(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(text);
  if (tcp) {
    const port = Number(tcp[3]);
    if (port < 1 || port > 65535) throw new Error(`port ${tcp[3]} of '${text}' is not in 1..65535`);
    return { kind: 'tcp', host: tcp[1] ?? (tcp[2] === '' ? '127.0.0.1' : (tcp[2] as string)), port };
  }
  throw new Error(`'${text}' is not an address: write unix:PATH or tcp:HOST:PORT`);
}

export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `tcp:${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Whether only this host can connect there. */
export const isLocal = (address: Address): boolean =>
  address.kind === 'unix' || /^(127\.|::1$|localhost$)/.test(address.host);

/** Listens, at a unix socket that is for this user alone. @throws ListenError */
export function listenAt(server: Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(new ListenError(formatAddress(address), whyNot(error, address)));
    server.once('error', failed);
    server.listen(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }, () => {
      try {
        if (address.kind === 'unix') chmodSync(address.path, 0o600);
        resolve();
      } catch (error) {
        // Nobody else may connect there: somebody has removed it, or its file system knows no such rights.
        server.close();
        failed(error as Error);
      }
    });
  });
}

function whyNot(error: NodeJS.ErrnoException, { kind }: Address): string {
  const known: Record<string, string> = {
    EADDRINUSE: kind === 'unix' ? 'there is a file of this name already' : 'another program listens there',
    EACCES: kind === 'unix' ? 'there is no such folder, or it is not ours to write' : 'permission denied',
    EADDRNOTAVAIL: 'this host has no such address',
    ENOTFOUND: 'the host name does not resolve',
  };
  return known[error.code ?? ''] ?? error.message;
}

/** Milliseconds after which a monitor that had too many waiting clients is tried again: nothing tells when it has taken one. */
const queueFull = 5;

/**
 * Connects, with `deadline` milliseconds for it. A unix socket whose queue of waiting clients is full is tried again for so
 * long: a monitor that is busy takes them one by one.
 * @throws ConnectError
 */
export async function openSocket(address: Address, deadline: number): Promise<Socket> {
  const until = performance.now() + deadline;
  for (;;) {
    try {
      return await attempt(address, Math.max(1, until - performance.now()), deadline);
    } catch (error) {
      const full = error instanceof ConnectError && error.code === 'EAGAIN';
      if (!full || performance.now() + queueFull >= until) throw error;
      await new Promise((resolve) => setTimeout(resolve, queueFull));
    }
  }
}

function attempt(address: Address, left: number, deadline: number): Promise<Socket> {
  const options: NetConnectOpts =
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port, noDelay: true };
  return new Promise((resolve, reject) => {
    // A half-closed connection is legitimate here: replies still arrive after our end (QMP-TRANS-14).
    const socket = connect({ ...options, allowHalfOpen: true });
    const timer = setTimeout(() => fail('ETIMEDOUT', `no answer within ${deadline} ms`), left);
    const fail = (code: string, detail: string) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new ConnectError(formatAddress(address), code, detail));
    };
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'EUNKNOWN', explain(error)));
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function explain(error: NodeJS.ErrnoException): string {
  const known: Record<string, string> = {
    ENOENT: 'there is no such socket',
    ECONNREFUSED: 'nothing listens there',
    EACCES: 'permission denied',
    ENOTSOCK: 'that is not a socket',
    EAGAIN: 'its queue of waiting clients is full',
    ENOTFOUND: 'the host name does not resolve',
  };
  return known[error.code ?? ''] ?? error.message;
}
