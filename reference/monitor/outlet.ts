import type { ByteSink } from '../../protocol/byte-stream.js';
import type { Clock } from '../migration/host.js';
import type { Piece } from './talk-faults.js';

/** Writes pieces in their order, each at its time. */
export class Outlet {
  #waiting: Piece[] = [];
  #busy = false;
  #whenEmpty: (() => void)[] = [];

  constructor(
    private readonly output: ByteSink,
    private readonly clock: Clock,
  ) {}

  write(pieces: readonly Piece[]): void {
    this.#waiting.push(...pieces);
    if (!this.#busy) this.#next();
  }

  /** Resolves once everything has been written. */
  emptied(): Promise<void> {
    return this.#busy ? new Promise((resolve) => this.#whenEmpty.push(resolve)) : Promise.resolve();
  }

  #next(): void {
    for (let piece = this.#waiting[0]; piece !== undefined; piece = this.#waiting[0]) {
      const { text, after = 0 } = piece;
      if (after > 0) {
        this.#busy = true;
        this.#waiting[0] = { text };
        this.clock.after(after, () => this.#next());
        return;
      }
      this.#waiting.shift();
      this.output.write(text, 'latin1');
    }
    this.#busy = false;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }
}
