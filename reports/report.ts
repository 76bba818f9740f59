/** What every renderer is: it takes the events of one run as they come, and is told when no more will come. */
import type { RunEvent } from '../oracle/run-events.js';

export interface Report {
  take(event: RunEvent): void;
  /** No event comes any more. Without a footer before it, the stream was cut off, and the report says so; `fault` is why. */
  end(fault?: string): void;
}

/** Where a report writes its text. */
export type Write = (text: string) => void;

/** Feeds a recorded stream to a report. */
export function fold(events: Iterable<RunEvent>, report: Report): void {
  for (const event of events) report.take(event);
  report.end();
}

/** What a report says in place of a footer that never came. */
export const cutOff = 'the event stream ended without a footer: the run was cut off';
