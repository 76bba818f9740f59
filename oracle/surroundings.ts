/**
 * What surrounds a process and bounds what it can have done: the far end of its migration channel, be that a peer of ours, whose
 * facts stand in the transcript, or another process in the same transcript. Nobody reads what was not written, and nobody
 * completes on an answer that was not given.
 */

import type { Entry } from '../protocol/transcript.js';
import { isRunning } from '../reference/model/index.js';
import type { Core } from './tracker/core.js';
import type { Tracker } from './tracker/tracker.js';

/** What makes a hypothesis impossible, in words, and the rows that say so. */
export interface Bound {
  readonly words: string;
  readonly rows: readonly string[];
}
/** Tells what a hypothesis contradicts; `undefined` when nothing. */
export type Bounds = (core: Core) => Bound | undefined;

/** What is known of a channel that a peer of ours holds. */
interface Channel {
  readonly path: string;
  readonly behaviour: string;
  released: boolean;
  /** A stream was read to its end, with a return path open. */
  ended: boolean;
  /** A connection was closed, a stream could not be read, or bytes of a test's own choice were sent back. */
  disturbed: boolean;
}

/** One outgoing migration. */
export interface Attempt {
  readonly uri: string;
  /** The peer of ours that held its channel when it was asked for. */
  readonly channel: Channel | undefined;
  /** Nobody had migrated there before: what the listener shows is of this one. */
  readonly first: boolean;
  /** Its command has succeeded. */
  begun: boolean;
  /** Commands were sent since that break its channel, or may do anything. */
  tampered: boolean;
}

/** Outgoing migrations and the listener of one process, as far as its client told it to. */
export class Roles {
  private attempts: Attempt[] = [];
  /** Where it listens, or may listen. */
  readonly listens = new Set<string>();

  /** `migrate` was sent. @param quiet no migration was under way in any hypothesis */
  migrate(attempt: Pick<Attempt, 'uri' | 'channel' | 'first'>, quiet: boolean): void {
    if (quiet) this.attempts = [];
    this.attempts.push({ ...attempt, begun: false, tampered: false });
  }

  /** A reply to `migrate`. One that was refused has never been. */
  answered(uri: string, success: boolean): void {
    const at = this.attempts.findIndex((one) => one.uri === uri && !one.begun);
    const attempt = this.attempts[at];
    if (attempt === undefined) return;
    if (success) attempt.begun = true;
    else this.attempts.splice(at, 1);
  }

  tamper(): void {
    for (const attempt of this.attempts) attempt.tampered = true;
  }

  /** The only migration that the present state can come from. */
  get attempt(): Attempt | undefined {
    const [only, ...others] = this.attempts;
    return others.length === 0 && only?.begun ? only : undefined;
  }
}

/** Channels of our peers, by the facts in a transcript. */
export class Channels {
  private readonly byName = new Map<string, Channel>();

  /** Takes an entry of kind `channel`. */
  take({ at, text }: Entry): void {
    const opened =
      /^listens at (?<path>\S+): (?<behaviour>\w+)$/.exec(text)?.groups ??
      /^(?<behaviour>nobody) listens at (?<path>\S+)$/.exec(text)?.groups ??
      /^the queue at (?<path>\S+) is (?<behaviour>full)$/.exec(text)?.groups;
    if (opened !== undefined) {
      const { path = '', behaviour = '' } = opened;
      this.byName.set(at, { path, behaviour, released: false, ended: false, disturbed: false });
      return;
    }
    const channel = this.byName.get(at);
    if (channel === undefined) return;
    if (text === 'released') channel.released = true;
    else if (text.endsWith(': the stream has ended')) channel.ended = true;
    else if (/^cut$|closed$|cannot be read|^sent /.test(text)) channel.disturbed = true;
  }

  at(uri: string): Channel | undefined {
    if (!uri.startsWith('unix:')) return undefined;
    return [...this.byName.values()].find(({ path }) => uri === `unix:${path}`);
  }
}

/** Capabilities with which nothing but its channel makes a migration fail once it is connected. */
const plain: ReadonlySet<string> = new Set([
  'events',
  'return-path',
  'pause-before-switchover',
  'auto-converge',
  'late-block-activate',
]);
const failed: ReadonlySet<string> = new Set(['failed', 'cancelled']);

/** What the peer at the other end of a channel of ours lets a source do. */
export function boundsOfPeer(channel: Channel, tampered: boolean): Bounds {
  const { behaviour, released, ended, disturbed } = channel;
  const closed = behaviour === 'nobody' || (behaviour === 'full' && !released && !disturbed);
  const withheld = !released && (behaviour === 'silent' || behaviour === 'stall');
  return (core) => {
    const { out, capabilities } = core.state;
    if (core.defects.length > 0) return undefined;
    if (core.progress !== 'none' && closed) {
      return { words: 'no connection: the peer has not let it in', rows: ['MIG-SM-O07', 'MIG-SM-O08'] };
    }
    const shut = out.status === 'completed' && out.returnPath !== 'none' && !capabilities.includes('x-colo');
    if (shut && !disturbed) {
      if (!ended || withheld) {
        return { words: 'not completed: the peer has not answered SHUT 0 yet', rows: ['MIG-SM-O37', 'MIG-SM-O58'] };
      }
      if (behaviour === 'error' && !released) {
        return { words: 'failed: the peer has answered SHUT 1', rows: ['MIG-SM-O38', 'MIG-SM-O59'] };
      }
    }
    const healthy = !disturbed && ['answer', 'ask', 'silent', 'stall'].includes(behaviour) && !tampered;
    const cause = healthy && capabilities.every((name) => plain.has(name));
    if (cause && out.status === 'failed' && core.progress === 'connected') {
      return { words: 'not failed: the peer has kept the channel open', rows: ['MIG-SM-O21', 'MIG-SM-O13'] };
    }
    return undefined;
  };
}

/** What a destination shows of the stream that it reads bounds what its source has done. */
export function boundsOfDestination(destination: Tracker): Bounds {
  const all = (test: (core: Core) => boolean) => destination.cores.every(test);
  const loaded = all(({ state }) => state.in.status === 'completed' || state.in.status === 'colo');
  const accepted = all(({ state }) => state.in.status !== 'none' && state.in.status !== 'setup');
  return (core) => {
    const { out } = core.state;
    const over = failed.has(out.status) && !out.lingering;
    if (loaded && over && core.progress !== 'written') {
      return { words: 'a stream to its end: the destination has loaded it', rows: ['MIG-SM-I21', 'MIG-SM-I45'] };
    }
    if (accepted && over && core.progress === 'none') {
      return { words: 'a connection: the destination has accepted it', rows: ['MIG-SM-I09'] };
    }
    return undefined;
  };
}

/** What a source shows bounds what its destination has done with the stream. */
export function boundsOfSource(source: Tracker): Bounds {
  const all = (test: (core: Core) => boolean) => source.cores.every(test);
  const answered = all(
    ({ state: { out, capabilities } }) =>
      out.status === 'completed' && out.returnPath === 'open' && !capabilities.includes('x-colo'),
  );
  const unwritten = all(
    ({ progress, state }) => progress !== 'written' && failed.has(state.out.status) && !state.out.lingering,
  );
  return ({ state }) => {
    const inStatus = state.in.status;
    if (answered && (inStatus === 'failed' || (inStatus === 'active' && state.exit === 1))) {
      return { words: 'a good load: the source has got SHUT 0 from it', rows: ['MIG-SM-O37', 'MIG-SM-I21'] };
    }
    if (unwritten && (inStatus === 'completed' || inStatus === 'colo') && !isRunning(state.out.status)) {
      return { words: 'no end of the load: its source has not sent the end', rows: ['MIG-SM-I20', 'MIG-SM-I21'] };
    }
    return undefined;
  };
}
