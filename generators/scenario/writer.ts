/** Writes the steps of a walk: what every episode needs, and the commands that fit anywhere. */
import type { Dialect } from '../../reference/dialects/dialect.js';
import type { PeerBehaviour, RelayBehaviour, Step } from '../../targets/scenario.js';
import type { MonitorOptions, StartOptions } from '../../targets/target.js';
import { fromTable, type Tape } from './tape.js';
import { anyStatus, badUri, capability, parameters, placeToListen } from './values.js';
import { weights } from './weights.js';

export const terminal = ['none', 'completed', 'failed', 'cancelled'];
const settled = ['postmigrate', 'running', 'paused', 'prelaunch'];

/** Milliseconds that a walk waits for what should come soon, and for what may never. */
const patience = { likely: 1500, perhaps: 300 } as const;

interface Endpoint {
  readonly monitors: number;
  readonly oob: boolean;
  /** Monitors that are connected. */
  readonly connected: Set<number>;
}

export class Writer {
  readonly steps: Step[] = [];
  private channels = 0;
  private readonly endpoints = new Map<string, Endpoint>();

  constructor(
    readonly tape: Tape,
    readonly dialect: Dialect,
  ) {}

  chance(of: keyof typeof weights.chance): boolean {
    return this.tape.chance(weights.chance[of]);
  }

  /** Starts an instance and connects to it. */
  start(at: string, options: StartOptions = {}): void {
    const monitors = this.chance('secondMonitor') ? 2 : 1;
    const oob = this.chance('oob');
    const asked = oob && this.dialect.protocol.oobOffer === 'option';
    const monitor: MonitorOptions = { transport: 'unix', ...(asked ? { oob } : {}) };
    const extra = monitors > 1 || asked ? { monitors: Array.from({ length: monitors }, () => monitor) } : {};
    const all = { ...options, ...extra };
    this.steps.push({ do: 'start', at, ...(Object.keys(all).length === 0 ? {} : { options: all }) });
    this.endpoints.set(at, { monitors, oob, connected: new Set() });
    this.connect(at);
  }

  connect(at: string, monitor = 0): void {
    const endpoint = this.endpoints.get(at);
    const enable = endpoint?.oob ? { enable: ['oob'] } : {};
    this.steps.push({ do: 'connect', at, ...(monitor === 0 ? {} : { monitor }), ...enable });
    endpoint?.connected.add(monitor);
  }

  command(execute: string, args?: unknown, at = 'source'): void {
    this.steps.push({ do: 'command', at, execute, ...(args === undefined ? {} : { arguments: args }) });
  }

  /** A command that may also be sent out of band, and then is, half of the time. */
  urgent(execute: string, args?: unknown, at = 'source'): void {
    const oob = this.endpoints.get(at)?.oob && this.tape.chance(50);
    this.steps.push({
      do: 'command',
      at,
      execute,
      ...(args === undefined ? {} : { arguments: args }),
      ...(oob ? { oob } : {}),
    });
  }

  capabilities(at: string, ...names: readonly string[]): void {
    const capabilities = names.map((name) => ({ capability: name, state: true }));
    if (names.length > 0) this.command('migrate-set-capabilities', { capabilities }, at);
  }

  parameters(at: string, values: Readonly<Record<string, unknown>>): void {
    this.command('migrate-set-parameters', values, at);
  }

  status(is: readonly string[], at = 'source', how: keyof typeof patience = 'perhaps'): void {
    this.steps.push({ do: 'status', at, is, deadline: patience[how] });
  }

  /** Ends and clean-up are different moments: a command in between has killed real monitors (MIG-DEF-15). */
  settle(at = 'source'): void {
    this.status(terminal, at, 'likely');
    this.steps.push({ do: 'runstate', at, is: settled, deadline: patience.likely });
    this.steps.push({ do: 'fence', at });
  }

  private name(): string {
    return `c${++this.channels}`;
  }

  peer(behaviour: PeerBehaviour, bytes?: number): string {
    const channel = this.name();
    this.steps.push({ do: 'peer', channel, behaviour, ...(bytes === undefined ? {} : { bytes }) });
    return channel;
  }

  relay(to: string, behaviour: RelayBehaviour, bytes?: number): string {
    const channel = this.name();
    this.steps.push({ do: 'relay', channel, to, behaviour, ...(bytes === undefined ? {} : { bytes }) });
    return channel;
  }

  /** A channel of the scenario that is not used yet. */
  channel(): string {
    return this.name();
  }

  noises(most: number, at = 'source'): void {
    for (let left = this.tape.number(most + 1); left > 0; left--) this.noise(at);
  }

  /** Any command whose effect the model knows in every state, or something else done to the connection. */
  noise(at = 'source'): void {
    if (this.tape.chance(weights.unusual)) this.unusual(at);
    else {
      const [execute, args] = this.anyCommand();
      if (execute === 'fence') this.steps.push({ do: 'fence', at });
      else this.command(execute, args, at);
    }
  }

  private anyCommand(): readonly [string, unknown?] {
    const { tape } = this;
    const execute = fromTable(tape, weights.noise);
    switch (execute) {
      case 'migrate-set-parameters':
        return [execute, parameters(tape)];
      case 'migrate-set-capabilities':
        return [execute, { capabilities: [capability(tape, this.dialect)] }];
      case 'migrate-continue':
        return [execute, { state: anyStatus(tape) }];
      case 'migrate-recover':
      case 'migrate-incoming':
        return [execute, { uri: placeToListen(tape) }];
      case 'resume':
        return ['migrate', { uri: badUri(tape), resume: true }];
      default:
        return [execute];
    }
  }

  private unusual(at: string): void {
    const { tape } = this;
    const endpoint = this.endpoints.get(at);
    switch (fromTable(tape, weights.connection)) {
      case 'reconnect':
        this.steps.push({ do: 'disconnect', at });
        this.connect(at);
        return;
      case 'pipeline': {
        const commands = Array.from({ length: 2 + tape.number(4) }, () => {
          const [execute, args] = this.anyCommand();
          return { execute: execute === 'fence' ? 'query-version' : execute, ...(args ? { arguments: args } : {}) };
        });
        this.steps.push({ do: 'pipeline', at, commands }, { do: 'fence', at });
        return;
      }
      case 'sliced': {
        const [execute, args] = this.anyCommand();
        const name = execute === 'fence' ? 'query-version' : execute;
        const text = JSON.stringify({ execute: name, ...(args ? { arguments: args } : {}), id: tape.number(1000) });
        // A URI that names a channel would go out as it is.
        if (text.includes('{channel')) return;
        this.steps.push({ do: 'raw', at, bytes: text, every: 1 + tape.number(16) }, { do: 'fence', at });
        return;
      }
      case 'second': {
        if ((endpoint?.monitors ?? 1) < 2) {
          this.command('query-migrate', undefined, at);
          return;
        }
        if (!endpoint?.connected.has(1)) this.connect(at, 1);
        const second = `${at}#2`;
        if (tape.chance(50)) {
          this.command('query-migrate', undefined, second);
          return;
        }
        const [execute, args] = this.anyCommand();
        this.command(execute === 'fence' ? 'query-version' : execute, args, second);
        return;
      }
      default:
        {
          const [execute, args] = tape.pick(outOfBand);
          this.urgent(execute, args, at);
        }
        return;
    }
  }
}

/** Commands that a monitor may be asked to execute out of band. */
const outOfBand: readonly (readonly [string, unknown?])[] = [
  ['migrate-pause'],
  ['migrate-recover', { uri: 'qmpspec:nothing' }],
];
