/** A monitor that runs already: it can be talked to and must be left as it was found. */
import { mkdirSync, rmSync } from 'node:fs';
import { type Address, formatAddress } from '../protocol/address.js';
import { ConnectError, DeadlinePassed } from '../protocol/errors.js';
import { Session } from '../protocol/session.js';
import { Transcript } from '../protocol/transcript.js';
import type { SessionDefaults } from './process-instance.js';
import { theReaper } from './reaper.js';
import {
  type Ability,
  type ExitStatus,
  type Instance,
  NotOffered,
  type StartOptions,
  type Target,
  TargetError,
} from './target.js';

const cannotStart = 'it runs already: only its address is known';

class AttachedInstance implements Instance {
  readonly scratch = theReaper().folder();
  readonly options: StartOptions = {};
  readonly exit = undefined;
  readonly stderr = '';
  readonly monitors = 1;
  private transcript = new Transcript();
  private endpoint = 'source';
  private readonly sessions = new Set<Session>();

  constructor(
    private readonly address: Address,
    private readonly defaults: SessionDefaults,
  ) {
    mkdirSync(this.scratch, { recursive: true, mode: 0o700 });
  }

  record(transcript: Transcript, endpoint: string): void {
    this.transcript = transcript;
    this.endpoint = endpoint;
  }

  async connect(options: { monitor?: number; deadline?: number } = {}): Promise<Session> {
    const session = await Session.connect(this.address, {
      ...this.defaults,
      endpoint: this.endpoint,
      transcript: this.transcript,
      ...(options.deadline === undefined ? {} : { deadline: options.deadline }),
    });
    this.sessions.add(session);
    return session;
  }

  exited(deadline: number): Promise<ExitStatus> {
    return Promise.reject(new DeadlinePassed('end of the process (which is not ours to see)', deadline));
  }

  kill(): void {}

  async dispose(): Promise<void> {
    for (const session of this.sessions) session.close();
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

export class AttachedTarget implements Target {
  readonly description: string;

  constructor(
    readonly name: string,
    private readonly address: Address,
    private readonly defaults: SessionDefaults,
  ) {
    this.description = formatAddress(address);
  }

  lacks(ability: Ability): string | undefined {
    switch (ability) {
      case 'start':
      case 'incoming':
      case 'arguments':
      case 'exit':
        return cannotStart;
      case 'direct':
        return 'what listens at its address may stand between this tool and the monitor';
      case 'local':
        return this.address.kind === 'unix' || this.address.host === '127.0.0.1' || this.address.host === '::1'
          ? undefined
          : 'it may run on another machine, which cannot reach our sockets';
      case 'reconnect':
        return undefined;
    }
  }

  async start(options: StartOptions = {}): Promise<Instance> {
    if (Object.keys(options).length > 0) throw new NotOffered(cannotStart);
    const instance = new AttachedInstance(this.address, this.defaults);
    // A first connection now tells an unreachable address at once.
    try {
      const session = await instance.connect();
      await session.greeting();
      session.close();
    } catch (error) {
      await instance.dispose();
      if (error instanceof ConnectError) throw new TargetError(error.message);
      if (error instanceof DeadlinePassed) {
        throw new TargetError(
          `${this.description} accepted the connection but sent no greeting within ${this.defaults.deadline} ms: it is not a QMP monitor, or another client is connected to it`,
        );
      }
      throw new TargetError((error as Error).message);
    }
    return instance;
  }

  async close(): Promise<void> {}
}
