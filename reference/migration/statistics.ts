import type { Clock } from './host.js';

/** What bytes of RAM are counted as, by when they are sent: the guest runs, is stopped, or runs at the destination. */
export type Part = 'precopyBytes' | 'downtimeBytes' | 'postcopyBytes';

/** Numbers of the outgoing side behind `query-migrate` (commands.md §8). Times in milliseconds. */
export class Statistics {
  #transferred = 0;
  /** Everything that was sent, on whatever channel. */
  streamBytes = 0;
  duplicate = 0;
  normal = 0;
  /** Delta records. */
  deltas = 0;
  dirtyPagesRate = 0;
  mbps = 0;
  dirtySyncCount = 0;
  postcopyRequests = 0;
  multifdBytes = 0;
  precopyBytes = 0;
  downtimeBytes = 0;
  postcopyBytes = 0;
  pagesPerSecond = 0;
  expectedDowntime = 0;
  setupTime = 0;
  downtime = 0;
  throttle = 0;
  #startedAt = 0;
  #endedAfter: number | undefined;

  /** @param part what is being sent now; default: all of it is precopy */
  constructor(
    private readonly clock: Clock,
    private readonly part: () => Part = () => 'precopyBytes',
  ) {}

  /** RAM bytes accounted; stream header, device state and final section are not in it. */
  get transferred(): number {
    return this.#transferred;
  }

  set transferred(bytes: number) {
    this[this.part()] += bytes - this.#transferred;
    this.#transferred = bytes;
  }

  /** A `migrate` has been accepted: everything starts anew (MIG-CMD-MIG-21; the counters by MIG-DEF-18). */
  begin(): void {
    this.#transferred = 0;
    this.streamBytes = 0;
    this.duplicate = 0;
    this.normal = 0;
    this.deltas = 0;
    this.dirtyPagesRate = 0;
    this.mbps = 0;
    this.dirtySyncCount = 0;
    this.postcopyRequests = 0;
    this.multifdBytes = 0;
    this.precopyBytes = 0;
    this.downtimeBytes = 0;
    this.postcopyBytes = 0;
    this.pagesPerSecond = 0;
    this.expectedDowntime = 0;
    this.setupTime = 0;
    this.downtime = 0;
    this.throttle = 0;
    this.#startedAt = this.clock.now();
    this.#endedAfter = undefined;
  }

  /**
   * The figures of a completed migration.
   * @param streamBytes everything that was sent
   * @param guestStopped when the guest was stopped for a precopy switch-over, or 0
   */
  settle(streamBytes: number, guestStopped: number): void {
    if (guestStopped > 0) this.downtime = this.clock.now() - guestStopped;
    this.end();
    const busy = this.totalTime - Math.floor(this.setupTime);
    if (busy > 0) this.mbps = (streamBytes * 8) / busy / 1000;
  }

  /** Freezes `total-time`; a given value is taken as it is (COLO shows 0). */
  end(totalTime = this.clock.now() - this.#startedAt): void {
    this.#endedAfter = Math.max(0, Math.floor(totalTime));
  }

  get totalTime(): number {
    return this.#endedAfter ?? Math.max(0, Math.floor(this.clock.now() - this.#startedAt));
  }
}
