/**
 * The kinds of migration that races are tried in. A ladder has rungs: what drives the migration on, and the events of the
 * source that follow it. Between any two of them is a gap for another command to fall into.
 */
import { channelUri, imageOf, type PeerBehaviour, type Step } from '../../targets/scenario.js';
import type { StartOptions } from '../../targets/target.js';

export interface Command {
  readonly execute: string;
  readonly arguments?: unknown;
}

/** What drives the migration on: commands of the source in one write, one of the destination, or a step on the channel. */
export type Drive =
  | { readonly commands: readonly Command[] }
  | { readonly destination: Command }
  | { readonly channel: Step };

export interface Rung {
  readonly drive: Drive;
  /** What the source tells then, in this order: a status, or the name of another event. */
  readonly events: readonly string[];
}

export interface Ladder {
  readonly name: string;
  readonly start: StartOptions;
  /** Capabilities of the source, and with two instances those of the destination that it knows. */
  readonly capabilities: readonly string[];
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Our peer on the channel; a second instance of the target when absent. */
  readonly peer?: PeerBehaviour;
  readonly bytes?: number;
  readonly rungs: readonly Rung[];
}

/** The channel that everything goes through. */
export const channel = 'a';
/** One on which nobody ever listens, and one for recoveries of two instances. */
export const nowhere = channelUri('none');
const again = channelUri('b');
const uri = channelUri(channel);

const slow = { 'max-bandwidth': 4096, 'max-postcopy-bandwidth': 4096 };
const fast = { 'max-bandwidth': 0, 'max-postcopy-bandwidth': 0 };
const full = { ramImage: imageOf(1), memory: 16 };

const rung = (drive: Drive, ...events: readonly string[]): Rung => ({ drive, events });
const says = (...commands: readonly Command[]): Drive => ({ commands });
const migrate: Command = { execute: 'migrate', arguments: { uri } };
const resume = (to = uri): Command => ({ execute: 'migrate', arguments: { uri: to, resume: true } });
const postcopy: Command = { execute: 'migrate-start-postcopy' };
const proceed: Command = { execute: 'migrate-continue', arguments: { state: 'pre-switchover' } };
const hurry: Command = { execute: 'migrate-set-parameters', arguments: fast };
const release: Drive = { channel: { do: 'release', channel } };
const cut: Drive = { channel: { do: 'cut', channel } };

const toPostcopy = rung(says(migrate, postcopy), 'setup', 'active', 'postcopy-active', 'STOP');
const pause = rung(says({ execute: 'migrate-pause' }), 'postcopy-paused');
const last = rung(says(hurry), 'completed');

const withPeer = (name: string, peer: PeerBehaviour, rungs: readonly Rung[], more: Partial<Ladder> = {}): Ladder => ({
  name,
  start: {},
  capabilities: [],
  peer,
  rungs,
  ...more,
});
const inPostcopy = (name: string, peer: PeerBehaviour, rungs: readonly Rung[], ...more: readonly string[]): Ladder =>
  withPeer(name, peer, rungs, { start: full, capabilities: ['postcopy-ram', ...more], parameters: slow });
const pausing = { capabilities: ['pause-before-switchover'] };
const held = rung(says(migrate), 'setup', 'active', 'STOP', 'pre-switchover');

export const ladders: readonly Ladder[] = [
  withPeer('plain', 'answer', [rung(says(migrate), 'setup', 'active', 'STOP', 'completed')]),
  withPeer('plain-stopped', 'answer', [rung(says(migrate), 'setup', 'active', 'completed')], {
    start: { paused: true },
  }),
  withPeer('stalled', 'stall', [rung(says(migrate), 'setup', 'active'), rung(release, 'STOP', 'completed')], {
    start: full,
  }),
  withPeer('pause', 'answer', [held, rung(says(proceed), 'device', 'completed')], pausing),
  withPeer('pause-lost', 'answer', [held, rung(cut), rung(says(proceed), 'device', 'failed', 'RESUME')], pausing),
  withPeer('return-path', 'silent', [rung(says(migrate), 'setup', 'active', 'STOP'), rung(release, 'completed')], {
    capabilities: ['return-path'],
  }),
  withPeer(
    'return-path-lost',
    'silent',
    [rung(says(migrate), 'setup', 'active', 'STOP'), rung(cut, 'failed', 'RESUME')],
    {
      capabilities: ['return-path'],
    },
  ),
  withPeer('return-path-error', 'error', [rung(says(migrate), 'setup', 'active', 'STOP', 'failed', 'RESUME')], {
    capabilities: ['return-path'],
  }),
  withPeer('connecting', 'full', [rung(says(migrate), 'setup'), rung(release, 'active', 'STOP', 'completed')]),
  withPeer('connecting-lost', 'full', [rung(says(migrate), 'setup'), rung(cut, 'failed')]),
  withPeer('refused', 'absent', [rung(says(migrate), 'setup', 'failed')]),
  withPeer('cut', 'cut', [rung(says(migrate), 'setup', 'active', 'failed')], { bytes: 5000, start: full }),
  withPeer(
    'cancel',
    'stall',
    [rung(says(migrate), 'setup', 'active'), rung(says({ execute: 'migrate_cancel' }), 'cancelling', 'cancelled')],
    { start: full },
  ),
  withPeer('cancel-connecting', 'full', [
    rung(says(migrate), 'setup'),
    rung(says({ execute: 'migrate_cancel' }), 'cancelling'),
    rung(release, 'cancelled'),
  ]),
  withPeer('again', 'answer', [
    rung(says(migrate), 'completed'),
    rung(says({ execute: 'cont' }), 'RESUME'),
    rung(says(migrate), 'setup', 'active', 'STOP', 'completed'),
  ]),
  withPeer(
    'colo',
    'answer',
    [
      rung(says(migrate), 'setup', 'active', 'STOP', 'colo'),
      rung({ channel: { do: 'message', channel, message: 'ready' } }, 'RESUME'),
      rung(says({ execute: 'x-colo-lost-heartbeat' }), 'STOP', 'completed', 'RESUME'),
    ],
    { capabilities: ['x-colo'] },
  ),
  inPostcopy('postcopy', 'answer', [toPostcopy, last]),
  inPostcopy('postcopy-wait', 'silent', [toPostcopy, rung(says(hurry)), rung(release, 'completed')]),
  inPostcopy('postcopy-error', 'error', [toPostcopy, rung(says(hurry), 'failed')]),
  inPostcopy(
    'postcopy-pause',
    'answer',
    [
      rung(says(migrate, postcopy), 'setup', 'active', 'STOP', 'pre-switchover'),
      rung(says(proceed), 'postcopy-active'),
      last,
    ],
    'pause-before-switchover',
  ),
  inPostcopy('recovery', 'answer', [
    toPostcopy,
    pause,
    rung(says(resume()), 'postcopy-recover', 'postcopy-active'),
    last,
  ]),
  inPostcopy('recovery-after-loss', 'answer', [
    toPostcopy,
    rung(cut, 'postcopy-paused'),
    rung(says(resume()), 'postcopy-recover', 'postcopy-active'),
    last,
  ]),
  inPostcopy('recovery-held', 'silent', [
    toPostcopy,
    pause,
    rung(says(resume()), 'postcopy-recover'),
    rung(release, 'postcopy-active'),
    last,
  ]),
  inPostcopy('recovery-refused', 'answer', [
    toPostcopy,
    pause,
    rung(says(resume(nowhere))),
    rung(says(resume()), 'postcopy-recover', 'postcopy-active'),
    last,
  ]),
  {
    name: 'pair',
    start: { memory: 16 },
    capabilities: [],
    rungs: [rung(says(migrate), 'setup', 'active', 'STOP', 'completed')],
  },
  {
    name: 'pair-postcopy',
    start: full,
    capabilities: ['postcopy-ram'],
    parameters: slow,
    rungs: [toPostcopy, last],
  },
  {
    name: 'pair-recovery',
    start: full,
    capabilities: ['postcopy-ram'],
    parameters: slow,
    rungs: [
      toPostcopy,
      pause,
      rung({ destination: { execute: 'migrate-recover', arguments: { uri: again } } }),
      rung(says(resume(again)), 'postcopy-recover', 'postcopy-active'),
      last,
    ],
  },
];
