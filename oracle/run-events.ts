/**
 * The one event stream of a run: a header, what happened to each requirement, a footer. Every report is a fold over it; as
 * a file it is NDJSON.
 */
import type { Verdict, VerdictKind } from './verdict.js';

export const runEventsVersion = 1;

export type Level = 'MUST' | 'SHOULD' | 'INFO';

export interface RunHeader {
  readonly event: 'header';
  readonly version: typeof runEventsVersion;
  readonly tool: string;
  /** The target as it was named, and its command line or address. */
  readonly target: string;
  readonly description: string;
  readonly product: string;
  readonly productVersion: string;
  readonly dialect: string;
  /** Whatever the reader should know about dialect and schema. */
  readonly notes: readonly string[];
  readonly seed: number;
  readonly jobs: number;
  /** SHOULD, known defects and "not applicable" count as failures. */
  readonly strict: boolean;
  /** Number of requirements that will be reported. */
  readonly planned: number;
  /** ISO 8601. */
  readonly began: string;
  /** The command that repeats this run. */
  readonly reproduce: string;
  /** Which part of the selection this is, when it was divided. */
  readonly shard?: Shard;
  /** Number of entries of the expectations file that will be told as `unmatched`. */
  readonly unmatched?: number;
}

export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** Number of requirements in all shards together. */
  readonly total: number;
}

export interface RequirementStarted {
  readonly event: 'started';
  readonly id: string;
}

export interface RequirementEnded {
  readonly event: 'requirement';
  readonly id: string;
  readonly level: Level;
  readonly title: string;
  /** File and section of the specification. */
  readonly spec: string;
  /** Chapter that it stands in, outermost first. */
  readonly chapter: readonly string[];
  readonly verdict: Verdict;
  /** Milliseconds. */
  readonly duration: number;
  readonly checks: number;
  /** The wire messages that led to a failure, rendered. */
  readonly excerpt?: readonly string[];
  /** Last lines of the target's standard error, for a failure. */
  readonly stderr?: readonly string[];
  /** The command that repeats this requirement alone. */
  readonly reproduce?: string;
  /** What the failure is known by, for an expectations file. */
  readonly signature?: string;
  /** What the expectations file says of it. */
  readonly expectation?: Expected;
}

export type ExpectationKind = 'known-failing' | 'known-flaky' | 'not-applicable' | 'finding';

export interface Expected {
  /** Number of the entry in the file, from 1. */
  readonly entry: number;
  readonly kind: ExpectationKind;
  /**
   * `met`: it went as expected; `fixed`: it passed; `different`: it failed in another way; `expired`: the entry does not hold
   * any more; `unjudged`: whether it holds could not be seen.
   */
  readonly state: 'met' | 'fixed' | 'different' | 'expired' | 'unjudged';
  readonly reason: string;
  readonly ticket?: string;
  /** Last day on which it holds, ISO 8601. */
  readonly expires?: string;
  readonly signature?: string;
}

/** An entry of the expectations file that speaks of nothing that there is. */
export interface Unmatched {
  readonly event: 'unmatched';
  /** Number of the entry in the file, from 1. */
  readonly entry: number;
  /** One line: the file, the line in it, and why nothing matches. */
  readonly text: string;
}

export interface RunNote {
  readonly event: 'note';
  readonly text: string;
}

export interface RunFooter {
  readonly event: 'footer';
  readonly counts: Readonly<Partial<Record<VerdictKind, number>>>;
  readonly planned: number;
  readonly ran: number;
  /** Milliseconds. */
  readonly duration: number;
  /** Set when the run could not go on: why. */
  readonly aborted?: string;
  readonly exitCode: number;
}

export type RunEvent = RunHeader | RequirementStarted | RequirementEnded | RunNote | Unmatched | RunFooter;

/** Takes events as they come. */
export type RunSink = (event: RunEvent) => void;
