/** What the campaign and the processes that run its cases say to each other. */
import type { DialectName } from '../../reference/dialects/dialect.js';
import type { Scenario } from '../../targets/scenario.js';
import type { CaseResult } from '../case-runner.js';

/** What a process needs to know to run cases as the campaign would. */
export interface CrewOrders {
  /** The target as it was named. */
  readonly target: string;
  /** Path of the config file, if one was named. */
  readonly config?: string;
  readonly dialect?: DialectName;
  readonly strictDesc: boolean;
  /** Processes of the target serve several scenarios. */
  readonly reuse: boolean;
}

export type ToWorker =
  | { readonly say: 'orders'; readonly orders: CrewOrders }
  | { readonly say: 'case'; readonly number: number; readonly lane: number; readonly scenario: Scenario }
  /** Begins no more cases. */
  | { readonly say: 'stop' }
  /** Ends what it started, answers, and goes. */
  | { readonly say: 'close' };

/** A result whose keys are numbers: those of this process's list, to which `news` adds at the end. */
export interface NumberedResult extends Omit<CaseResult, 'keys'> {
  readonly keys: readonly number[];
  readonly news: readonly string[];
}

export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

export type FromWorker =
  | { readonly say: 'ran'; readonly number: number; readonly result: NumberedResult }
  | { readonly say: 'dropped'; readonly number: number }
  | { readonly say: 'failed'; readonly number: number; readonly failure: Failure }
  | { readonly say: 'closed'; readonly remark?: string };
