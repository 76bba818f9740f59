/** Sends what is dirty in the guest's RAM, within the bandwidth that there is (state-machine.md §3.2). */
import { outputRoom } from '../ram/ram-memory.js';
import { BandwidthWindow } from './bandwidth-window.js';
import type { Outgoing } from './outgoing.js';
import type { OutgoingMultifd } from './outgoing-multifd.js';
import { syncsAtFlush } from './outgoing-multifd.js';

/** Output that is put together before it goes out in one write, in bytes: with the last page and ends of sections, a buffer. */
const flushBytes = outputRoom - 8 * 1024;
/** Longest PART section, in milliseconds. */
const sliceMs = 50;

export class RamSender {
  readonly window: BandwidthWindow;
  /** Channels that carry the pages, beside the stream's own; opened when there are to be any. */
  multifd: OutgoingMultifd | undefined;
  /** Bytes that may be pending when the guest is stopped. */
  threshold = 0;
  /** Pages that had been sent when the present window began. */
  private pagesBefore = 0;
  /** Bytes sent so far, on whatever channel. */
  streamBytes = 0;

  constructor(private readonly owner: Outgoing) {
    this.window = new BandwidthWindow(owner.deps.host.clock);
  }

  /** So many bytes have been sent. */
  sent(bytes: number): void {
    this.streamBytes += bytes;
    this.owner.deps.statistics.streamBytes += bytes;
    this.window.sent(bytes);
  }

  /** Ends a body of the `ram` section, where multifd channels are brought to the same point (multifd.md §4). */
  async endBody(): Promise<number> {
    const { source, writer, deps } = this.owner;
    if (source.blocked !== undefined) await this.#unblock();
    const { sender } = this.multifd ?? {};
    // Behind the switch to postcopy the channels carry nothing, but are synchronised as before.
    if (sender === undefined) return writer.ram.eos();
    await sender.sync();
    const { statistics, host } = deps;
    const fresh = sender.bytes - statistics.multifdBytes;
    statistics.multifdBytes = sender.bytes;
    statistics.transferred += fresh;
    this.sent(fresh);
    const flush = syncsAtFlush(host) ? writer.ram.flush() : 0;
    return flush + writer.ram.eos();
  }

  /** Waits until a multifd channel takes more. */
  async #unblock(): Promise<void> {
    await this.owner.source.blocked;
    this.owner.source.blocked = undefined;
    this.owner.check();
  }

  /** Id of the section `ram`. */
  get section(): number {
    const { adopted, dialect } = this.owner.deps.host;
    return adopted?.ramSection ?? dialect.stream.sectionIds.ram ?? 0;
  }

  /** One PART section: until the window's budget is used, nothing is dirty or its time is over. */
  async part(limit: () => bigint): Promise<void> {
    const { source, writer, deps } = this.owner;
    const { host, statistics } = deps;
    const until = host.clock.now() + sliceMs;
    writer.part(this.section);
    // Bytes that multifd channels carry count in this window too, though they are accounted only when synchronised.
    let beside = 0;
    while (source.pending > 0 && host.clock.now() < until) {
      const room = this.window.left(limit()) - writer.out.pending - beside;
      if (room <= 0) break;
      const before = writer.out.total;
      // What was asked for may exceed the limit, and nothing else on its account.
      const bytes = source.fill(source.hasRequests ? 1 : Math.min(room, flushBytes - writer.out.pending));
      beside += bytes - (writer.out.total - before);
      if (source.blocked !== undefined) await this.#unblock();
      if (writer.out.pending >= flushBytes) await this.owner.flush();
    }
    // Not in one statement: the counter moves while this waits.
    const ending = await this.endBody();
    statistics.transferred += ending;
    writer.footer();
    await this.owner.flush();
  }

  /** Begins the next window, if this one is over. */
  turnWindow(): void {
    const result = this.window.turn();
    if (result === undefined) return;
    const { statistics } = this.owner.deps;
    const pages = statistics.normal + statistics.duplicate;
    statistics.pagesPerSecond = Math.floor(((pages - this.pagesBefore) * 1000) / result.elapsed);
    this.pagesBefore = pages;
    this.threshold = result.bandwidth * this.owner.settings.downtimeLimit;
    statistics.mbps = result.mbps;
    if (statistics.dirtyPagesRate > 0 && result.significant) {
      statistics.expectedDowntime = this.owner.source.pending / result.bandwidth;
    }
  }

  /** Everything that is still dirty, whatever the bandwidth limit says. */
  async rest(): Promise<void> {
    const { source, writer } = this.owner;
    while (source.pending > 0) {
      source.fill(flushBytes);
      if (source.blocked !== undefined) await this.#unblock();
      if (writer.out.pending >= flushBytes) await this.owner.flush();
    }
  }
}
