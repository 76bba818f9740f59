/** What a campaign tells of itself while it runs. Screens and reports are folds over it. */
import type { Finding } from './findings.js';

export interface Standing {
  /** Cases run, in all runs of the campaign. */
  readonly cases: number;
  readonly commands: number;
  /** Milliseconds, in all runs and in this one. */
  readonly elapsed: number;
  readonly inThisRun: number;
  /** Transitions of the model that were surely taken. */
  readonly transitions: number;
  /** Coverage keys of all kinds. */
  readonly novelties: number;
  readonly corpus: number;
  /** Confirmed and not known. */
  readonly findings: number;
  readonly known: number;
  readonly unconfirmed: number;
  /** Seen and not yet looked into. */
  readonly open: number;
  /** Milliseconds; absent without a limit. */
  readonly timeLeft?: number;
  readonly runsLeft?: number;
}

export type CampaignEvent =
  | {
      readonly event: 'begin';
      readonly target: string;
      readonly description: string;
      readonly product: string;
      readonly version: string;
      readonly dialect: string;
      readonly seed: number;
      readonly jobs: number;
      readonly folder?: string;
      readonly resumed: boolean;
      /** Transitions of the model that can be reached from outside. */
      readonly reachable?: number;
    }
  | { readonly event: 'status'; readonly standing: Standing }
  | { readonly event: 'finding'; readonly finding: Finding }
  | { readonly event: 'note'; readonly text: string }
  | { readonly event: 'end'; readonly standing: Standing; readonly interrupted: boolean };
