/** Where the bytes of a recorded or arriving stream come from: a file, a pipe, standard input, a socket. */
import { closeSync, createReadStream, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { StorageError } from '../../campaign/folder.js';
import { type Address, formatAddress, isLocal, listenAt, parseAddress } from '../../protocol/address.js';
import { whyUnreadable } from '../../targets/file-errors.js';
import { UsageError } from '../failures.js';
import type { Io } from '../io.js';

/**
 * Bytes of one read of a file, into one buffer. It stays in the processor's cache: with 1 MiB, reading takes four times as
 * long, and with an asynchronous read for each piece ten times.
 */
const readBytes = 128 * 1024;
/** Reads of a file after which others may run. */
const readsInTurn = 256;

/** A source of bytes. */
export interface ByteInput {
  /** The chunks; the memory of one may be used again as soon as the next is asked for, by another Buffer object. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Bytes in all, of a file. */
  readonly size: number | undefined;
  /** The last bytes of a file, `limit` at most; undefined for what can be read only once. */
  tail(limit: number): Promise<Buffer | undefined>;
}

/**
 * Opens a file by its path, standard input as `-`, or a listening socket as `unix:PATH` or `tcp:HOST:PORT`, to which a
 * source may migrate.
 * @throws UsageError
 */
export async function openBytes(name: string, io: Io): Promise<ByteInput> {
  if (name === '-') return once(process.stdin);
  if (isAddress(name)) return once(await accept(addressOf(name), io));
  try {
    const fd = openSync(name, 'r');
    const stat = fstatSync(fd);
    if (stat.isFile()) return fileInput(name, fd, stat.size);
    if (!stat.isDirectory()) return once(createReadStream(name, { fd, highWaterMark: 1024 * 1024 }));
    closeSync(fd);
    throw new UsageError(`${name} is a folder, not a recorded stream`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENXIO') {
      throw new UsageError(`${name} is a socket: write unix:${name} to wait there for a migration`);
    }
    throw cannotRead(name, error);
  }
}

/** A name that means a socket, not a file. */
export const isAddress = (name: string): boolean => name.startsWith('unix:') || name.startsWith('tcp:');

/** What the operating system says of a file that is read, as an error of the command line; other errors pass. */
export function cannotRead(name: string, error: unknown): unknown {
  return fromSystem(error) ? new UsageError(`${name}: ${whyUnreadable(error)}`) : error;
}

/** The same of a file or a connection that is written to. */
export function cannotWrite(name: string, error: unknown): unknown {
  if (!fromSystem(error)) return error;
  return isAddress(name) ? new UsageError(`${name}: ${error.message}`) : new StorageError(name, '', error);
}

const fromSystem = (error: unknown): error is Error => error instanceof Error && 'code' in error && 'syscall' in error;

function addressOf(name: string): Address {
  try {
    return parseAddress(name);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function once(chunks: AsyncIterable<Buffer>): ByteInput {
  return { chunks, size: undefined, tail: () => Promise.resolve(undefined) };
}

function fileInput(name: string, fd: number, size: number): ByteInput {
  return {
    chunks: pieces(name, fd),
    size,
    async tail(limit) {
      const bytes = Buffer.alloc(Math.min(limit, size));
      readSync(fd, bytes, 0, bytes.length, size - bytes.length);
      return bytes;
    },
  };
}

async function* pieces(name: string, fd: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  try {
    for (let position = 0, turn = 1; ; turn++) {
      const bytes = readSync(fd, buffer, 0, readBytes, position);
      if (bytes === 0) return;
      position += bytes;
      yield buffer.subarray(0, bytes);
      if (turn % readsInTurn === 0) await setImmediate();
    }
  } catch (error) {
    throw cannotRead(name, error);
  } finally {
    closeSync(fd);
  }
}

/** Waits for one connection, as a destination does with `-incoming`. Nothing is ever answered. */
async function accept(address: Address, io: Io): Promise<Socket> {
  const name = formatAddress(address);
  if (!isLocal(address)) {
    throw new UsageError(`${name} can be reached from other hosts; listen on 127.0.0.1 and forward to it`);
  }
  const server = createServer({ pauseOnConnect: true });
  // A signal ends this process like any other, but not without the socket's file.
  const remove = () => {
    if (address.kind === 'unix') rmSync(address.path, { force: true });
  };
  const interrupted = (signal: NodeJS.Signals) => {
    remove();
    process.off(signal, interrupted);
    process.kill(process.pid, signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
  for (const signal of signals) process.on(signal, interrupted);
  try {
    const arrived = new Promise<Socket>((resolve) => {
      server.once('connection', resolve);
    });
    await listenAt(server, address);
    io.err.write(`waiting for a migration to ${name}\n`);
    return await arrived;
  } finally {
    for (const signal of signals) process.off(signal, interrupted);
    server.close();
  }
}
