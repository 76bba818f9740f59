/** Where a made stream goes: files, standard output, or the connections of a destination that waits. */
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { Socket } from 'node:net';
import { parse } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { openSocket, parseAddress } from '../../../protocol/address.js';
import { UsageError } from '../../failures.js';
import { cannotWrite, isAddress } from '../byte-input.js';

/** Milliseconds in which a destination must accept the connection. */
const connectDeadline = 10_000;

/** One file or connection that is written to. */
export class Output {
  private constructor(
    readonly name: string,
    private readonly writable: Writable,
  ) {}

  /** Opened before anything is read, so that a wrong path is said at once. @throws UsageError, StorageError */
  static async open(name: string): Promise<Output> {
    const writable = await openWritable(name).catch((error: unknown) => {
      throw cannotWrite(name, error);
    });
    // Kept in `errored`, which every write looks at.
    if (name !== '-') writable.on('error', () => undefined);
    return new Output(name, writable);
  }

  /** The connection, where there is one. */
  get socket(): Socket | undefined {
    return this.writable instanceof Socket ? this.writable : undefined;
  }

  /** Resolves when more may be written. @throws UsageError, StorageError if nothing can be */
  async write(buffers: readonly Buffer[]): Promise<void> {
    try {
      if (this.writable.errored !== null) throw this.writable.errored;
      let full = false;
      for (const bytes of buffers) full = !this.writable.write(bytes) || full;
      if (full) await once(this.writable, 'drain');
    } catch (error) {
      throw cannotWrite(this.name, error);
    }
  }

  /** Resolves when the buffers have gone out and may be used again. @throws UsageError, StorageError if they cannot */
  writeThrough(buffers: readonly Buffer[]): Promise<void> {
    const { writable } = this;
    return new Promise((resolve, reject) => {
      const done = (error?: Error | null) => (error ? reject(cannotWrite(this.name, error)) : resolve());
      writable.cork();
      buffers.forEach((bytes, index) => {
        writable.write(bytes, index === buffers.length - 1 ? done : undefined);
      });
      writable.uncork();
    });
  }

  /** Everything is written: resolves when it has gone out. @throws UsageError, StorageError if it cannot */
  async end(): Promise<void> {
    if (this.name === '-') return;
    try {
      // What a destination answers without being asked is of no interest, but must not stay unread.
      this.socket?.resume();
      this.writable.end();
      await finished(this.writable, { readable: false });
    } catch (error) {
      throw cannotWrite(this.name, error);
    }
  }

  destroy(): void {
    if (this.name !== '-') this.writable.destroy();
  }
}

async function openWritable(name: string): Promise<Writable> {
  if (name === '-') return process.stdout;
  if (!isAddress(name)) return (await open(name, 'w')).createWriteStream();
  try {
    return await openSocket(parseAddress(name), connectDeadline);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** `made.bin` has the channels `made.ch0.bin` and so on; an address is connected to once more for each. */
export function channelName(out: string, channel: number): string {
  if (isAddress(out)) return out;
  const { dir, name, ext } = parse(out);
  return `${dir === '' ? '' : `${dir}/`}${name}.ch${channel}${ext}`;
}
