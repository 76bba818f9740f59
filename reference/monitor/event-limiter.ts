import type { ProtocolRules } from '../dialects/protocol.js';
import type { Clock } from '../migration/host.js';

/** An event as it goes out, its timestamp taken when it was raised. */
export interface QmpEvent {
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Length of the window in which only the latest event of a kind is kept, in milliseconds (QMP-EVT-30). */
const limitPeriod = 1000;

/** Thins out the rate-limited events, for all monitors together (QMP-EVT-30..33). */
export class EventLimiter {
  // Open windows; the value is the event to send at the end of the window.
  readonly #open = new Map<string, { held: QmpEvent | undefined; readonly cancel: () => void }>();

  constructor(
    private readonly limited: ProtocolRules['limitedEvents'],
    private readonly clock: Clock,
    private readonly send: (event: QmpEvent) => void,
  ) {}

  raise(event: QmpEvent): void {
    const member = this.limited[event.event];
    // An I/O error that stops the guest must be seen (QMP-D-48).
    if (member === undefined || (event.event === 'BLOCK_IO_ERROR' && event.data?.action === 'stop')) {
      this.send(event);
      return;
    }
    const kind = member === null ? event.event : `${event.event} ${String(event.data?.[member])}`;
    const open = this.#open.get(kind);
    if (open) open.held = event;
    else this.#sendAndOpen(kind, event);
  }

  /** Drops what is held. */
  close(): void {
    for (const { cancel } of this.#open.values()) cancel();
    this.#open.clear();
  }

  #sendAndOpen(kind: string, event: QmpEvent): void {
    const cancel = this.clock.after(limitPeriod, () => {
      const held = this.#open.get(kind)?.held;
      this.#open.delete(kind);
      if (held) this.#sendAndOpen(kind, held);
    });
    this.#open.set(kind, { held: undefined, cancel });
    this.send(event);
  }
}
