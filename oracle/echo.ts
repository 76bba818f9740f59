/**
 * Events go to every connection in command mode, in one order and with one timestamp (QMP-EVT-04). The first connection's
 * order is judged by the model; that of another one must be a stretch of it.
 */
import { sameJson } from '../protocol/json.js';
import type { Observation } from './tracker/observation.js';

type Event = Extract<Observation, { kind: 'event' }>;

/** Events that every connection gets one by one; others may be held back and merged by their rate. */
const unthrottled: ReadonlySet<string> = new Set(['MIGRATION', 'MIGRATION_PASS', 'STOP', 'RESUME', 'RESET']);

interface Other {
  readonly seen: Event[];
  /** The first connection's events before this were raised before it was in command mode. */
  readonly from: number;
  /** Its negotiation was answered when so many messages had been sent on the first connection. */
  sent: number | undefined;
  /** What the first connection shows from here on was raised when this one was in command mode. */
  until: number | undefined;
  /** Where its events may begin among those of the first one. */
  starts: number[] | undefined;
}

export class Echo {
  private readonly first: Event[] = [];
  private readonly others = new Map<string, Other>();
  private sent = 0;
  private replies = 0;

  /** Another connection begins to negotiate: it gets nothing that was raised before. */
  begin(at: string): void {
    this.others.set(at, { seen: [], from: this.first.length, sent: undefined, until: undefined, starts: undefined });
  }

  /** Its negotiation was answered. */
  open(at: string): void {
    const other = this.others.get(at);
    if (other !== undefined) other.sent = this.sent;
  }

  /** A connection is gone; without the first one nothing is left to compare with. */
  end(at: string, primary: boolean): void {
    if (primary) this.others.clear();
    else this.others.delete(at);
  }

  /** A message was sent on the first connection. */
  asked(): void {
    this.sent++;
  }

  /** A reply came on the first connection: all that was raised before its message was sent stands before it. */
  answered(): void {
    this.replies++;
    for (const other of this.others.values()) {
      if (other.sent !== undefined && this.replies > other.sent) other.until ??= this.first.length;
    }
  }

  /** @returns false when what another connection got is no stretch of the first connection's events */
  take(at: string, primary: boolean, event: Event): boolean {
    if (!unthrottled.has(event.event)) return true;
    if (primary) {
      this.first.push(event);
      return [...this.others.values()].every((other) => this.fits(other));
    }
    const other = this.others.get(at);
    if (other === undefined) return true;
    other.seen.push(event);
    return this.fits(other);
  }

  private fits(other: Other): boolean {
    const { seen, from, until, first } = { ...other, first: this.first };
    if (until === undefined || seen.length === 0) return true;
    other.starts ??= Array.from({ length: until - from + 1 }, (_, i) => from + i);
    other.starts = other.starts.filter((start) => seen.every((event, i) => same(first[start + i], event)));
    return other.starts.length > 0;
  }
}

/** What the first connection has not shown yet may be anything. */
const same = (first: Event | undefined, event: Event): boolean =>
  first === undefined ||
  (first.event === event.event && sameJson(first.data, event.data) && sameJson(first.timestamp, event.timestamp));
