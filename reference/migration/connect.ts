import { type ChildProcess, spawn } from 'node:child_process';
import { lookup } from 'node:dns';
import { createWriteStream, fstatSync } from 'node:fs';
import { createConnection, Socket } from 'node:net';
import { StacklessError } from '../../protocol/stackless-error.js';
import type { MigrationRules } from '../dialects/migration.js';
import type { MigrationUri } from '../model/index.js';
import { Channel } from './channel.js';
import { codeOf, reasonOf } from './errno.js';
import type { Clock } from './host.js';

/** A connection could not be made; the message is the `error-desc`. */
export class ConnectError extends StacklessError {
  override readonly name = 'ConnectError';
}

/** Longest path that a unix socket address carries, in bytes. */
export const unixPathLimit = 107;
/** A full backlog of a unix listener is asked again after this many milliseconds; a real monitor would sleep in connect. */
const backlogRetry = 10;

/** A connection attempt that can be given up. */
export interface Connecting {
  readonly channel: Promise<Channel>;
  abort(): void;
}

/** Connects a `tcp:` or `unix:` address (commands.md §9.3). The promise rejects with ConnectError. */
export function connectSocket(
  uri: Extract<MigrationUri, { kind: 'tcp' | 'unix' }>,
  rules: MigrationRules,
  clock: Clock,
): Connecting {
  let socket: Socket | undefined;
  let giveUp: (error: Error) => void = () => {};
  let aborted = false;
  const channel = new Promise<Channel>((resolve, reject) => {
    giveUp = reject;
    const attempt: Attempt = (open, fail, next) => {
      if (aborted) return;
      const made = open();
      socket = made;
      made.once('connect', () => {
        made.removeAllListeners('error');
        resolve(socketChannel(made));
      });
      made.once('error', (error) => {
        made.destroy();
        if (codeOf(error) === 'EAGAIN') clock.after(backlogRetry, () => attempt(open, fail, next));
        else if (next !== undefined) next();
        else reject(fail(error));
      });
    };
    if (uri.kind === 'unix') connectUnix(uri.path, rules, attempt, reject);
    else connectTcp(uri.host, uri.port, rules, attempt, reject);
  });
  return {
    channel,
    abort() {
      aborted = true;
      socket?.destroy();
      giveUp(new ConnectError('the connection attempt was given up'));
    },
  };
}

/** `next` is tried instead of failing, where there is another address. */
type Attempt = (open: () => Socket, fail: (error: unknown) => ConnectError, next?: () => void) => void;

function connectUnix(path: string, rules: MigrationRules, attempt: Attempt, reject: (error: Error) => void): void {
  const fail = (reason: string) => new ConnectError(rules.connectUnixError(path, reason));
  if (Buffer.byteLength(path) > unixPathLimit) {
    reject(new ConnectError(`UNIX socket path '${path}' is too long`));
  } else if (path === '') {
    reject(fail('Connection refused'));
  } else {
    attempt(
      () => createConnection({ path, allowHalfOpen: true }),
      (error) => fail(reasonOf(error)),
    );
  }
}

function connectTcp(
  host: string,
  port: string,
  rules: MigrationRules,
  attempt: Attempt,
  reject: (error: Error) => void,
): void {
  resolveInet(host === '' ? 'localhost' : host, port).then(
    (addresses) => {
      const next = (index: number): void => {
        const address = addresses[index]!;
        attempt(
          () => {
            const socket = createConnection({ host: address, port: Number(port), allowHalfOpen: true });
            socket.setNoDelay(true);
            return socket;
          },
          (error) => new ConnectError(rules.connectError(`${host}:${port}`, reasonOf(error))),
          index + 1 < addresses.length ? () => next(index + 1) : undefined,
        );
      };
      next(0);
    },
    (error: unknown) => {
      reject(new ConnectError(`address resolution failed for ${host}:${port}: ${reasonOf(error)}`));
    },
  );
}

/** Addresses of a host, in the order to try them. @throws an error whose reason is a resolver's text */
export function resolveInet(host: string, port: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
      reject(new Error('Servname not supported for ai_socktype'));
      return;
    }
    lookup(host, { all: true, order: 'ipv4first' }, (error, found) => {
      if (error !== null) reject(error);
      else if (found.length === 0) reject(new Error('Name or service not known'));
      else resolve(found.map(({ address }) => address));
    });
  });
}

/** A channel over a connected socket, both ways. */
export function socketChannel(socket: Socket): Channel {
  return new Channel({ readable: socket, writable: socket, socket: true });
}

/** A child that lingers after its stream must not outlive the monitor. */
function endWithUs(child: ChildProcess): void {
  const kill = () => child.kill('SIGTERM');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}

/** Spawns `/bin/sh -c command` with its input as the outgoing channel; its exit status is never looked at. */
export function execChannel(command: string): Channel {
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'] });
  endWithUs(child);
  return new Channel({
    readable: child.stdout,
    writable: child.stdin,
    socket: false,
    cleanUp: () => {
      child.kill('SIGTERM');
    },
  });
}

/** A channel that writes to a descriptor given by `getfd`, which it owns from now on. */
export function fdChannel(fd: number): Channel {
  const stat = fstatSync(fd);
  if (stat.isSocket()) return socketChannel(new Socket({ fd, readable: true, writable: true, allowHalfOpen: true }));
  if (stat.isFIFO()) {
    return new Channel({ writable: new Socket({ fd, readable: false, writable: true }), socket: false });
  }
  return new Channel({ writable: createWriteStream('', { fd }), socket: false });
}
