/** Values for commands in scenarios: legal ones mostly, from the dialect's own tables. */
import type { Dialect } from '../../reference/dialects/dialect.js';
import { migrationStatuses } from '../../reference/model/index.js';
import type { Tape } from './tape.js';

/** Capabilities that change what can be seen without needing a peer that knows them. */
const tame = [
  'xbzrle',
  'auto-converge',
  'return-path',
  'pause-before-switchover',
  'release-ram',
  'late-block-activate',
];

/** One capability to a state; `events` more often than others, because it shows the most. */
export function capability(tape: Tape, dialect: Dialect): { capability: string; state: boolean } {
  const names = tame.filter((name) => dialect.migration.capabilities.includes(name));
  const name = tape.weighted([
    [3, 'events'],
    [3, 'pause-before-switchover'],
    [2, 'return-path'],
    [4, tape.pick(names)],
  ]);
  return { capability: name, state: tape.chance(65) };
}

/** A parameter with a value that is legal mostly. Bandwidth stays high enough for a scenario to end. */
export function parameters(tape: Tape): Record<string, unknown> {
  return tape.pick<() => Record<string, unknown>>([
    () => ({ 'max-bandwidth': tape.pick([0, 10_000_000, 2 ** 30, 2 ** 40]) }),
    () => ({ 'downtime-limit': tape.pick([0, 1, 300, 2_000_000, 2_000_001, -1]) }),
    () => ({ 'cpu-throttle-initial': tape.pick([1, 20, 99, 0, 100]) }),
    () => ({ 'cpu-throttle-increment': tape.pick([1, 10, 99, 0]) }),
    () => ({ 'max-cpu-throttle': tape.pick([99, 20, 5, 100]) }),
    () => ({ 'xbzrle-cache-size': tape.pick([4096, 65536, 67108864, 5000, 0]) }),
    () => ({ 'tls-hostname': tape.pick(['', 'example', null]) }),
    () => ({ 'max-postcopy-bandwidth': tape.pick([0, 1, 2 ** 33]) }),
    () => ({ 'x-checkpoint-delay': tape.pick([0, 200, 4_294_967_295]) }),
    () => ({}),
  ])();
}

export const anyStatus = (tape: Tape): string => tape.pick(migrationStatuses);

/** URIs that no migration can begin with, or that fail at once; nothing of it leaves this machine. */
export const badUri = (tape: Tape): string =>
  tape.pick([
    'unix:{channel none}',
    'qmpspec:nothing',
    '',
    'tcp:127.0.0.1:1',
    'tcp:127.0.0.1',
    'fd:qmpspec-none',
    'TCP:127.0.0.1:1',
    'defer',
  ]);

/** The same for those who listen: where no port is free to everybody, any port that the system has is. */
export const placeToListen = (tape: Tape): string => badUri(tape).replace(/:1$/, ':0');
