/** Known defects of released monitors in migration, what they do besides what the model permits (commands.md §17), as data. */
import type { ModelState, Output } from '../reference/model/index.js';
import type { KnownDefect } from './known-defect.js';
import { fixedBy42, fixedBy72, fixedBy100, stillThere } from './known-defect-releases.js';

const event = (status: 'cancelling' | 'failed' | 'cancelled' | 'setup' | 'postcopy-paused'): Output => ({
  kind: 'event',
  event: 'MIGRATION',
  status,
});
/** A migration has told of its end, and its clean-up goes on: of one that a failover ends, until all its events are told. */
const settling = ({ out, unsaid }: ModelState): boolean =>
  out.phase === 'settling' || (out.status === 'completed' && unsaid.some(({ side }) => side === 'outgoing'));

export const migrationDefects: readonly KnownDefect[] = [
  {
    id: 'MIG-DEF-01',
    title: 'migrate_cancel while the thread is writing ends in failed instead of cancelled',
    from: [3, 0],
    to: fixedBy72,
    moves: (state) =>
      state.out.status === 'cancelling'
        ? [{ label: 'cancel-failed', outputs: [event('failed')], next: withStatus(state, 'failed') }]
        : [],
  },
  {
    id: 'MIG-DEF-02',
    title: 'migrate_cancel while a postcopy is paused or recovers is accepted and never ends, or is lost',
    from: [3, 0],
    to: fixedBy100,
    hangs: ({ out }) => out.status === 'cancelling' && out.inPostcopy,
    // The thread finds the recovery gone wrong and pauses again, whatever the status was meanwhile.
    moves: (state) =>
      state.out.status === 'cancelling' && state.out.inPostcopy
        ? [{ label: 'cancel-lost', outputs: [event('postcopy-paused')], next: withStatus(state, 'postcopy-paused') }]
        : [],
    outcomes: (state, command) =>
      command === 'migrate_cancel' && ['postcopy-paused', 'postcopy-recover'].includes(state.out.status)
        ? [
            {
              label: 'cancelling for ever',
              outputs: [event('cancelling'), { kind: 'reply', ok: true }],
              next: withStatus(state, 'cancelling'),
            },
          ]
        : [],
  },
  {
    id: 'MIG-DEF-03',
    title: 'a source with a return path waits for ever when the peer closes without its last message',
    from: [3, 0],
    to: fixedBy72,
    hangs: ({ out }) => out.status === 'cancelling' && out.returnPath !== 'none',
  },
  {
    id: 'MIG-DEF-04',
    title: 'cont is accepted during the switch-over and later kills the process',
    from: [3, 0],
    to: fixedBy42,
  },
  {
    id: 'MIG-DEF-05',
    title: 'cont is accepted on the source of a running postcopy, so that the guest runs on both sides',
    from: [3, 0],
    to: fixedBy42,
  },
  {
    id: 'MIG-DEF-06',
    title: 'a second migrate-incoming is refused but opens a second listener',
    from: [3, 0],
    to: [5, 1],
    outcomes: (state, command) =>
      command === 'migrate-incoming' && state.in.started && state.in.origin === 'defer'
        ? [
            {
              label: 'announced and refused',
              outputs: [
                event('setup'),
                {
                  kind: 'reply',
                  ok: false,
                  desc: 'The incoming migration has already been started',
                  errorClass: 'GenericError',
                },
              ],
              next: state,
            },
          ]
        : [],
  },
  {
    id: 'MIG-DEF-07',
    title: 'a destination in postcopy-recover dies when its connection breaks or carries garbage',
    from: [3, 0],
    to: fixedBy100,
    dies: { signals: ['SIGSEGV'], when: (state) => state.in.status === 'postcopy-recover' },
  },
  {
    id: 'MIG-DEF-08',
    title: 'after migrate-recover with a bad URI every other one is refused',
    from: [3, 0],
    to: [6, 1],
    outcomes: (state, command) =>
      command === 'migrate-recover' && state.in.status === 'postcopy-paused'
        ? [
            {
              label: 'triggered already',
              outputs: [
                {
                  kind: 'reply',
                  ok: false,
                  desc: 'Migrate recovery is triggered already',
                  errorClass: 'GenericError',
                },
              ],
              next: state,
            },
          ]
        : [],
  },
  {
    id: 'MIG-DEF-09',
    title: 'a resume that is cancelled or tried again before its connection has come about, or after it failed, kills',
    from: [3, 0],
    to: [7, 2],
    crash: /Assertion `!s->cleanup_bh' failed/,
  },
  {
    id: 'MIG-DEF-10',
    title: 'a source in postcopy-recover stays there for ever when its peer closes',
    from: [3, 0],
    to: fixedBy100,
  },
  {
    id: 'MIG-DEF-11',
    title: 'multifd over a transport that is no socket kills the process',
    from: [3, 0],
    to: fixedBy72,
  },
  {
    id: 'MIG-DEF-12',
    title: 'a destination that was advised of postcopy aborts when the migration ends in precopy',
    from: [3, 0],
    to: fixedBy42,
    dies: { signals: ['SIGABRT'], when: (state) => state.in.pc === 'advise' },
  },
  {
    id: 'MIG-DEF-13',
    title: 'a destination aborts on postcopy commands out of order',
    from: [3, 0],
    to: fixedBy72,
    dies: {
      signals: ['SIGABRT', 'SIGSEGV'],
      when: (state) => ['discard', 'listening'].includes(state.in.pc),
    },
  },
  {
    id: 'MIG-DEF-14',
    title: 'downtime is a garbage figure when the switch to postcopy took no whole millisecond',
    from: [3, 0],
    to: fixedBy100,
  },
  {
    id: 'MIG-DEF-15',
    title: 'a new migrate or cont between the last event of a migration and the end of its clean-up kills the process',
    from: [3, 0],
    to: stillThere,
    // A connection that a cancelled migration still waits for is clean-up, too.
    dies: {
      signals: ['SIGSEGV', 'SIGABRT'],
      when: (state) => settling(state) || state.out.phase === 'stuck' || state.out.lingering,
    },
    // Where the old migration is still registered the new one is refused after its status has changed, which the old one's thread stumbles over.
    outcomes: (state, command) => (command === 'migrate' && settling(state) ? [refusedLate(state, '*')] : []),
  },
  {
    id: 'MIG-DEF-16',
    title: 'failover kills the COLO secondary',
    from: [3, 0],
    to: fixedBy72,
    dies: { signals: ['SIGSEGV'], when: (state) => state.in.failoverRequested },
  },
  {
    id: 'MIG-DEF-17',
    title: 'savevm during a migration overwrites its state',
    from: [3, 0],
    to: fixedBy72,
  },
  {
    id: 'MIG-DEF-18',
    title: 'counters and pass numbers go on in a new migration',
    from: [3, 0],
    to: fixedBy42,
  },
  {
    id: 'MIG-DEF-19',
    title: 'a postcopy of a stopped guest starts it on the destination',
    from: [3, 0],
    to: stillThere,
  },
  {
    id: 'MIG-DEF-24',
    title: 'a postcopy that was recovered more than once may count wrongly what remains, and never end',
    from: [3, 0],
    to: stillThere,
    breaks: { row: 'MIG-CMD-INV-02', when: ({ out }) => out.status.startsWith('postcopy-') },
  },
  {
    id: 'MIG-DEF-23',
    title: 'migrate_cancel at the moment at which pre-switchover would begin is accepted and never ends',
    from: [3, 0],
    to: stillThere,
    hangs: ({ out, capabilities }) =>
      out.status === 'cancelling' && out.phase === 'stopping' && capabilities.includes('pause-before-switchover'),
  },
  {
    id: 'MIG-DEF-26',
    title:
      'after a postcopy was cancelled or could not begin, the next migration, or the process that is told to quit, may never end',
    from: [5, 2],
    to: fixedBy100,
  },
  {
    // The reader of the return path is not waited for, and lets go of what the next one reads from.
    id: 'MIG-DEF-28',
    title: 'after a migration with a return path was cancelled, its reader may end the process in the next one',
    from: [6, 2],
    to: [8, 1],
    dies: {
      signals: ['SIGSEGV'],
      when: ({ out }, { migratesAfterCancel }) => migratesAfterCancel && out.returnPath !== 'none',
    },
  },
  {
    // Each channel that breaks sets the status, which by then another one may have set.
    id: 'MIG-DEF-29',
    title:
      'a migration over data channels that fails may be announced as failed several times, and before it has ended',
    from: [4, 0],
    to: stillThere,
    moves: (state, rules) =>
      state.out.status === 'failed' && state.capabilities.includes(rules.multifd.capability)
        ? [{ label: 'failed-again', outputs: [event('failed')], next: state }]
        : [],
    // It may be announced before the migration itself has noticed, which is still registered then.
    outcomes: (state, command) =>
      command === 'migrate' && state.out.status === 'failed' && state.out.phase === 'idle'
        ? [refusedLate(state, 'duplicate yank instance')]
        : [],
  },
  {
    // The reader of the return path has gone, and nothing wakes the thread that waits for what it would have read.
    id: 'MIG-DEF-31',
    title: 'a recovery whose peer says SHUT, or acknowledges it before its bitmaps, and closes never ends',
    from: [8, 2],
    to: stillThere,
  },
  {
    // Its reader waits to be told of a recovery, and the migration waits for its reader.
    id: 'MIG-DEF-32',
    title: 'a postcopy whose peer has everything and closes without its last message stays postcopy-active for ever',
    from: [3, 0],
    to: fixedBy100,
  },
  {
    // The thread that takes over at POSTCOPY_LISTEN ends the process while the others go on: about one death in ten is such a
    // crash. Seen on 10.0; neither on 7.2 nor on 11.1.
    id: 'MIG-DEF-33',
    title: 'a destination that gives up a stream between LISTEN and RUN may crash on its way out',
    from: [8, 0],
    to: [10, 9],
    dies: { signals: ['SIGSEGV', 'SIGABRT'], when: ({ in: { pc } }) => pc === 'listening' },
  },
  {
    // The status is told before what an earlier failover of the process has left is cleared.
    id: 'MIG-DEF-34',
    title: 'x-colo-lost-heartbeat as soon as colo is told may be refused for a failover of before',
    from: [3, 0],
    to: stillThere,
    outcomes: (state, command) =>
      command === 'x-colo-lost-heartbeat' && state.out.status === 'colo' && state.out.phase === 'colo-waiting'
        ? [
            {
              label: 'failover of before',
              outputs: [{ kind: 'reply', ok: false, desc: '*', errorClass: 'GenericError' }],
              next: state,
            },
          ]
        : [],
  },
  {
    // Seen on 10.0 with multifd, and on later ones with any capabilities.
    id: 'MIG-DEF-36',
    title: 'a destination to which a connection brings fewer than four bytes answers nobody any more',
    from: [8, 0],
    to: stillThere,
  },
  {
    // Its thread takes the lock of the main loop that it holds. Only machines with processors that run: seen on 5.2, 6.2, 7.2,
    // 9.2 and 10.0, and neither on 11.0 nor on 11.1.
    id: 'MIG-DEF-50',
    title: 'a primary of COLO whose guest has processors may answer nobody any more after a checkpoint',
    from: [5, 0],
    to: [10, 9],
  },
  {
    // Postcopy comes before the end where both could be. Seen on 10.1, 10.2, 11.0 and 11.1; not in as many tries on 9.2 and 10.0.
    id: 'MIG-DEF-47',
    title: 'a postcopy that is asked for when everything has been sent fails, for it begins without a discard',
    from: [10, 1],
    to: stillThere,
  },
  {
    id: 'MIG-DEF-22',
    title: 'a destination waits for ever when what comes over a multifd channel is wrong',
    from: [3, 0],
    to: stillThere,
  },
  {
    id: 'MIG-DEF-21',
    title: 'a wrong first packet of a multifd channel kills the destination',
    from: [3, 0],
    to: [10, 9],
  },
];

/** Refused after the status has changed, in which it stays. */
const refusedLate = (
  state: ModelState,
  desc: string,
): { label: string; outputs: readonly Output[]; next: ModelState } => ({
  label: 'refused late',
  outputs: [event('setup'), { kind: 'reply', ok: false, desc, errorClass: 'GenericError' }],
  next: { ...state, out: { ...state.out, status: 'setup', phase: 'stuck' } },
});

const withStatus = (state: ModelState, status: 'failed' | 'cancelling' | 'postcopy-paused'): ModelState => ({
  ...state,
  out: { ...state.out, status, phase: 'idle' },
});
