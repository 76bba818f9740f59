/** Runs a Scenario on a target and gives back the Transcript. What the target does is never an error here: it is judged later. */
import { mkdirSync, rmSync } from 'node:fs';
import { traceIn } from '../generators/asking.js';
import { harmIn } from '../generators/harmless.js';
import { type Clock, hostClock } from '../protocol/clock.js';
import { ConnectError, DeadlinePassed, Disconnected, NotQmp } from '../protocol/errors.js';
import { isObject, type JsonObject, mentions, stringifyJson } from '../protocol/json.js';
import type { Session } from '../protocol/session.js';
import { Transcript } from '../protocol/transcript.js';
import type { Dialect } from '../reference/dialects/dialect.js';
import { theReaper } from '../targets/reaper.js';
import type { Scenario, Step } from '../targets/scenario.js';
import type { Instance, StartOptions, Target } from '../targets/target.js';
import { Channels } from './channels.js';
import { machineAfter, startedMachine } from './known-machine.js';
import type { Patience } from './patience.js';
import { hostPeerNetwork, type PeerNetwork } from './peer/peer-network.js';
import { withPlaces } from './places-in-scenario.js';
import { contentsOf, ramImage } from './ram-image.js';
import { commandRidden, mayRide } from './riding.js';
import { ScenarioError } from './scenario-error.js';

export { ScenarioError } from './scenario-error.js';

export interface ExecuteOptions {
  readonly target: Target;
  readonly dialect: Dialect;
  /** Gives plain instances faster than the target starts them. */
  readonly plain?: () => Promise<Instance>;
  /** Where instances come from, by endpoint and resolved options; default: each is started. */
  readonly start?: (name: string, options: StartOptions) => Promise<Instance>;
  /** Takes an instance when the scenario is over; default: it is ended. */
  readonly giveBack?: (name: string, instance: Instance) => Promise<void>;
  /** The processes have served other scenarios: what is in their memory is not known. */
  readonly served?: boolean;
  /** Milliseconds for a reply. */
  readonly deadline?: number;
  /** Given the transcript before the first step: it is there even when the run never ends. */
  readonly onBegin?: (transcript: Transcript) => void;
  /** Told of each step that did not get what it waited for. */
  readonly onTrouble?: (trouble: Trouble) => void;
  /** How long to wait for a status; as long as the step says when absent. */
  readonly patience?: Patience;
  /** The host's time, sockets and files unless a simulation has its own. */
  readonly world?: StageWorld;
}

/** A step that was not answered, or lost its connection. That is an observation, not an error of the scenario. */
export interface Trouble {
  /** From 0; the number of steps for what came after the last one. */
  readonly index: number;
  readonly step: Step | undefined;
  readonly endpoint: string;
  readonly kind: 'deadline' | 'disconnected' | 'connect' | 'not-qmp';
  readonly message: string;
}

/** What the executor needs of the world beside the target. */
export interface StageWorld {
  readonly clock: Clock;
  readonly network?: PeerNetwork;
  /** Path of an image of so many MiB, as the target can read it. */
  image(mib: number): string;
  /** What is in such a file. */
  contents(image: string): Buffer;
  /** A folder for sockets, where they are needed before there is an instance. */
  folder(): { readonly path: string; remove(): void };
  /** Bytes of guest RAM of a machine that is fed; what it was started with when absent. */
  readonly fedRam?: number;
  /** Wall-clock time for the transcript's header, ISO 8601; now when absent. */
  readonly began?: string;
  /** Between two questions for a status; absent: as it suits a host, where time passes by itself. */
  readonly pauses?: Pauses;
}

/** The first pause is of one millisecond, the next one is `growth` times as long, up to `longest` milliseconds. */
export interface Pauses {
  readonly growth: number;
  readonly longest: number;
}

const hostWorld: StageWorld = {
  clock: hostClock,
  image: ramImage,
  contents: contentsOf,
  folder() {
    const path = theReaper().folder();
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
  },
};

/** Milliseconds that waiting steps may take unless they say otherwise. */
const usualWait = 2000;
const usualPauses: Pauses = { growth: 2, longest: 16 };

/** @throws ScenarioError also for a scenario that could reach outside its run; TargetError */
export async function execute(scenario: Scenario, options: ExecuteOptions): Promise<Transcript> {
  const harm = harmIn(scenario);
  if (harm !== undefined) throw new ScenarioError(`${harm}; scenarios must stay inside their run`);
  const trace = options.target.lacks('exit') === undefined ? undefined : traceIn(scenario);
  if (trace !== undefined) {
    throw new ScenarioError(
      `${trace}, and a monitor that runs already is left as it was found: try it on one that is started`,
    );
  }
  const stage = new Stage(options);
  options.onBegin?.(stage.transcript);
  try {
    for (const [index, step] of scenario.steps.entries()) {
      try {
        await stage.perform(step);
      } catch (error) {
        if (!(await stage.isObservation(error, step, index))) throw error;
      }
    }
    await stage.settle(scenario.steps.length, scenario.steps.at(-1));
  } finally {
    await stage.close();
  }
  return stage.transcript;
}

class Stage {
  readonly transcript: Transcript;
  private readonly instances = new Map<string, Instance>();
  private readonly sessions = new Map<string, Session>();
  private readonly channels: Channels;
  /** Log position of each session before the step that was performed last. */
  private readonly marks = new Map<string, number>();
  /** Endpoints whose connection could not be made or was given up: what is sent there is lost, which is no fault. */
  private readonly gone = new Set<string>();
  private scratch: string | undefined;
  /** A folder of our own, where a path is needed before there is an instance. */
  private folder: ReturnType<StageWorld['folder']> | undefined;

  private readonly world: StageWorld;

  constructor(private readonly options: ExecuteOptions) {
    this.world = options.world ?? hostWorld;
    const { clock, began, fedRam, network = hostPeerNetwork } = this.world;
    const about = { target: options.target.name, dialect: options.dialect.name };
    this.transcript = new Transcript(began === undefined ? about : { ...about, began }, clock);
    this.channels = new Channels({
      transcript: this.transcript,
      rules: options.dialect.stream,
      clock,
      network,
      scratch: () => this.place(),
      ...(fedRam === undefined ? {} : { fedRam }),
    });
  }

  async perform(step: Step): Promise<void> {
    // Pages are given up once they have gone out: what is read there later is zero.
    if (this.channels.memory !== undefined && mentions(step, 'release-ram')) this.channels.memory = undefined;
    // What deltas make of a page shows only in the whole of the memory.
    if (mentions(step, 'xbzrle') && /"xbzrle","state":true/.test(stringifyJson(step))) this.channels.remembers = true;
    if (this.channels.machine !== undefined) this.channels.machine = machineAfter(this.channels.machine, step);
    if (step.do !== 'event') for (const [name, session] of this.sessions) this.marks.set(name, session.mark());
    switch (step.do) {
      case 'start':
        return this.start(step.at, step.options ?? {});
      case 'peer':
        return this.channels.peer(step);
      case 'relay':
        return this.channels.relay(step);
      case 'feed':
        return this.channels.feed(step);
      case 'message':
        return this.channels.message(step);
      case 'channel':
        return this.channels.until(step, step.deadline ?? usualWait);
      case 'release':
        return this.channels.release(step.channel);
      case 'cut':
        return this.channels.cut(step.channel);
      case 'connect':
        return this.connect(step);
      case 'command':
        return this.command(step);
      case 'raw':
        return this.session(step.at).sendBytes(
          step.bytes,
          step.cuts !== undefined ? { at: step.cuts } : step.every === undefined ? undefined : { every: step.every },
        );
      case 'pipeline': {
        const session = this.session(step.at);
        const text = step.commands
          .map(({ execute: name, oob, ...rest }) => {
            const command = { [oob ? 'exec-oob' : 'execute']: name, ...this.resolve(rest) };
            return stringifyJson({ ...command, id: session.freshId() });
          })
          .join('\n');
        return session.sendBytes(Buffer.from(`${text}\n`, 'utf8'));
      }
      case 'fence':
        await this.session(step.at).fence();
        return;
      case 'status':
        return this.poll(step.at, 'query-migrate', step.is, step.deadline ?? usualWait);
      case 'runstate':
        return this.poll(step.at, 'query-status', step.is, step.deadline ?? usualWait);
      case 'event':
        return this.awaitEvent(step);
      case 'disconnect':
        this.session(step.at).close();
        this.sessions.delete(step.at);
        this.gone.add(step.at);
        return;
      case 'exit':
        await this.instance(step.at).exited(step.deadline ?? usualWait);
        return;
      case 'kill':
        this.instance(step.at).kill();
        await this.instance(step.at).exited(usualWait);
        return;
    }
  }

  /** Errors that tell something of the target: they stand in the transcript, and the scenario goes on. */
  async isObservation(error: unknown, step: Step, index: number): Promise<boolean> {
    const observed =
      error instanceof DeadlinePassed ||
      error instanceof Disconnected ||
      error instanceof ConnectError ||
      error instanceof NotQmp;
    if (!observed) return false;
    const endpoint = 'at' in step ? step.at : 'scenario';
    this.transcript.add(endpoint, 'note', `step ${index + 1} (${step.do}): ${error.message}`);
    this.options.onTrouble?.({ index, step, endpoint, kind: troubleOf(error), message: error.message });
    // An end of file mostly comes before the news of the process's end.
    if (error instanceof Disconnected && 'at' in step)
      await this.instances
        .get(step.at)
        ?.exited(500)
        .catch(() => undefined);
    return true;
  }

  private async start(name: string, options: StartOptions): Promise<void> {
    if (this.instances.has(name)) throw new ScenarioError(`'${name}' is started twice`);
    const resolved = this.resolve(options);
    const { plain, start, target } = this.options;
    const instance =
      start !== undefined
        ? await start(name, resolved)
        : plain !== undefined && Object.keys(resolved).length === 0
          ? await plain()
          : await target.start(resolved);
    this.instances.set(name, instance);
    const { ramImage: image, incoming, extra } = resolved;
    // No guest of ours runs: its memory is what it was given. Of what was migrated to another process not so much is known.
    const fresh = this.options.served !== true;
    const alone = fresh && this.instances.size === 1 && incoming === undefined;
    this.channels.memory =
      !alone || extra !== undefined ? undefined : image === undefined ? Buffer.alloc(0) : this.world.contents(image);
    this.channels.machine = alone ? startedMachine(this.options.dialect, resolved) : undefined;
    if (incoming !== undefined && incoming !== 'defer') this.channels.listening = true;
    const waits = fresh && this.instances.size === 1 && incoming !== undefined && image === undefined;
    this.channels.empty = waits && (extra ?? []).every((word) => !word.startsWith('-') || word === '-global');
    this.scratch ??= instance.scratch;
    instance.record(this.transcript, name);
  }

  private async connect(step: Extract<Step, { do: 'connect' }>): Promise<void> {
    const name = step.monitor === undefined || step.monitor === 0 ? step.at : `${step.at}#${step.monitor + 1}`;
    const instance = this.instance(step.at);
    if (step.monitor !== undefined && step.monitor >= instance.monitors)
      throw new ScenarioError(`'${step.at}' has no monitor ${step.monitor + 1}`);
    this.gone.add(name);
    // Ended before the next one begins: what is told of an endpoint is told of one connection.
    this.sessions.get(name)?.close();
    this.sessions.delete(name);
    const session = await instance.connect({
      ...(step.monitor === undefined ? {} : { monitor: step.monitor }),
      ...(this.options.deadline === undefined ? {} : { deadline: this.options.deadline }),
    });
    this.sessions.set(name, session);
    await session.greeting();
    for (const { execute: name, arguments: args } of step.before ?? []) {
      await session.command(name, args === undefined ? undefined : this.resolve(args));
    }
    await session.negotiate(step.enable);
  }

  private async command(step: Extract<Step, { do: 'command' }>): Promise<void> {
    const session = this.session(step.at);
    const args = step.arguments === undefined ? undefined : this.resolve(step.arguments);
    const options = step.oob === undefined ? {} : { oob: step.oob };
    const { descriptors = 0 } = step;
    if (descriptors > 0 && (await mayRide(session, this.options.target)))
      return commandRidden(session, step.execute, args, descriptors);
    if (step.post) session.post(step.execute, args, options);
    else await session.command(step.execute, args, options);
  }

  private async poll(at: string, query: string, wanted: readonly string[], deadline: number): Promise<void> {
    const session = this.session(at);
    const { clock, pauses = usualPauses } = this.world;
    const { patience } = this.options;
    const began = clock.now();
    let since = began;
    let shown: string | undefined;
    for (let pause = 1; ; pause = Math.min(pause * pauses.growth, pauses.longest)) {
      const reply = await session.command(query);
      const value = isObject(reply.value) && isObject(reply.value.return) ? reply.value.return : {};
      const status = typeof value.status === 'string' ? value.status : 'none';
      if (wanted.includes(status)) return;
      if (status !== shown) since = clock.now();
      shown = status;
      const left = Math.min(began + deadline, since + (patience?.of(query, status) ?? deadline)) - clock.now();
      if (left <= 0) break;
      await this.news(at, Math.min(pause, left));
    }
    if (shown !== undefined) patience?.ranOut(query, shown);
    const waited = Math.round(Math.min(deadline, clock.now() - began));
    this.transcript.add(at, 'note', `${query} did not show ${wanted.join(' or ')} within ${waited} ms`);
  }

  /** Until something else comes from there; for the changes that nothing announces at most `most` milliseconds. */
  private news(at: string, most: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        stop();
        forget();
        resolve();
      };
      const forget = this.transcript.follow((entry) => {
        if (entry.at === at && entry.kind !== 'sent') done();
      });
      const stop = this.world.clock.after(most, done);
    });
  }

  private async awaitEvent(step: Extract<Step, { do: 'event' }>): Promise<void> {
    const test = (data: JsonObject) => step.status === undefined || step.status.includes(String(data.status));
    await this.session(step.at).event(step.event, {
      since: this.marks.get(step.at) ?? 0,
      test,
      deadline: step.deadline ?? usualWait,
    });
  }

  /** Folder for the sockets of the channels. */
  private place(): string {
    if (this.scratch === undefined) {
      this.folder = this.world.folder();
      this.scratch = this.folder.path;
    }
    return this.scratch;
  }

  private resolve<T>(value: T): T {
    const { channels, world } = this;
    return withPlaces(value, { channel: (name) => channels.path(name), image: world.image });
  }

  private instance(name: string): Instance {
    const instance = this.instances.get(name);
    if (instance === undefined) throw new ScenarioError(`no step starts '${name}'`);
    return instance;
  }

  private session(name: string): Session {
    const session = this.sessions.get(name);
    if (session === undefined && this.gone.has(name)) throw new Disconnected('a connection');
    if (session === undefined) throw new ScenarioError(`no step connects to '${name}'`);
    return session;
  }

  /** Gathers what is still on its way: one fence for each living session. */
  async settle(index: number, last: Step | undefined): Promise<void> {
    await this.channels.settle(last?.do === 'command' || last?.do === 'pipeline');
    for (const [name, session] of this.sessions) {
      if (session.ended) continue;
      await session.fence().catch((error: Error) => {
        const { message } = error;
        this.transcript.add(name, 'note', `at the end: ${message}`);
        this.options.onTrouble?.({ index, step: undefined, endpoint: name, kind: troubleOf(error), message });
      });
    }
  }

  async close(): Promise<void> {
    for (const session of this.sessions.values()) session.close();
    await this.channels.close();
    const giveBack = this.options.giveBack ?? ((_: string, instance: Instance) => instance.dispose());
    await Promise.all([...this.instances].map(([name, instance]) => giveBack(name, instance)));
    this.folder?.remove();
  }
}

function troubleOf(error: Error): Trouble['kind'] {
  if (error instanceof DeadlinePassed) return 'deadline';
  if (error instanceof ConnectError) return 'connect';
  return error instanceof NotQmp ? 'not-qmp' : 'disconnected';
}
