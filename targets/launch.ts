/**
 * Starting a process. Node forks for it, which copies the tables of all our memory and stops us until the program is loaded:
 * some 7 ms of processor time and 20 of standstill where we have 300 MB, and later a fault for each page that is written.
 * Where the C library can be called, posix_spawn does it, which shares the memory instead, on another thread: a quarter of
 * the one, and nothing of the other.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { isMainThread } from 'node:worker_threads';
import { descriptorPassing } from '../protocol/descriptor-passing.js';
import { nativeCalls } from '../protocol/native.js';
import { bindSpawn, type SpawnCalls } from './posix-spawn.js';
import { theReaper } from './reaper.js';
import type { ExitStatus } from './target.js';

/** A process that was started: it leads a group and a session of its own. */
export interface Launched {
  readonly pid: number;
  readonly stderr: Readable;
  /** Its standard input and output where they were asked for; otherwise it can read nothing, and what it prints is dropped. */
  readonly stdio?: { readonly input: Writable; readonly output: Readable };
  /** It was to be a copy of one that was loaded before, which did not come in time: it was started in the ordinary way. */
  readonly copiedLate?: boolean;
  /** The process has ended. */
  readonly exited: Promise<ExitStatus>;
  /** … and its output has ended, which something that it started may still hold open. */
  readonly closed: Promise<ExitStatus>;
  /** Sends it a signal, unless it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Lets go of the pipes. */
  release(): void;
}

export interface LaunchOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard input and output are wanted. */
  readonly stdio: boolean;
  /** The same program is started again and again: it may be loaded once for all of them. */
  readonly often?: boolean;
}

export type Launch = (command: string, args: readonly string[], options: LaunchOptions) => Promise<Launched>;

let chosen: Promise<Launch> | undefined;

/** Starts a program by its absolute path, and has it ended if we are. @throws Error with the system's code (ENOENT, EACCES …) */
export const launch: Launch = async (command, args, options) => {
  // Signals, by which the end of a process is learned, go to the main thread.
  chosen ??= isMainThread
    ? Promise.all([nativeCalls(), descriptorPassing()]).then((calls) => nativeLaunch(bindSpawn(...calls)))
    : Promise.resolve(launchByNode);
  return (await chosen)(command, args, options);
};

export function nativeLaunch(calls: SpawnCalls | undefined): Launch {
  if (calls === undefined) return launchByNode;
  // What the C library would cut off at a zero byte, Node refuses.
  return async (command, args, options) =>
    [command, ...args].some((word) => word.includes('\0'))
      ? launchByNode(command, args, options)
      : calls.start(command, args, options);
}

export const launchByNode: Launch = async (command, args, { cwd, env, stdio }) => {
  theReaper().starting();
  const child = spawn(command, [...args], {
    stdio: ['pipe', stdio ? 'pipe' : 'ignore', 'pipe'],
    env,
    cwd,
    detached: true,
  });
  theReaper().born(child.pid);
  // Heard from the start: a program may end at once.
  const ended = (event: 'exit' | 'close') =>
    new Promise<ExitStatus>((resolve) => child.once(event, (code, signal) => resolve({ code, signal })));
  const [exited, closed] = [ended('exit'), ended('close')];
  child.stdin?.on('error', () => undefined);
  await once(child, 'spawn');
  return {
    pid: child.pid as number,
    stderr: child.stderr as Readable,
    ...(child.stdout === null || child.stdin === null ? {} : { stdio: { input: child.stdin, output: child.stdout } }),
    exited,
    closed,
    kill: (signal) => void child.kill(signal),
    release: () => {
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    },
  };
};
