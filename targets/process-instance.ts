/** An instance that is a process of ours. */
import { mkdirSync, rmSync } from 'node:fs';
import { readdir, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { type Address, formatAddress } from '../protocol/address.js';
import { hostClock } from '../protocol/clock.js';
import { ConnectError, DeadlinePassed } from '../protocol/errors.js';
import { afterFairTime, FairDeadline, type Starved } from '../protocol/fair-time.js';
import { stringifyJson } from '../protocol/json.js';
import { Session, type SessionOptions } from '../protocol/session.js';
import type { Transcript } from '../protocol/transcript.js';
import { type Launched, launch } from './launch.js';
import { starvedSession } from './processor-wait.js';
import { killGroup, theReaper } from './reaper.js';
import { SocketWatch } from './socket-watch.js';
import { StandardError } from './standard-error.js';
import { markOf } from './strays.js';
import {
  describeExit,
  type ExitStatus,
  hintOfEnd,
  type Instance,
  RefusedStart,
  type StartOptions,
  TargetError,
} from './target.js';

/** Where one monitor of the process is found. */
export type MonitorPlace = Address | { readonly kind: 'stdio' };

export interface ProcessPlan {
  readonly command: string;
  readonly args: readonly string[];
  /** It is started so often that it is worth loading once for all. */
  readonly often?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly monitors: readonly MonitorPlace[];
  readonly scratch: string;
  /** Milliseconds until the first monitor must accept a connection. */
  readonly readiness: number;
  /** Name of the guest by the arguments that are not ours. */
  readonly guest?: string | undefined;
  /** Milliseconds until the first answer must be here; {@link firstAnswer} when absent. */
  readonly patience?: number;
}

/** How sessions with the instance behave unless a connection asks otherwise. */
export type SessionDefaults = Required<Pick<SessionOptions, 'deadline' | 'interval'>>;

const keptStderr = 256 * 1024;

/** Why a program was not started, by the system's code. */
const whyNot: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program',
  EACCES: 'it is not executable',
  EMFILE: 'too many files are open (ulimit -n), or too much is tried side by side (--jobs)',
  EAGAIN: 'there are too many processes (ulimit -u), or too much is tried side by side (--jobs)',
};

/** Milliseconds after the end of a process within which the rest of its output must have come. */
const pipesDrain = 200;

/** The line of standard error that most likely tells why a process ended. */
function lastWord(stderr: string): string {
  const lines = stderr.trim().split('\n');
  // Node ends the report of an uncaught error with its own version, after the stack.
  const ofNode = /^Node\.js v/.test(lines.at(-1) ?? '') ? lines.find((line) => /^\w*Error\b/.test(line)) : undefined;
  return ofNode ?? lines.at(-1) ?? '';
}

/** Milliseconds in which a monitor that has just started must answer its first command, when it is the last try. */
export const firstAnswer = 2000;

/** How a start went wrong that a second one may put right: `mute` greets and does not answer, `gone` has ended. */
export type BadStart = 'mute' | 'gone';

/**
 * Hears the greeting and begins to talk, so that who comes first can go on. What is wrong with a monitor that can talk is for
 * the first requirement to say.
 */
async function firstWords(session: Session, patience: number): Promise<BadStart | undefined> {
  try {
    await session.greeting(patience);
  } catch {
    return session.ended ? 'gone' : undefined;
  }
  try {
    session.deadline = patience;
    await session.negotiate();
    return undefined;
  } catch (error) {
    return error instanceof DeadlinePassed ? 'mute' : 'gone';
  }
}

/**
 * Removes a folder and what is in it, with three calls where it holds a few sockets. Others need not wait while a file system
 * that is busy takes its time. Never throws.
 */
async function removeScratch(folder: string): Promise<void> {
  try {
    const names = await readdir(folder);
    await Promise.all(names.map((name) => unlink(join(folder, name))));
    await rmdir(folder);
  } catch {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

export class ProcessInstance implements Instance {
  readonly scratch: string;
  readonly pid: number;
  readonly starved: Starved | undefined;
  exit: ExitStatus | undefined;
  stderr = '';
  /**
   * What was wrong with the start: QEMU 7.2 greets and then does not answer once in some thousand starts, more often on a busy
   * machine. Two of its threads hear of the first client, and the one that comes second waits in accept, for good or until
   * another client connects. And a program may end in the moment in which it begins to listen. A fresh process does better.
   */
  badStart: BadStart | undefined;
  /** Milliseconds from the first connection to the first answer. */
  firstAnswerTook = 0;
  /** Called once the instance is gone for good. */
  onDispose: () => void = () => undefined;

  private transcript: Transcript | undefined;
  private endpoint = 'source';
  private readonly sessions = new Set<Session>();
  private readonly exitWaiters = new Set<(status: ExitStatus) => void>();
  private readonly told = new StandardError((line) => this.transcript?.add(this.endpoint, 'stderr', line));
  private stdioTaken = false;
  private kept: Session | undefined;

  private constructor(
    private readonly child: Launched,
    private readonly plan: ProcessPlan,
    readonly options: StartOptions,
    private readonly defaults: SessionDefaults,
  ) {
    this.scratch = plan.scratch;
    this.pid = child.pid;
    this.starved = starvedSession(child.pid);
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.hear(text));
    void child.closed.then((status) => this.drained(status));
    void child.exited.then((status) => {
      killGroup(this.pid);
      // Something that left the group may hold the pipes open, and their end would be waited for.
      setTimeout(() => void this.drained(status), pipesDrain).unref();
    });
  }

  /** Starts the process and waits until its first monitor accepts. @throws TargetError */
  static async start(plan: ProcessPlan, options: StartOptions, defaults: SessionDefaults): Promise<ProcessInstance> {
    mkdirSync(plan.scratch, { recursive: true, mode: 0o700 });
    const child = await launch(plan.command, plan.args, {
      env: { ...process.env, ...plan.env, ...markOf(theReaper().root) },
      cwd: plan.scratch,
      stdio: plan.monitors.some((place) => place.kind === 'stdio'),
      ...(plan.often ? { often: true } : {}),
    }).catch((error: NodeJS.ErrnoException) => {
      rmSync(plan.scratch, { recursive: true, force: true });
      const { code, message } = error;
      throw new TargetError(`cannot start ${plan.command}: ${whyNot[code ?? ''] ?? message}`);
    });
    const instance = new ProcessInstance(child, plan, options, defaults);
    try {
      await instance.ready();
    } catch (error) {
      await instance.dispose();
      throw error;
    }
    return instance;
  }

  get commandLine(): readonly string[] {
    return [this.plan.command, ...this.plan.args];
  }

  /** See {@link Launched}. */
  get copiedLate(): boolean {
    return this.child.copiedLate ?? false;
  }

  get monitors(): number {
    return this.plan.monitors.length;
  }

  private hear(text: string): void {
    this.stderr = (this.stderr + text).slice(-keptStderr);
    this.told.hear(text);
  }

  /** What it said before its end may still wait in its connections: the end is told after that. */
  private async drained(status: ExitStatus): Promise<void> {
    const open = [...this.sessions].filter((session) => !session.ended);
    await Promise.all(open.map((session) => session.eof(pipesDrain).catch(() => undefined)));
    this.ended(status);
  }

  private ended(status: ExitStatus): void {
    if (this.exit !== undefined) return;
    this.exit = status;
    theReaper().died(this.pid);
    this.told.end();
    this.transcript?.add(this.endpoint, 'exited', describeExit(status));
    for (const waiter of [...this.exitWaiters]) waiter(status);
  }

  /** Waits until the socket exists and is listened on; the socket file appears a moment before the listener. */
  private async ready(): Promise<void> {
    const place = this.plan.monitors[0];
    if (place === undefined || place.kind === 'stdio') return;
    const until = new FairDeadline(hostClock, this.plan.readiness, this.starved);
    const watch = new SocketWatch(place.kind === 'unix' ? this.scratch : undefined);
    this.exitWaiters.add(watch.wake);
    try {
      const session = await watch.connects(
        () => Session.connect(place, { starting: true, ...this.optionsFor('source') }),
        () => this.stillStarts(place, until),
        place.kind === 'unix' ? place.path : undefined,
      );
      const began = performance.now();
      if (!this.options.held) this.badStart = await firstWords(session, this.plan.patience ?? firstAnswer);
      this.firstAnswerTook = performance.now() - began;
      if (this.badStart === undefined && session.orderly) {
        this.sessions.add(session);
        this.keep(session);
      } else session.close();
    } finally {
      this.exitWaiters.delete(watch.wake);
      watch.close();
    }
    // One that closed the connection may be on its way out. If it is not, that is how it talks.
    if (this.badStart === 'gone') await this.exited(2 * pipesDrain).catch(() => (this.badStart = undefined));
  }

  /** @throws TargetError, NotOffered */
  private stillStarts(place: Address, until: FairDeadline): void {
    if (this.exit !== undefined) throw this.failedStart(this.exit);
    if (!until.passed) return;
    const heard = lastWord(this.stderr);
    throw new TargetError(
      `${this.plan.command} started, but nothing listened at ${formatAddress(place)} within ${Math.round(until.length)} ms: ` +
        'it must wait for connections there (in QEMU server=on,wait=off and no reconnect)' +
        (heard === '' ? '' : `; its last words: ${heard}`),
    );
  }

  /** A program that leaves over arguments of a requirement's own does not offer what they ask for. */
  failedStart(exit: ExitStatus, when = 'before its monitor listened'): Error {
    const heard = lastWord(this.stderr);
    const said = heard === '' ? '' : `: ${heard}`;
    const { extra = [], monitors = [] } = this.options;
    if (monitors.some(({ oob }) => oob) && heard.includes('x-oob')) {
      return new RefusedStart(`its monitors have no option x-oob${said}`);
    }
    if (extra.length > 0 && exit.signal === null && exit.code !== 0) {
      // The folder has another name in each run, and tells a reader nothing.
      return new RefusedStart(`it does not start with ${extra.join(' ')}${said}`.replaceAll(`${this.scratch}/`, ''));
    }
    return new TargetError(`${this.plan.command} ended ${when} (${describeExit(exit)})${said}${hintOfEnd(exit)}`);
  }

  record(transcript: Transcript, endpoint: string): void {
    this.transcript = transcript;
    this.endpoint = endpoint;
    this.told.anew();
    const { guest } = this.plan;
    transcript.add(
      endpoint,
      'started',
      stringifyJson({ ...this.options, ...(guest === undefined ? {} : { name: guest }) }),
    );
  }

  async connect(options: { monitor?: number; deadline?: number } = {}): Promise<Session> {
    const index = options.monitor ?? 0;
    const place = this.plan.monitors[index];
    if (place?.kind === 'stdio' && this.stdioTaken) {
      throw new ConnectError('stdio', 'EBUSY', 'standard input and output serve one connection only');
    }
    if (place === undefined)
      throw new Error(`the instance has ${this.monitors} monitors; number ${index + 1} was asked for`);
    // A monitor serves one client at a time.
    if (index === 0) this.letGo();
    const endpoint = index === 0 ? this.endpoint : `${this.endpoint}#${index + 1}`;
    const sessionOptions = this.optionsFor(endpoint, options.deadline);
    let session: Session;
    if (place.kind === 'stdio') {
      this.stdioTaken = true;
      const { input, output } = this.child.stdio as NonNullable<Launched['stdio']>;
      const stream = Duplex.from({ readable: output, writable: input });
      session = Session.over(stream, 'stdio', sessionOptions);
    } else {
      session = await Session.connect(place, sessionOptions);
    }
    this.sessions.add(session);
    return session;
  }

  private optionsFor(endpoint: string, deadline = this.defaults.deadline): SessionOptions {
    const { defaults, transcript, starved } = this;
    return {
      ...defaults,
      endpoint,
      deadline,
      ...(transcript === undefined ? {} : { transcript }),
      ...(starved === undefined ? {} : { starved }),
    };
  }

  keep(session: Session): void {
    this.letGo();
    session.rest();
    this.kept = session;
  }

  resume(): Session | undefined {
    const former = this.kept;
    if (former === undefined) return undefined;
    this.kept = undefined;
    this.sessions.delete(former);
    const session = Session.after(former, this.optionsFor(this.endpoint));
    if (session !== undefined) this.sessions.add(session);
    return session;
  }

  letGo(): void {
    this.kept?.close();
    this.kept = undefined;
  }

  exited(deadline: number): Promise<ExitStatus> {
    if (this.exit !== undefined) return Promise.resolve(this.exit);
    return new Promise((resolve, reject) => {
      const done = (status: ExitStatus) => {
        cancel();
        this.exitWaiters.delete(done);
        resolve(status);
      };
      const late = (length: number) => {
        this.exitWaiters.delete(done);
        reject(new DeadlinePassed('end of the process', length));
      };
      const cancel = afterFairTime(hostClock, deadline, late, this.starved);
      this.exitWaiters.add(done);
    });
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    if (this.exit === undefined) this.child.kill(signal);
  }

  async dispose(): Promise<void> {
    for (const session of this.sessions) session.close();
    this.sessions.clear();
    if (this.exit === undefined) {
      // SIGKILL: nothing of a test instance is worth an orderly end, and a wedged one would not answer SIGTERM.
      killGroup(this.pid);
      await this.exited(5000).catch(() => undefined);
    }
    this.child.release();
    await removeScratch(this.scratch);
    this.onDispose();
  }
}
