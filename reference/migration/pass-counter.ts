import { pageSize } from '../ram/guest-ram.js';
import type { XbzrleCounters } from '../ram/xbzrle-counters.js';
import { AutoConverge } from './auto-converge.js';
import type { MigrationHost } from './host.js';
import type { RamSource } from './ram-source.js';
import type { Settings } from './settings.js';
import type { Statistics } from './statistics.js';

/** Rates are renewed when at least this much time has passed, in milliseconds. */
const ratePeriod = 1000;

/** Dirty syncs: each is one pass, and what the rates and the throttling of the guest are judged by. */
export class PassCounter {
  readonly #converge: AutoConverge;
  /** When the present period began, which is with the first sync. */
  #since: number | undefined;
  #dirtied = 0;

  constructor(
    private readonly host: MigrationHost,
    private readonly source: RamSource,
    private readonly statistics: Statistics,
    private readonly xbzrle: XbzrleCounters,
    private readonly settings: Settings,
  ) {
    this.#converge = new AutoConverge(host.clock.now());
  }

  /** A dirty sync without its event; the step that the caller takes next announces it. */
  count(): number {
    const { statistics } = this;
    const fresh = this.source.bitmap.sync();
    statistics.dirtySyncCount++;
    const now = this.host.clock.now();
    if (this.#since === undefined) {
      this.#since = now;
      return fresh;
    }
    this.#dirtied += fresh;
    const elapsed = now - this.#since;
    if (elapsed <= ratePeriod) return fresh;
    statistics.dirtyPagesRate = Math.floor((this.#dirtied * 1000) / elapsed);
    this.#since = now;
    this.#dirtied = 0;
    this.source.compressed.updateRate();
    this.xbzrle.updateRates(statistics.normal + statistics.duplicate + statistics.deltas);
    return fresh;
  }

  /** As {@link count}, and slows the guest down where it dirties too much (capability `auto-converge`). */
  sync(): void {
    const fresh = this.count();
    const { statistics, settings, host } = this;
    if (!settings.on('auto-converge')) return;
    this.#converge.sync(host.clock.now(), fresh * pageSize, statistics.transferred, settings.throttle);
    if (this.#converge.percentage === statistics.throttle) return;
    statistics.throttle = this.#converge.percentage;
    host.throttleGuest?.(statistics.throttle);
  }
}
