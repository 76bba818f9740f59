/** Known defects that came with releases after the baseline, and went again where one is known to be free of them (commands.md §17), as data. */
import type { ModelState, Output } from '../reference/model/index.js';
import type { KnownDefect } from './known-defect.js';
import { fixedBy100, stillThere } from './known-defect-releases.js';

type End = 'cancelled' | 'completed';

const told = (status: End): Output => ({ kind: 'event', event: 'MIGRATION', status });
const ended = (state: ModelState, status: End): ModelState => ({
  ...state,
  out: { ...state.out, status, phase: status === 'completed' ? 'settling' : 'idle' },
});

export const laterDefects: readonly KnownDefect[] = [
  {
    // Seen on a 4.2, and neither on a 5.2 nor on later ones.
    id: 'MIG-DEF-45',
    title: 'a data channel sends the pages of its last packet again with each synchronisation',
    from: [4, 0],
    to: [5, 1],
  },
  {
    // What lay in memory goes over the channel. Seen on a 4.2, and neither on a 5.2 nor on later ones.
    id: 'MIG-DEF-52',
    title: 'what the initial packet of a data channel has in reserve is not zero',
    from: [4, 0],
    to: [5, 1],
  },
  {
    // What the guest did before is put back, as if the switch-over had not been one for good. An 8.2 finds nothing to put back,
    // and aborts (MIG-DEF-39).
    id: 'MIG-DEF-38',
    title: 'migrate_cancel in postcopy-active lets the guest run again, which the destination runs already',
    from: [8, 1],
    to: fixedBy100,
    moves: (state) => {
      const { status, inPostcopy } = state.out;
      if (status !== 'cancelling' || !inPostcopy || state.vm.runState === 'running') return [];
      const resume: Output = { kind: 'event', event: 'RESUME' };
      const next: ModelState = { ...ended(state, 'cancelled'), vm: { ...state.vm, runState: 'running' } };
      return [
        { label: 'cancel-resumes', outputs: [resume, told('cancelled')], next },
        { label: 'resumes-cancelled', outputs: [told('cancelled'), resume], next },
      ];
    },
  },
  {
    // Without a return path COLO is passed over; with one, its reader takes what the secondary says. Seen on 10.1 and 10.2, and
    // neither on 10.0 nor on 11.0.
    id: 'MIG-DEF-41',
    title: 'a migration with x-colo completes like any other, or fails as the secondary says that it is ready',
    from: [10, 1],
    to: [10, 2],
    moves: (state) =>
      state.capabilities.includes('x-colo') && ['active', 'device'].includes(state.out.status) && !state.out.inPostcopy
        ? [{ label: 'colo-passed-over', outputs: [told('completed')], next: ended(state, 'completed') }]
        : [],
  },
  {
    // Once nothing remains; before, it is what downtime-limit says. Seen on 11.1, and not on 11.0.
    id: 'MIG-DEF-43',
    title: 'expected-downtime is 2^63-1 as soon as the guest is stopped',
    from: [11, 1],
    to: stillThere,
  },
  {
    // Its thread lets go of the channel while the command shuts it down, some tenths of a second after a first pause where it sleeps
    // between pages. 1 in 20 to 1 in 60 tries on 5.2, 6.2 and 7.2; none of 60 on 4.2, 9.2 and 10.0, none of 180 on 8.2.
    id: 'MIG-DEF-55',
    title: 'migrate-pause while a postcopy that was paused is not yet postcopy-paused may kill the source',
    from: [5, 0],
    to: [8, 1],
    dies: {
      signals: ['SIGSEGV'],
      when: ({ out }, { pausesAgain }) => pausesAgain && ['postcopy-active', 'postcopy-paused'].includes(out.status),
    },
  },
  {
    // Seen on a 4.2 and a 5.2, and neither on a 6.2 nor on later ones.
    id: 'MIG-DEF-48',
    title: 'a primary of COLO that is told to quit as soon as its failover is over crashes on its way out',
    from: [4, 0],
    to: [6, 1],
    dies: {
      signals: ['SIGSEGV'],
      when: ({ out, capabilities, exits, exit }) =>
        out.status === 'completed' && capabilities.includes('x-colo') && (exits ?? exit) !== null,
    },
  },
  {
    // Seen on a 10.2.
    id: 'MIG-DEF-42',
    title: 'object-add of anonymous TLS credentials of a client kills the process',
    from: [10, 2],
    to: [10, 2],
  },
];
