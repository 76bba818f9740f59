/** Waiting for the socket of a process that is starting: woken by the file system, not by the clock. */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { ConnectError } from '../protocol/errors.js';

/** Milliseconds after which it is looked again whatever the file system said: some file systems tell nothing. */
const atLatest = 100;

/** Milliseconds between tries while a socket is there and not listened on yet: the one follows the other at once. */
const between = 1;

export class SocketWatch {
  private readonly watcher: FSWatcher | undefined;
  private changed = false;
  private wakeUp: (() => void) | undefined;

  /** @param folder where the socket will appear; absent when there is nothing to watch (a port) */
  constructor(folder?: string) {
    this.watcher = folder === undefined ? undefined : watched(folder, () => this.wake());
  }

  /** Something happened that is worth another try. */
  readonly wake = (): void => {
    this.changed = true;
    this.wakeUp?.();
  };

  /**
   * Tries `connect` until it succeeds, each time that something changed.
   * @param stop called before each try; ends the wait by throwing
   * @param path of the socket, where it has one: as long as there is none nothing is tried
   * @throws what `stop` throws, and what `connect` throws except a ConnectError
   */
  async connects<T>(connect: () => Promise<T>, stop: () => void = () => undefined, path?: string): Promise<T> {
    for (let tries = 0; ; tries++) {
      stop();
      this.changed = false;
      if (path !== undefined && this.watcher !== undefined && !existsSync(path)) {
        await this.change(atLatest);
        continue;
      }
      try {
        return await connect();
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        await this.change(
          this.watcher !== undefined && error.code === 'ENOENT' ? atLatest : between << Math.min(tries, 4),
        );
      }
    }
  }

  private change(limit: number): Promise<void> {
    if (this.changed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.wakeUp = undefined;
        resolve();
      };
      const timer = setTimeout(done, limit);
      this.wakeUp = done;
    });
  }

  close(): void {
    this.watcher?.close();
  }
}

function watched(folder: string, changed: () => void): FSWatcher | undefined {
  try {
    // A folder that goes away, or one watch too many, costs only time.
    return watch(folder, changed).on('error', () => undefined);
  } catch {
    return undefined;
  }
}
