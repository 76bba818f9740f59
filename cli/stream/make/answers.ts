import type { Socket } from 'node:net';
import type { StreamRules } from '../../../reference/dialects/stream.js';
import { ReturnPathReader } from '../../../reference/stream/return-path-reader.js';
import { UsageError } from '../../failures.js';

/** What a destination says on the return path of a made stream: that it has loaded it, or not (stream-format.md §8). */
export class Answers {
  readonly #shut: Promise<void>;

  constructor(name: string, socket: Socket, rules: StreamRules) {
    this.#shut = new Promise((resolve, reject) => {
      const failed = (why: string) => reject(new UsageError(`${name}: ${why}`));
      const reader = new ReturnPathReader(rules, ({ type }) => {
        // A page that it asks for comes in its turn.
        if (type === 'SHUT') resolve();
      });
      socket.on('data', (chunk) => {
        try {
          reader.push(chunk);
        } catch (error) {
          failed(`the destination did not load it: ${error instanceof Error ? error.message : String(error)}`);
        }
      });
      const over = () => failed('the destination closed the connection before it said that it had loaded the stream');
      socket.on('end', over);
      socket.on('close', over);
    });
    // Looked at when everything has been written.
    this.#shut.catch(() => undefined);
  }

  /** Resolves when the destination has everything. @throws UsageError when it says otherwise, or nothing */
  loaded(): Promise<void> {
    return this.#shut;
  }
}
