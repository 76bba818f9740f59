import { type GuestRam, pageSize } from '../ram/guest-ram.js';
import type { RamLoader } from '../stream/ram-loader.js';
import type { ReturnPathWriter } from '../stream/return-path-writer.js';
import type { Channel } from './channel.js';

/** How often a guest that runs on incomplete RAM misses a page, in requests in flight. */
const inFlight = 16;

/**
 * The page faults of a guest in postcopy. The reference's guest touches every page in descending order, so requested
 * pages meet the background stream half way and both kinds of delivery are exercised.
 */
export class PageRequests {
  #writer: ReturnPathWriter | undefined;
  #channel: Channel | undefined;
  #waiting = 0;
  #block = 0;
  #page = -1;

  constructor(
    private readonly ram: GuestRam,
    private readonly loader: RamLoader,
  ) {
    loader.onPlaced = (block, offset) => this.#placed(`${block.name}:${offset}`);
  }

  readonly #asked = new Set<string>();

  /** The guest runs, or the connection has been renewed: pages that were asked for in vain are asked for again. */
  begin(writer: ReturnPathWriter | undefined, channel: Channel): void {
    this.#writer = writer;
    this.#channel = channel;
    this.#asked.clear();
    this.#waiting = 0;
    this.#block = this.ram.blocks.length - 1;
    this.#page = -1;
    this.#more();
  }

  end(): void {
    this.#writer = undefined;
    this.#asked.clear();
  }

  #placed(key: string): void {
    if (!this.#asked.delete(key)) return;
    this.#waiting--;
    this.#more();
  }

  #more(): void {
    if (this.#writer === undefined || this.#channel === undefined) return;
    while (this.#waiting < inFlight) {
      const block = this.ram.blocks[this.#block];
      if (block === undefined) return;
      if (this.#page === -1) this.#page = block.bytes.length / pageSize - 1;
      const received = this.loader.received(block);
      while (this.#page >= 0 && received.has(this.#page)) this.#page--;
      if (this.#page < 0) {
        this.#block--;
        this.#page = -1;
        continue;
      }
      const offset = this.#page-- * pageSize;
      if (this.#page < 0) {
        this.#block--;
        this.#page = -1;
      }
      this.#asked.add(`${block.name}:${offset}`);
      this.#waiting++;
      this.#channel.post(this.#writer.requestPages(block.name, offset, pageSize));
    }
  }
}
