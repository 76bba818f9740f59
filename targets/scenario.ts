/**
 * The Scenario: what to do, step by step, at named endpoints. A file of it replays with no seed. Nothing in it may reach
 * outside the run: migration addresses name channels of the scenario, which live in the run's scratch folder.
 */
import type { StartOptions } from './target.js';

export const scenarioVersion = 1;

/** How a peer of ours on a migration channel behaves. */
export type PeerBehaviour =
  /** Nobody listens. */
  | 'absent'
  /** Connects succeed only as far as the kernel's queue, which is full: the source stays connecting. */
  | 'full'
  /** Accepts and never reads. */
  | 'stall'
  /** Reads everything, answers SHUT 0 when the stream has ended, where a return path is open. */
  | 'answer'
  /** Reads everything and stays silent. */
  | 'silent'
  /** Reads everything and reports an error at the end. */
  | 'error'
  /** Closes the connection after `bytes`. */
  | 'cut';

export type Step =
  | { readonly do: 'start'; readonly at: string; readonly options?: StartOptions }
  /** A migration channel of ours, at `unix:{channel NAME}` in the scenario's URIs. */
  | { readonly do: 'peer'; readonly channel: string; readonly behaviour: PeerBehaviour; readonly bytes?: number }
  /** Lets what the peer holds back go on: a stalled or silent peer becomes `answer`, a full one accepts. */
  | { readonly do: 'release'; readonly channel: string }
  /** Closes every connection of the channel. */
  | { readonly do: 'cut'; readonly channel: string }
  /** Connects to a monitor and enters command mode. */
  | { readonly do: 'connect'; readonly at: string; readonly monitor?: number; readonly enable?: readonly string[] }
  | {
      readonly do: 'command';
      readonly at: string;
      readonly execute: string;
      readonly arguments?: unknown;
      readonly oob?: boolean;
      /** Go on without waiting for the reply. */
      readonly post?: boolean;
    }
  /** Bytes as they are, one character each; cut into pieces of `every` bytes. */
  | { readonly do: 'raw'; readonly at: string; readonly bytes: string; readonly every?: number }
  /** Commands in one write. */
  | {
      readonly do: 'pipeline';
      readonly at: string;
      readonly commands: readonly { readonly execute: string; readonly arguments?: unknown }[];
    }
  | { readonly do: 'fence'; readonly at: string }
  /** Asks `query-migrate` until the status is one of these, at most `deadline` ms. */
  | { readonly do: 'status'; readonly at: string; readonly is: readonly string[]; readonly deadline?: number }
  /** Asks `query-status` until the run state is one of these. */
  | { readonly do: 'runstate'; readonly at: string; readonly is: readonly string[]; readonly deadline?: number }
  /** Waits for an event of this name (and status), at most `deadline` ms, counted from the step before. */
  | {
      readonly do: 'event';
      readonly at: string;
      readonly event: string;
      readonly status?: readonly string[];
      readonly deadline?: number;
    }
  | { readonly do: 'disconnect'; readonly at: string }
  | { readonly do: 'exit'; readonly at: string; readonly deadline?: number }
  | { readonly do: 'kill'; readonly at: string };

export interface Scenario {
  readonly scenario: typeof scenarioVersion;
  /** What it tries, in words. */
  readonly title?: string;
  /** The seed it was generated from, for the record: replaying does not need it. */
  readonly seed?: number;
  readonly steps: readonly Step[];
}

/** Text that stands for a file of so many MiB without a zero page, for `StartOptions.ramImage`. */
export const imageOf = (mib: number): string => `{image ${mib}}`;

/** Text of a URI that stands for a channel of the scenario. */
export const channelUri = (name: string): string => `unix:{channel ${name}}`;
