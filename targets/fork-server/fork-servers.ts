/**
 * Programs that are started again and again are loaded once: dynamic linking is most of what a start of QEMU costs. After the
 * first few starts a process waits right behind that (server.c), and each further one is a copy of it. Everything of its own,
 * and of the libraries, still lies before a copy: it runs as one that was started in the ordinary way.
 */
import { closeSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { hostClock } from '../../protocol/clock.js';
import type { DescriptorPassing } from '../../protocol/descriptor-passing.js';
import { afterFairTime } from '../../protocol/fair-time.js';
import { starvedSession } from '../processor-wait.js';
import { killGroup, theReaper } from '../reaper.js';
import { forkServerCode } from './server-code.js';

/** What is to be started, and with what; `streams` are the descriptors that become its standard ones. */
export interface ToStart {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** `NAME=VALUE`. */
  readonly variables: readonly string[];
  readonly streams: readonly [number, number, number];
}

/** Starts a process in a session of its own, and resolves to its id. @throws Error with the system's code */
export type Spawn = (what: ToStart) => Promise<number>;

/** The id of a copy; `late`: none came in time, and none will be asked for again; undefined: there is none to be had. */
export type Forked = number | 'late' | undefined;

/** Milliseconds that a copy, which takes two or three, may take. */
const usualPatience = 2000;

/** Starts in the ordinary way before a server is worth its own. */
const ordinaryStarts = 2;

/**
 * The server's arguments, over which those of the copies are written: as many as there are variables, and eighty. With the
 * first, a program that is no server ends at once.
 */
const roomFor = (variables: number): string[] => [
  '--version',
  ...new Array<string>(variables + 80).fill('-'.repeat(60)),
];

/** More than this is more than server.c takes. */
const longestRequest = 16384;

export class ForkServers {
  private readonly starts = new Map<string, number>();
  private readonly servers = new Map<string, ForkServer>();
  private library: string | undefined;

  constructor(
    private readonly spawn: Spawn,
    private readonly passing: DescriptorPassing,
    private readonly patience = usualPatience,
  ) {}

  /** The id of the process; something else where it has to be started in the ordinary way. */
  async start(what: ToStart): Promise<Forked> {
    const key = [what.command, ...what.variables].join('\0');
    const before = this.starts.get(key) ?? 0;
    this.starts.set(key, before + 1);
    if (before === ordinaryStarts) {
      // One that cannot be had costs nothing but time.
      await this.begin(what).then(
        (server) => server !== undefined && this.servers.set(key, server),
        () => undefined,
      );
    }
    return this.servers.get(key)?.fork(what);
  }

  private async begin({ command, variables }: ToStart): Promise<ForkServer | undefined> {
    if (variables.some((one) => one.startsWith('LD_PRELOAD=')) || !isProgramForUs(command)) return undefined;
    const cwd = theReaper().folder();
    mkdirSync(cwd, { recursive: true, mode: 0o700 });
    if (this.library === undefined) {
      const library = join(cwd, 'fork-server.so');
      // Such a name would be taken for several.
      if (/[\s:]/.test(library)) return undefined;
      writeFileSync(library, Buffer.from(forkServerCode, 'base64'), { mode: 0o600 });
      this.library = library;
    }
    const [ours, its] = this.passing.socketPair();
    const nowhere = openSync('/dev/null', 'r+');
    try {
      const streams = [its, nowhere, nowhere] as const;
      const preloading = [...variables, `LD_PRELOAD=${this.library}`];
      theReaper().starting();
      let pid: number | undefined;
      try {
        pid = await this.spawn({ command, args: roomFor(variables.length), cwd, variables: preloading, streams });
      } finally {
        theReaper().born(pid);
      }
      return new ForkServer(pid, ours, this.passing, this.patience);
    } catch (error) {
      closeSync(ours);
      throw error;
    } finally {
      closeSync(its);
      closeSync(nowhere);
    }
  }
}

/** A process that makes copies of itself. It ends with us: its input does. */
class ForkServer {
  private readonly socket: Socket;
  /** Who is told the next id. */
  private told: ((answer: Forked) => void) | undefined;
  private state: 'starts' | 'ready' | 'gone' = 'starts';
  /** One request follows the answer to the other. */
  private turn: Promise<unknown> = Promise.resolve();
  private heard = Buffer.alloc(0);

  constructor(
    private readonly pid: number,
    private readonly descriptor: number,
    private readonly passing: DescriptorPassing,
    private readonly patience: number,
  ) {
    this.socket = new Socket({ fd: descriptor, readable: true, writable: false });
    this.socket.on('data', (bytes: Buffer) => this.hear(bytes));
    this.socket.on('error', () => undefined).on('close', () => this.end());
    this.socket.unref();
  }

  /** The id of a copy that goes on as this process. */
  fork(what: ToStart): Promise<Forked> {
    if (this.state !== 'ready') return Promise.resolve(undefined);
    const answer = this.turn.then(() => this.ask(what));
    this.turn = answer;
    return answer;
  }

  private async ask({ command, args, cwd, streams }: ToStart): Promise<Forked> {
    const texts = Buffer.from(`${[cwd, command, ...args].join('\0')}\0`);
    const request = Buffer.alloc(4 + texts.length);
    request.writeUInt32LE(request.length);
    texts.copy(request, 4);
    if (request.length > longestRequest || this.state !== 'ready') return undefined;
    const answered = new Promise<Forked>((resolve) => (this.told = resolve));
    this.socket.ref();
    if (!this.send(request, streams)) this.end();
    const inTime = afterFairTime(hostClock, this.patience, () => this.giveUp(), starvedSession(this.pid));
    const answer = await answered;
    inTime();
    this.socket.unref();
    return typeof answer === 'number' && answer <= 0 ? undefined : answer;
  }

  /** It hangs. A copy that it has begun to make may still tell its id, until nobody holds the other end any more. */
  private giveUp(): void {
    this.state = 'gone';
    killGroup(this.pid);
    theReaper().died(this.pid);
    this.tell('late');
  }

  private tell(answer: Forked): void {
    this.told?.(answer);
    this.told = undefined;
  }

  /** There is room for one request: what does not take it whole is out of order. */
  private send(request: Buffer, streams: readonly number[]): boolean {
    try {
      return this.passing.send(this.descriptor, request, streams) === request.length;
    } catch {
      return false;
    }
  }

  private hear(bytes: Buffer): void {
    this.heard = Buffer.concat([this.heard, bytes]);
    if (this.heard.length < 4) return;
    const answer = this.heard.readInt32LE(0);
    this.heard = this.heard.subarray(4);
    if (this.state === 'starts') this.state = 'ready';
    // Another was started in its place.
    if (this.state === 'gone' && answer > 0) killGroup(answer);
    this.tell(answer);
  }

  private end(): void {
    if (this.state === 'gone') return;
    this.state = 'gone';
    this.socket.destroy();
    killGroup(this.pid);
    theReaper().died(this.pid);
    this.tell(undefined);
  }
}

/** Whether it is a program for the machine that the server is made for. A script's interpreter has other arguments. */
function isProgramForUs(command: string): boolean {
  const head = Buffer.alloc(20);
  const file = openSync(command, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  return head.readUInt32BE(0) === 0x7f454c46 && head[4] === 2 && head.readUInt16LE(18) === 62;
}
