/** When an event happened, by its timestamp. */
import type { Trial } from '../oracle/trial.js';
import { isObject, type JsonValue } from '../protocol/json.js';

/** Milliseconds by which the clock of a machine may be adjusted meanwhile, what is cut to milliseconds counted. */
const adjusted = 20;

/**
 * An event of a monitor on this machine was stamped within this time, which `Date.now()` gave: the clock is the same.
 * @returns milliseconds of the epoch
 */
export function stampedWithin(t: Trial, event: JsonValue | undefined, from: number, to: number): number {
  const stamp = isObject(event) ? event.timestamp : undefined;
  const { seconds, microseconds } = isObject(stamp) ? stamp : {};
  const raised = Number(seconds) * 1000 + Number(microseconds) / 1000;
  const holds = raised > from - adjusted && raised < to + adjusted;
  t.check(holds, `a time between ${from} and ${to} ms`, `${raised} ms`, 'timestamp');
  return raised;
}
