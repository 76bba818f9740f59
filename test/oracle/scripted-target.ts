/** A target whose monitors run in this process and answer as a script says. */
import { expect } from 'chai';
import { Trial } from '../../oracle/trial.js';
import { Session } from '../../protocol/session.js';
import { Transcript } from '../../protocol/transcript.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import type { TargetFacts } from '../../targets/facts.js';
import { InstancePool } from '../../targets/pool.js';
import {
  type Ability,
  type ExitStatus,
  type Instance,
  type StartOptions,
  type Target,
  TargetError,
} from '../../targets/target.js';
import { type Asked, conversation, FakeMonitor } from '../protocol/fake-monitor.js';

export type Answer = (asked: Asked, instance: ScriptedInstance) => string | undefined;

export const ok = (asked: Asked, value: unknown = {}): string => JSON.stringify({ return: value, id: asked.id });
export const refuse = (asked: Asked, errorClass = 'GenericError', desc = 'no'): string =>
  JSON.stringify({ error: { class: errorClass, desc }, id: asked.id });
/** In order, and nothing more. */
export const inOrder: Answer = (asked) =>
  asked.execute?.startsWith('qmpspec') ? refuse(asked, 'CommandNotFound') : ok(asked);

export class ScriptedInstance implements Instance {
  readonly scratch = '';
  readonly monitors = 1;
  readonly pid = 1;
  exit: ExitStatus | undefined;
  stderr = '';
  disposed = false;
  private transcript = new Transcript();
  private endpoint = 'source';
  private readonly sessions: Session[] = [];

  constructor(
    private readonly monitor: FakeMonitor,
    readonly options: StartOptions,
  ) {}

  record(transcript: Transcript, endpoint: string): void {
    this.transcript = transcript;
    this.endpoint = endpoint;
  }

  async connect(options: { deadline?: number } = {}): Promise<Session> {
    const { transcript, endpoint } = this;
    const session = await Session.connect(this.monitor.address, { transcript, endpoint, deadline: 150, ...options });
    this.sessions.push(session);
    return session;
  }

  exited(): Promise<ExitStatus> {
    return Promise.reject(new Error('not scripted'));
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.die({ code: null, signal });
  }

  /** The process ends. */
  die(status: ExitStatus): void {
    this.exit = status;
    this.monitor.close();
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    for (const session of this.sessions) session.close();
    this.monitor.close();
  }
}

export class ScriptedTarget implements Target {
  readonly name = 'scripted';
  readonly description = 'a script';
  readonly instances: ScriptedInstance[] = [];
  missing: Partial<Record<Ability, string>> = {};
  broken = false;

  constructor(public answer: Answer = inOrder) {}

  lacks(ability: Ability): string | undefined {
    return this.missing[ability];
  }

  /** A monitor serves one client at a time, as the real ones do (QMP-CONN-02). */
  async start(options: StartOptions = {}): Promise<Instance> {
    if (this.broken) throw new TargetError('it does not start');
    let serving = false;
    const waiting: (() => void)[] = [];
    const monitor = await FakeMonitor.listen((socket) => {
      const serve = () => {
        serving = true;
        socket.on('close', () => {
          serving = false;
          waiting.shift()?.();
        });
        conversation((asked) => this.answer(asked, instance))(socket);
      };
      if (serving) waiting.push(serve);
      else serve();
    });
    const instance = new ScriptedInstance(monitor, options);
    this.instances.push(instance);
    return instance;
  }

  async close(): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance.dispose()));
  }
}

/** What is known of a baseline monitor that nobody asked. */
export const baselineFacts: TargetFacts = {
  product: 'qemu',
  version: '3.0.50',
  package: '',
  greeting: {},
  dialect: dialects['3.0'],
  schema: loadSchema('3.0'),
};

/** Everything that a trial needs, to be closed after the test. */
export function laboratory(
  answer: Answer = inOrder,
  more: { facts?: Partial<TargetFacts>; strictDesc?: boolean } = {},
) {
  const target = new ScriptedTarget(answer);
  const pool = new InstancePool(target, 0);
  const settings = { facts: { ...baselineFacts, ...more.facts }, pool, strictDesc: more.strictDesc ?? false, seed: 1 };
  return {
    target,
    pool,
    settings,
    trial: (more = {}) => new Trial({ ...settings, ...more }),
    close: async () => {
      await pool.close();
      await target.close();
      expect(target.instances.every(({ disposed }) => disposed)).to.equal(true);
    },
  };
}
