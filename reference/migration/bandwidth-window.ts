import type { Clock } from './host.js';

/** Length of a window in milliseconds. */
const windowMs = 100;
/** Fewer bytes than this in a window say nothing about the bandwidth. */
const significantBytes = 10_000;

export interface WindowResult {
  /** Milliseconds that it was open. */
  readonly elapsed: number;
  /** Bytes per millisecond. */
  readonly bandwidth: number;
  /** Megabits per second. */
  readonly mbps: number;
  /** Enough bytes for an estimate of the downtime. */
  readonly significant: boolean;
}

/** The bandwidth limit in windows of 100 ms (state-machine.md §3.2, commands.md §6 on `max-bandwidth`). */
export class BandwidthWindow {
  #began: number;
  #bytes = 0;

  constructor(private readonly clock: Clock) {
    this.#began = clock.now();
  }

  /** Bytes have been sent. */
  sent(bytes: number): void {
    this.#bytes += bytes;
  }

  /**
   * Bytes that may still be sent in this window.
   * @param limit bytes per second; 0 to 9 come out as unlimited, because the budget is a tenth without its fraction
   */
  left(limit: bigint): number {
    const budget = Number(limit / 10n);
    return budget === 0 ? Number.POSITIVE_INFINITY : Math.max(0, budget - this.#bytes);
  }

  /** Milliseconds until the window may end. */
  get remaining(): number {
    return Math.max(0, windowMs - (this.clock.now() - this.#began));
  }

  /** Ends the window if its time is over; undefined otherwise. */
  turn(): WindowResult | undefined {
    const now = this.clock.now();
    if (now - this.#began < windowMs) return undefined;
    // A window is told in whole milliseconds.
    const elapsed = Math.round(now - this.#began);
    const bandwidth = this.#bytes / elapsed;
    const result = { elapsed, bandwidth, mbps: (bandwidth * 8) / 1000, significant: this.#bytes > significantBytes };
    this.#began = now;
    this.#bytes = 0;
    return result;
  }
}
