/** Starting processes with posix_spawn of the C library, and learning of their end by SIGCHLD. */
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { DescriptorPassing } from '../protocol/descriptor-passing.js';
import type { Koffi } from '../protocol/native.js';
import { ForkServers, type Spawn } from './fork-server/fork-servers.js';
import type { Launch, Launched } from './launch.js';
import { theReaper } from './reaper.js';
import type { ExitStatus } from './target.js';

/** More than `posix_spawnattr_t` (336 bytes) and `posix_spawn_file_actions_t` (80) need in any C library. */
const opaque = 512;
/** The signals 1 to 31 as a `sigset_t`: we ignore some, and a program must not begin so. */
const ordinarySignals = Buffer.alloc(128).fill(Buffer.from([0xff, 0xff, 0xff, 0x7f]), 0, 4);
const [setSignalDefaults, setSession] = [0x04, 0x80];
const [afUnix, sockStream, sockCloexec] = [1, 1, 0o2000000];
const noWait = 1;

// A number with two names has its usual one first.
const signalNames = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name as NodeJS.Signals]),
);

export interface SpawnCalls {
  readonly start: Launch;
}

/**
 * Undefined where the C library lacks something of it.
 * @param passing with it, what is started often is loaded once
 * @param patience milliseconds that a copy of what is loaded once may take; the usual ones when absent
 */
export function bindSpawn(
  koffi: Koffi | undefined,
  passing?: DescriptorPassing,
  patience?: number,
): SpawnCalls | undefined {
  if (koffi === undefined) return undefined;
  try {
    return bind(koffi, passing, patience);
  } catch {
    return undefined;
  }
}

function bind(koffi: Koffi, passing: DescriptorPassing | undefined, patience: number | undefined): SpawnCalls {
  const library = koffi.load(null);
  const posixSpawn = library.func('posix_spawn', 'int', ['void *', 'str', 'void *', 'void *', 'str *', 'str *']);
  const initActions = library.func('posix_spawn_file_actions_init', 'int', ['void *']);
  const dup = library.func('posix_spawn_file_actions_adddup2', 'int', ['void *', 'int', 'int']);
  const chdir = library.func('posix_spawn_file_actions_addchdir_np', 'int', ['void *', 'str']);
  const destroyActions = library.func('posix_spawn_file_actions_destroy', 'int', ['void *']);
  const initAttributes = library.func('posix_spawnattr_init', 'int', ['void *']);
  const setFlags = library.func('posix_spawnattr_setflags', 'int', ['void *', 'short']);
  const setDefaults = library.func('posix_spawnattr_setsigdefault', 'int', ['void *', 'void *']);
  const socketpair = library.func('socketpair', 'int', ['int', 'int', 'int', 'void *']);
  const waitpid = library.func('waitpid', 'int', ['int', 'void *', 'int']);

  const attributes = Buffer.alloc(opaque);
  check('posix_spawnattr_init', initAttributes(attributes));
  check('posix_spawnattr_setflags', setFlags(attributes, setSignalDefaults | setSession));
  check('posix_spawnattr_setsigdefault', setDefaults(attributes, ordinarySignals));
  const nowhere = openSync('/dev/null', 'r+');
  const ends = new Ends((pid, status) => waitpid(pid, status, noWait));

  /** Our end and the one of the process; both are closed in other programs that we start. */
  const pair = (): [number, number] => {
    const both = Buffer.alloc(8);
    if (socketpair(afUnix, sockStream | sockCloexec, 0, both) !== 0) check('socketpair', koffi.errno());
    return [both.readInt32LE(0), both.readInt32LE(4)];
  };

  const spawn: Spawn = async ({ command, args, cwd, variables, streams }) => {
    const actions = Buffer.alloc(opaque);
    check('posix_spawn_file_actions_init', initActions(actions));
    try {
      for (const [number, stream] of streams.entries()) {
        check('posix_spawn_file_actions_adddup2', dup(actions, stream, number));
      }
      check('posix_spawn_file_actions_addchdir_np', chdir(actions, cwd));
      const id = Buffer.alloc(4);
      // On another thread: this one would stand still until the program is loaded.
      const error = await new Promise<number>((resolve, reject) => {
        posixSpawn.async(
          ...[id, command, actions, attributes, [command, ...args, null], [...variables, null]],
          (failure: Error | null, result: number) => (failure === null ? resolve(result) : reject(failure)),
        );
      });
      check('posix_spawn', error);
      return id.readInt32LE(0);
    } finally {
      destroyActions(actions);
    }
  };
  const servers = passing === undefined ? undefined : new ForkServers(spawn, passing, patience);

  return {
    start: async (command, args, { cwd, env, stdio, often = false }) => {
      const ours: number[] = [];
      const theirs: number[] = [];
      const stream = (): number => {
        const [mine, its] = pair();
        ours.push(mine);
        theirs.push(its);
        return its;
      };
      let pid: number | undefined;
      let copiedLate = false;
      try {
        const streams = [stream(), stdio ? stream() : nowhere, stream()] as const;
        const variables = Object.entries(env).flatMap(([name, value]) =>
          value === undefined ? [] : `${name}=${value}`,
        );
        const what = { command, args, cwd, variables, streams };
        theReaper().starting();
        try {
          const copy = often ? await servers?.start(what) : undefined;
          copiedLate = copy === 'late';
          pid = typeof copy === 'number' ? copy : await spawn(what);
        } finally {
          theReaper().born(pid);
        }
      } catch (error) {
        for (const descriptor of ours) closeSync(descriptor);
        throw error;
      } finally {
        for (const descriptor of theirs) closeSync(descriptor);
      }
      return { ...launched(pid, ends.of(pid), ours), copiedLate };
    },
  };
}

/** @param ours our ends of standard input, of standard output if it was asked for, and of standard error */
function launched(pid: number, exited: Promise<ExitStatus>, ours: readonly number[]): Launched {
  const [first, ...rest] = ours as [number, ...number[]];
  const readers = rest.map((fd) => new Socket({ fd, readable: true, writable: false }));
  const over = readers.map(
    (reader) => new Promise<void>((resolve) => reader.once('close', () => resolve()).on('error', () => undefined)),
  );
  // Nobody writes to an input that was not asked for: it only has to stay open.
  const input =
    readers.length < 2
      ? undefined
      : new Socket({ fd: first, readable: false, writable: true }).on('error', () => undefined);
  let held = input === undefined;
  let lives = true;
  // What nobody has begun to read is of interest to nobody, and its end is awaited.
  void exited.then(() => {
    lives = false;
    for (const reader of readers) if (reader.readableFlowing === null) reader.resume();
  });
  return {
    pid,
    stderr: readers.at(-1) as Socket,
    ...(input === undefined ? {} : { stdio: { input, output: readers[0] as Socket } }),
    exited,
    closed: Promise.all([exited, ...over]).then(([status]) => status),
    kill: (signal) => {
      if (lives) process.kill(pid, signal);
    },
    release: () => {
      input?.destroy();
      for (const reader of readers) reader.destroy();
      if (held) closeSync(first);
      held = false;
    },
  };
}

/** The ends of processes: asked of the system, for each of ours, when it says that some child has ended. */
class Ends {
  private readonly waiting = new Map<number, (status: ExitStatus) => void>();
  private readonly status = Buffer.alloc(4);
  /** What we wait for keeps us alive. */
  private alive: NodeJS.Timeout | undefined;
  private listens = false;

  constructor(private readonly ask: (pid: number, status: Buffer) => number) {}

  of(pid: number): Promise<ExitStatus> {
    if (!this.listens) process.on('SIGCHLD', () => this.look());
    this.listens = true;
    this.alive ??= setInterval(() => this.look(), 0x7fffffff);
    const end = new Promise<ExitStatus>((resolve) => this.waiting.set(pid, resolve));
    // It may have been told before we knew the process.
    this.look();
    return end;
  }

  private look(): void {
    for (const [pid, resolve] of this.waiting) {
      const answer = this.ask(pid, this.status);
      if (answer === 0) continue;
      this.waiting.delete(pid);
      resolve(answer === pid ? statusOf(this.status.readInt32LE(0)) : { code: null, signal: null });
    }
    if (this.waiting.size > 0) return;
    clearInterval(this.alive);
    this.alive = undefined;
  }
}

function statusOf(status: number): ExitStatus {
  const signal = status & 0x7f;
  return signal === 0
    ? { code: (status >> 8) & 0xff, signal: null }
    : { code: null, signal: signalNames.get(signal) ?? 'SIGKILL' };
}

/** @throws Error with the system's code */
function check(call: string, error: number): void {
  if (error === 0) return;
  const code = getSystemErrorName(-error);
  throw Object.assign(new Error(`${call}: ${code}`), { code });
}
