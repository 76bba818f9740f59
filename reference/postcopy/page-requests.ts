import { type GuestRam, pageSize } from '../ram/guest-ram.js';
import type { RamLoader } from '../stream/ram-loader.js';
import type { ReturnPathWriter } from '../stream/return-path-writer.js';
import type { AnswerSink } from './answer-sink.js';

/**
 * Pages that a guest misses before it idles. Requests do not wait for the source's bandwidth limit, so a guest that missed
 * every page would end any postcopy within a moment; that of a QEMU without processors misses none.
 */
const touched = 16;

/**
 * The page faults of a guest in postcopy. The reference's guest touches the last pages that have not arrived, all at once,
 * and then idles: both kinds of delivery are exercised, and the limit of the other one is felt.
 */
export class PageRequests {
  constructor(
    private readonly ram: GuestRam,
    private readonly loader: RamLoader,
  ) {}

  /** The guest runs, or the connection has been renewed: pages that were asked for in vain are asked for again. */
  begin(writer: ReturnPathWriter | undefined, channel: AnswerSink): void {
    if (writer === undefined) return;
    let left = touched;
    for (const block of [...this.ram.blocks].reverse()) {
      const received = this.loader.received(block);
      for (let page = block.bytes.length / pageSize - 1; page >= 0 && left > 0; page--) {
        if (received.has(page)) continue;
        channel.post(writer.requestPages(block.name, page * pageSize, pageSize));
        left--;
      }
    }
  }
}
