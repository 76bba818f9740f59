import type { DialectName } from './dialect.js';

/** How a dialect's migration stream differs (stream-format.md §4, multifd.md). */
export interface StreamRules {
  /** Number of the POSTCOPY_RESUME command; RECV_BITMAP is the next one. */
  readonly postcopyResumeCommand: number;
}

export const streamRules: Readonly<Record<DialectName, StreamRules>> = {
  '3.0': { postcopyResumeCommand: 8 },
  '7.2': { postcopyResumeCommand: 9 },
  '10.0': { postcopyResumeCommand: 9 },
};
