/** A reference monitor inside this process. */
import { ConnectError, DeadlinePassed } from '../../protocol/errors.js';
import { stringifyJson } from '../../protocol/json.js';
import { Session } from '../../protocol/session.js';
import type { Transcript } from '../../protocol/transcript.js';
import type { Planted } from '../../reference/faults/index.js';
import { socketChannel } from '../../reference/monitor/endpoint.js';
import { type Environment, hostEnvironment } from '../../reference/monitor/environment.js';
import type { Options } from '../../reference/monitor/options.js';
import { type Parts, Program } from '../../reference/monitor/program.js';
import type { Channel } from '../../reference/monitor/session.js';
import { programName } from '../../reference/monitor/standard-error.js';
import { describeExit, type ExitStatus, type Instance, type StartOptions, TargetError } from '../target.js';
import { born, died } from './crashes.js';
import { type Carrier, PipeEnd } from './pipe.js';
import type { World } from './world.js';

const keptStderr = 256 * 1024;

/** One line; an error that an honest monitor never lets out brings its stack. */
const words = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

export interface InProcessSettings {
  readonly options: StartOptions;
  readonly parsed: Options;
  readonly scratch: { readonly path: string; remove(): void };
  readonly planted: Planted | undefined;
  /** Milliseconds for replies. */
  readonly deadline: number;
}

export class InProcessInstance implements Instance {
  readonly scratch: string;
  readonly options: StartOptions;
  exit: ExitStatus | undefined;
  stderr = '';
  /** Called once the instance is gone for good. */
  onDispose: () => void = () => undefined;

  private readonly program: Program;
  private readonly carrier: Carrier;
  private readonly attachments: ((channel: Channel) => void)[] = [];
  private readonly sessions = new Set<Session>();
  private readonly pipes = new Set<PipeEnd>();
  private readonly exitWaiters = new Set<(status: ExitStatus) => void>();
  private transcript: Transcript | undefined;
  private endpoint = 'source';

  private constructor(
    private readonly settings: InProcessSettings,
    private readonly world: World,
  ) {
    this.scratch = settings.scratch.path;
    this.options = settings.options;
    this.carrier = () => {
      const lane = world.carrier();
      return (arrival) => lane(() => this.guard(arrival));
    };
    const leave = (code: number) => this.ended({ code, signal: null });
    this.program = new Program(settings.parsed, leave, settings.planted, this.environment());
    born(this);
  }

  /** @throws TargetError when it ended before it could be talked to */
  static async start(settings: InProcessSettings, world: World, parts: Parts): Promise<InProcessInstance> {
    const instance = new InProcessInstance(settings, world);
    try {
      await instance.program.start(() => Promise.resolve(parts));
    } catch (error) {
      await instance.dispose();
      throw new TargetError(`the reference in this process did not start: ${(error as Error).message}`);
    }
    return instance;
  }

  private environment(): Environment {
    const { clock, network, wallClock, readImage, ramMemory } = this.world;
    return {
      ...hostEnvironment,
      clock: {
        now: () => clock.now(),
        after: (ms, callback) => clock.after(ms, () => this.guard(callback)),
        soon: (callback) => clock.soon(() => this.guard(callback)),
      },
      ...(network === undefined ? {} : { network }),
      ...(wallClock === undefined ? {} : { wallClock }),
      ...(readImage === undefined ? {} : { readImage }),
      ...(ramMemory === undefined ? {} : { ramMemory }),
      openEndpoint: async (_address, _option, _remote, attach) => {
        this.attachments.push(attach);
        return { ready: Promise.resolve(), close: () => undefined };
      },
      log: (line) => this.hear(`${programName}: ${line}`),
      keepAlive: () => () => undefined,
    };
  }

  private guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.crash(error);
    }
  }

  /** An error that nothing caught: the end of the monitor. */
  crash(error: unknown): void {
    if (this.exit !== undefined) return;
    for (const line of words(error).split('\n')) this.hear(line);
    this.die('SIGABRT');
  }

  private die(signal: NodeJS.Signals): void {
    if (this.exit !== undefined) return;
    this.program.kill();
    for (const pipe of this.pipes) pipe.destroy();
    this.ended({ code: null, signal });
  }

  get monitors(): number {
    return this.attachments.length;
  }

  private hear(line: string): void {
    this.stderr = `${this.stderr}${line}\n`.slice(-keptStderr);
    this.transcript?.add(this.endpoint, 'stderr', line);
  }

  private ended(status: ExitStatus): void {
    if (this.exit !== undefined) return;
    this.exit = status;
    died(this);
    // What the monitor has written last arrives before the news of its end.
    this.world.clock.soon(() => {
      this.transcript?.add(this.endpoint, 'exited', describeExit(status));
      for (const waiter of [...this.exitWaiters]) waiter(status);
    });
  }

  record(transcript: Transcript, endpoint: string): void {
    this.transcript = transcript;
    this.endpoint = endpoint;
    transcript.add(endpoint, 'started', stringifyJson(this.options));
  }

  async connect(options: { monitor?: number; deadline?: number } = {}): Promise<Session> {
    const index = options.monitor ?? 0;
    const attach = this.attachments[index];
    if (attach === undefined)
      throw new Error(`the instance has ${this.monitors} monitors; number ${index + 1} was asked for`);
    const address = `in-process:${index + 1}`;
    if (this.exit !== undefined) throw new ConnectError(address, 'ECONNREFUSED', 'the monitor has ended');
    const [client, server] = PipeEnd.pair(this.carrier);
    this.pipes.add(server);
    server.once('close', () => this.pipes.delete(server));
    const seen = this.world.between?.(client, this.options) ?? client;
    const session = Session.over(seen, address, {
      endpoint: index === 0 ? this.endpoint : `${this.endpoint}#${index + 1}`,
      deadline: options.deadline ?? this.settings.deadline,
      clock: this.world.clock,
      ...(this.transcript === undefined ? {} : { transcript: this.transcript }),
      ...(this.world.numbers === undefined ? {} : { numbers: this.world.numbers }),
    });
    this.sessions.add(session);
    attach({
      ...socketChannel(server),
      onDescriptors: (listener) => {
        server.on('descriptors', listener);
      },
    });
    return session;
  }

  exited(deadline: number): Promise<ExitStatus> {
    return new Promise((resolve, reject) => {
      if (this.exit !== undefined) {
        resolve(this.exit);
        return;
      }
      const done = (status: ExitStatus) => {
        cancel();
        this.exitWaiters.delete(done);
        resolve(status);
      };
      const cancel = this.world.clock.after(deadline, () => {
        this.exitWaiters.delete(done);
        reject(new DeadlinePassed('end of the process', deadline));
      });
      this.exitWaiters.add(done);
    });
  }

  /** Every signal ends it at once but for those that ask a monitor to end (QMP-EVT-13). */
  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    if (this.exit !== undefined) return;
    if (signal === 'SIGTERM' || signal === 'SIGINT' || signal === 'SIGHUP') this.program.terminate();
    else this.die(signal);
  }

  async dispose(): Promise<void> {
    for (const session of this.sessions) session.close();
    this.sessions.clear();
    this.die('SIGKILL');
    this.settings.scratch.remove();
    this.onDispose();
  }
}
