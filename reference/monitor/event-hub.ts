import type { ProtocolRules } from '../dialects/protocol.js';
import type { Clock } from '../migration/host.js';
import { EventLimiter, type QmpEvent } from './event-limiter.js';

export interface EventReceiver {
  readonly receivesEvents: boolean;
  send(event: Readonly<Record<string, unknown>>): void;
}

let clockStart = performance.timeOrigin;

/** Microseconds since the Unix epoch; follows the host's wall clock when that is set (QMP-EVT-02). */
function wallClockMicroseconds(): bigint {
  const drift = Date.now() - (clockStart + performance.now());
  if (Math.abs(drift) > 2) clockStart += drift;
  return BigInt(Math.round((clockStart + performance.now()) * 1000));
}

/** Sends events to every client that has completed the negotiation (QMP-EVT-04, QMP-EVT-05). */
export class EventHub {
  readonly receivers = new Set<EventReceiver>();
  readonly #limiter: EventLimiter;

  constructor(
    rules: ProtocolRules,
    clock: Clock,
    /** Microseconds since the Unix epoch. */
    private readonly wallClock: () => bigint = wallClockMicroseconds,
  ) {
    this.#limiter = new EventLimiter(rules.limitedEvents, clock, (event) => this.#send(event));
  }

  /** Raises an event now. */
  emit(event: string, data?: Readonly<Record<string, unknown>>): void {
    const timestamp = this.stamp();
    this.#limiter.raise(data === undefined ? { timestamp, event } : { timestamp, event, data });
  }

  /** The time as events show it. */
  stamp(): { readonly seconds: number; readonly microseconds: number } {
    const now = this.wallClock();
    return { seconds: Number(now / 1_000_000n), microseconds: Number(now % 1_000_000n) };
  }

  close(): void {
    this.#limiter.close();
  }

  #send(event: QmpEvent): void {
    for (const receiver of this.receivers) if (receiver.receivesEvents) receiver.send({ ...event });
  }
}
