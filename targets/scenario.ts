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
  /** … and asks for the last page that is missing as soon as the guest of a postcopy was sent, as one does that needs it. */
  | 'ask'
  /** Reads everything and stays silent. */
  | 'silent'
  /** Reads everything and reports an error at the end. */
  | 'error'
  /** Closes the connection after `bytes`. */
  | 'cut';

/** What a relay does with the bytes that come from the source; those that go back pass as they are. */
export type RelayBehaviour =
  | 'pass'
  /** Nothing is read any more until the behaviour changes. */
  | 'stall'
  /** At most `bytes` a millisecond. */
  | 'slow'
  /** In writes of `bytes`. */
  | 'slice'
  /** Both ends are closed once `bytes` more have passed. */
  | 'cut';

/** A message that a peer of ours sends back to the source. */
export const peerMessages = [
  'pong',
  'shut',
  'shut-error',
  'resume-ack',
  'bad-ack',
  'unknown',
  'ready',
  /** Of the wrong length, or with a value that means an error. */
  'shut-negative',
  'shut-empty',
  'pong-long',
  'ack-short',
  'too-long',
  /** Consent to the switch-over, which only some releases know. */
  'switchover',
  /** The first page; the same without a name; none; of another block, not at a page, half a page, behind the end, cut. */
  'request',
  'request-again',
  'request-empty',
  'request-elsewhere',
  'request-odd',
  'request-half',
  'request-beyond',
  'request-cut',
  /** What has come, of which nobody may tell unless he is asked. */
  'bitmap',
  'bitmap-elsewhere',
  'bitmap-nameless',
  /** The first bytes of a PONG. */
  'half',
] as const;
export type PeerMessage = (typeof peerMessages)[number];

/** A part of a stream that we feed to a destination, in any order that is asked for. */
export const feedParts = [
  'header',
  'bad-header',
  'configuration',
  'other-machine',
  /** A configuration with the UUID that a machine may be given, and with another one. */
  'identity',
  'other-identity',
  'return-path',
  'advise',
  'ram',
  /** Zero pages, the first sixteen. */
  'pages',
  /** Some of the first sixteen, with content; others that are filled with one byte; a change of the first; a compressed one. */
  'data',
  'filled',
  'delta',
  'compressed',
  /** A delta and a compressed page that are cut, and a RAM block half as long as it is. */
  'bad-delta',
  'bad-compressed',
  'short-ram',
  'discard',
  /** A package with POSTCOPY_LISTEN and POSTCOPY_RUN. */
  'switch',
  /** A package with the one command. */
  'listen',
  'run',
  /** All pages that a switch has left. */
  'rest',
  'ram-end',
  'stopped',
  'end',
  'ping',
  'recv-bitmap',
  'resume',
  'garbage',
] as const;
export type FeedPart = (typeof feedParts)[number];

/** UUID of the part `identity`, for `-uuid`. */
export const fedUuid = '5f1d2c3b-4a59-4687-9176-a5b4c3d2e1f0';

/** Guest RAM in MiB of a machine that is fed: what the parts speak of. */
export const fedMemory = 16;

/**
 * `connected`: a connection was accepted. `announced`: the RAM blocks are known. `switched`: the guest of a postcopy was
 * sent. `end-of-stream`: a stream was read to its end. `closed`: every connection is closed.
 */
export type ChannelMoment = 'connected' | 'announced' | 'switched' | 'end-of-stream' | 'closed';

export type Step =
  | { readonly do: 'start'; readonly at: string; readonly options?: StartOptions }
  /** A migration channel of ours, at `unix:{channel NAME}` in the scenario's URIs. */
  | { readonly do: 'peer'; readonly channel: string; readonly behaviour: PeerBehaviour; readonly bytes?: number }
  /**
   * A channel that leads to another one, through us. A second one on the same channel changes what it does from then on.
   */
  | {
      readonly do: 'relay';
      readonly channel: string;
      readonly to: string;
      readonly behaviour: RelayBehaviour;
      readonly bytes?: number;
    }
  /**
   * Connects to a listener on the channel and sends these parts of a stream; on a connection that is open, more of them.
   * `cut`: only so many bytes, and then the connection is closed. `flip`: the byte at this offset is inverted.
   */
  | {
      readonly do: 'feed';
      readonly channel: string;
      readonly parts: readonly FeedPart[];
      readonly cut?: number;
      readonly flip?: number;
      readonly every?: number;
    }
  /** Sends a message back to the source. */
  | { readonly do: 'message'; readonly channel: string; readonly message: PeerMessage }
  /** Waits for a moment on the channel, at most `deadline` ms. */
  | {
      readonly do: 'channel';
      readonly channel: string;
      readonly is: ChannelMoment;
      /** How many connections must have been accepted; 1 when absent. */
      readonly count?: number;
      readonly deadline?: number;
    }
  /** Lets what is held back go on: a stalled or silent peer becomes `answer`, a full one accepts, a relay passes. */
  | { readonly do: 'release'; readonly channel: string }
  /** Closes every connection of the channel. */
  | { readonly do: 'cut'; readonly channel: string }
  /** Connects to a monitor and enters command mode. `before`: sent ahead of the negotiation, one after the other. */
  | {
      readonly do: 'connect';
      readonly at: string;
      readonly monitor?: number;
      readonly enable?: readonly string[];
      readonly before?: readonly { readonly execute: string; readonly arguments?: unknown }[];
    }
  | {
      readonly do: 'command';
      readonly at: string;
      readonly execute: string;
      readonly arguments?: unknown;
      readonly oob?: boolean;
      /** So many descriptors ride on it, where the connection and what is in between can carry them (qmp-protocol.md §14). */
      readonly descriptors?: number;
      /** Go on without waiting for the reply. */
      readonly post?: boolean;
    }
  /** Bytes as they are, one character each; in pieces of `every` bytes, or cut before each of the offsets `cuts`. */
  | {
      readonly do: 'raw';
      readonly at: string;
      readonly bytes: string;
      readonly every?: number;
      readonly cuts?: readonly number[];
    }
  /** Commands in one write, without waiting for a reply. */
  | {
      readonly do: 'pipeline';
      readonly at: string;
      readonly commands: readonly { readonly execute: string; readonly arguments?: unknown; readonly oob?: boolean }[];
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
