/** What is told of a known defect of released monitors: the rows are in known-defects.ts. */
import type { MigrationRules } from '../reference/dialects/migration.js';
import type { ModelState, Output } from '../reference/model/index.js';

export interface KnownDefect {
  readonly id: string;
  /** What happens, in one sentence. */
  readonly title: string;
  /** First and last release line that has it, as [major, minor]; both ends included. */
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  /** What else may happen in a state. */
  readonly moves?: (
    state: ModelState,
    rules: MigrationRules,
  ) => readonly { label: string; outputs: readonly Output[]; next: ModelState }[];
  /** What else a command may do in a state. */
  readonly outcomes?: (
    state: ModelState,
    command: string,
  ) => readonly { label: string; outputs: readonly Output[]; next: ModelState }[];
  /** What the process says on standard error when it dies of it. */
  readonly crash?: RegExp;
  /** Applies to a target that does nothing more although it was in such a state. */
  readonly hangs?: (state: ModelState) => boolean;
  /** Row of the value invariant that it breaks, and where. */
  readonly breaks?: { readonly row: string; readonly when: (state: ModelState) => boolean };
  /** How the process dies, where that is the signature: text on standard error, or a signal in a state. */
  readonly dies?: {
    readonly signals: readonly string[];
    /** Applies when the target was in such a state, and had such a past. */
    readonly when: (state: ModelState, past: Past) => boolean;
  };
}

/** What of a process's past no state tells. */
export interface Past {
  /** It was told to migrate after it had been told to cancel a migration. */
  readonly migratesAfterCancel: boolean;
  /** It was told to pause a postcopy more than once. */
  readonly pausesAgain: boolean;
}
