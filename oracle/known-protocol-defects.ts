/** Known defects of released monitors in the protocol itself (qmp-protocol.md §16), as data. */
import type { KnownDefect } from './known-defect.js';
import { fixedBy42, fixedBy72, stillThere } from './known-defect-releases.js';

export const protocolDefects: readonly KnownDefect[] = [
  {
    id: 'QMP-BUG-01',
    title: 'a command without an id that does not fit the queue aborts the process',
    from: [3, 0],
    to: [3, 1],
  },
  {
    id: 'QMP-BUG-02',
    title: 'cont in pre-switchover aborts the process once the migration completes',
    from: [3, 0],
    to: fixedBy42,
  },
  {
    id: 'QMP-BUG-03',
    title: 'system_reset in pre-switchover aborts the process once the migration completes',
    from: [3, 0],
    to: fixedBy42,
  },
  {
    id: 'QMP-BUG-04',
    title: 'a monitor that offers oob can be dead after a client left it with commands unread',
    from: [3, 0],
    to: fixedBy72,
  },
  {
    id: 'QMP-BUG-05',
    title: 'an id with a number of too large magnitude is returned as inf, which is not JSON',
    from: [3, 0],
    to: stillThere,
  },
  {
    id: 'QMP-BUG-06',
    title: 'surrogate pairs and NUL characters in strings are damaged',
    from: [3, 0],
    to: [3, 0],
  },
  {
    id: 'QMP-BUG-07',
    title: 'commands pipelined behind quit are answered, and the process aborts while it ends',
    from: [5, 2],
    to: [5, 2],
    crash: /aio_ctx_finalize: Assertion `flags & BH_DELETED' failed/,
  },
  {
    // Seen on a 4.2; neither on the baseline nor on a 5.2.
    id: 'QMP-BUG-08',
    title: 'a closing brace too many does not end a message while a list is open in it',
    from: [3, 1],
    to: [5, 1],
  },
  {
    // Seen on a 4.2; neither on the baseline nor on a 5.2.
    id: 'QMP-BUG-09',
    title: 'system_reset and quit in pre-switchover are answered, and wait until the migration goes on',
    from: [3, 1],
    to: [5, 1],
  },
  {
    // Its two threads both learn that the former client has gone, the one as it reads and the other as it answers, and the second
    // to do so ends the connection that there is by then. Seen on a 6.2 and a 10.1, once in a thousand tries or less.
    id: 'QMP-BUG-10',
    title: 'a client that comes right after one that left with replies on their way is sent away without a greeting',
    from: [6, 2],
    to: stillThere,
  },
];
