import type { Clock } from './clock.js';
import type { ConnectionNumbers } from './connection-numbers.js';
import type { Starved } from './fair-time.js';
import type { JsonValue } from './json.js';
import type { Transcript } from './transcript.js';

export interface SessionOptions {
  /** Where to record; a private transcript is made when absent. */
  readonly transcript?: Transcript;
  /** Name of this end in the transcript. */
  readonly endpoint?: string;
  /** Milliseconds that each wait may take unless it says otherwise. Default 5000. */
  readonly deadline?: number;
  /** Milliseconds between two sent commands at least; 0 when absent. */
  readonly interval?: number;
  /** The process of the monitor has only just been started: an event of its start may come before the greeting. */
  readonly starting?: boolean;
  /** Time for deadlines; the host's when absent. */
  readonly clock?: Clock;
  /** How long the monitor had no processor, where that is known: deadlines are longer by it. */
  readonly starved?: Starved;
  /** Where connections get their numbers; all of this process have one series unless they say otherwise. */
  readonly numbers?: ConnectionNumbers;
}

export interface CommandOptions {
  /** The id to send; a fresh one when absent. */
  readonly id?: JsonValue;
  /** Send as `exec-oob`. */
  readonly oob?: boolean;
  readonly deadline?: number;
}
