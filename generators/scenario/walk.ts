/**
 * Scenarios as walks: episodes of migrations with peers that stall, break, answer or are not there, with commands in right
 * and wrong states in between. Deep states are reached by design: a peer that holds the source is opened before the command
 * that needs it, and released or cut afterwards.
 */
import fc from 'fast-check';
import type { Dialect } from '../../reference/dialects/dialect.js';
import {
  channelUri,
  imageOf,
  type PeerBehaviour,
  type Scenario,
  type Step,
  scenarioVersion,
} from '../../targets/scenario.js';
import { Tape, tapes } from './tape.js';
import { anyStatus, badUri, capability, parameters } from './values.js';

const terminal = ['none', 'completed', 'failed', 'cancelled'];
const settled = ['postmigrate', 'running', 'paused', 'prelaunch'];

class Walk {
  readonly steps: Step[] = [];
  private channels = 0;

  constructor(
    private readonly tape: Tape,
    private readonly dialect: Dialect,
  ) {}

  run(): Step[] {
    const { tape } = this;
    const paused = tape.chance(15);
    // Content to send: without it a small guest is through before anything can be tried.
    const full = tape.chance(50);
    this.steps.push({
      do: 'start',
      at: 'source',
      options: { ...(paused ? { paused } : {}), ...(full ? { ramImage: imageOf(4) } : {}) },
    });
    this.steps.push({ do: 'connect', at: 'source' });
    if (tape.chance(85)) this.capabilities('source', { capability: 'events', state: true });
    for (let episode = 0; episode < 4 && !(episode > 0 && tape.ended); episode++) {
      tape.weighted<() => void>([
        [2, () => this.idle()],
        [6, () => this.held()],
        [2, () => this.plain()],
        [2, () => this.refused()],
        [episode === 0 ? 2 : 0, () => this.pair()],
      ])();
    }
    return this.steps;
  }

  private command(execute: string, args?: unknown, at = 'source'): void {
    this.steps.push({ do: 'command', at, execute, ...(args === undefined ? {} : { arguments: args }) });
  }

  private capabilities(at: string, ...list: { capability: string; state: boolean }[]): void {
    this.command('migrate-set-capabilities', { capabilities: list }, at);
  }

  /** Any command whose effect the model knows in every state. */
  private noise(at = 'source'): void {
    const { tape } = this;
    tape.weighted<() => void>([
      [6, () => this.command('query-migrate', undefined, at)],
      [2, () => this.command('query-status', undefined, at)],
      [1, () => this.command('query-migrate-parameters', undefined, at)],
      [1, () => this.command('query-migrate-capabilities', undefined, at)],
      [4, () => this.command('migrate-set-parameters', parameters(tape), at)],
      [3, () => this.capabilities(at, capability(tape, this.dialect))],
      [2, () => this.command('migrate-continue', { state: anyStatus(tape) }, at)],
      [2, () => this.command('migrate-start-postcopy', undefined, at)],
      [2, () => this.command('migrate-pause', undefined, at)],
      [1, () => this.command('migrate-recover', { uri: badUri(tape) }, at)],
      [1, () => this.command('x-colo-lost-heartbeat', undefined, at)],
      [1, () => this.command('migrate-incoming', { uri: badUri(tape) }, at)],
      [1, () => this.command('migrate', { uri: badUri(tape), resume: true }, at)],
      [1, () => this.command('stop', undefined, at)],
      [1, () => this.steps.push({ do: 'fence', at })],
    ])();
  }

  private noises(most: number, at = 'source'): void {
    for (let left = this.tape.number(most + 1); left > 0; left--) this.noise(at);
  }

  private idle(): void {
    this.noises(5);
    if (this.tape.chance(40)) this.command('migrate_cancel');
    if (this.tape.chance(30)) this.command('cont');
  }

  /** A migration that ends before it begins. */
  private refused(): void {
    this.command('migrate', { uri: badUri(this.tape) });
    this.settle();
    this.noises(2);
  }

  private open(behaviour: PeerBehaviour, bytes?: number): string {
    const channel = `c${++this.channels}`;
    this.steps.push({ do: 'peer', channel, behaviour, ...(bytes === undefined ? {} : { bytes }) });
    return channel;
  }

  /** A migration to a peer that reads everything and answers. */
  private plain(): void {
    const channel = this.open(
      this.tape.pick(['answer', 'answer', 'error', 'cut'] as const),
      this.tape.pick([1, 100, 5000, 100_000]),
    );
    this.command('migrate', { uri: channelUri(channel) });
    this.race();
    this.wayOut(channel);
  }

  /** A migration that a peer holds up, so that commands meet it there. */
  private held(): void {
    const { tape } = this;
    const behaviour = tape.pick(['full', 'stall', 'silent', 'answer'] as const);
    if (behaviour === 'silent') this.capabilities('source', { capability: 'return-path', state: true });
    if (behaviour === 'answer') this.capabilities('source', { capability: 'pause-before-switchover', state: true });
    const channel = this.open(behaviour);
    this.command('migrate', { uri: channelUri(channel) });
    const holds = {
      full: ['setup'],
      stall: ['active', 'completed'],
      silent: ['active', 'device'],
      answer: ['pre-switchover'],
    };
    if (tape.chance(70)) this.status([...holds[behaviour], 'failed'], 400);
    this.noises(4);
    this.race();
    this.wayOut(channel);
  }

  /** What may be tried while a migration is on its way. */
  private race(): void {
    const { tape } = this;
    if (tape.chance(35)) this.command('migrate_cancel');
    if (tape.chance(15)) this.command('stop');
    if (tape.chance(10)) this.command('migrate', { uri: badUri(tape) });
    this.noises(2);
  }

  /** Lets every held migration come to an end, whatever it is in. */
  private wayOut(channel: string): void {
    const { tape } = this;
    const out = tape.weighted<'release' | 'cut' | 'cancel'>([
      [4, 'release'],
      [3, 'cut'],
      [3, 'cancel'],
    ]);
    if (out === 'cancel') this.command('migrate_cancel');
    this.steps.push(out === 'cut' ? { do: 'cut', channel } : { do: 'release', channel });
    // A switch-over that is held goes on in the end, if it is not cancelled by then.
    this.status([...terminal, 'pre-switchover', 'cancelling'], 1500);
    this.command('migrate-continue', { state: 'pre-switchover' });
    this.settle();
    this.command('query-migrate');
    if (tape.chance(60)) this.command('cont');
  }

  private status(is: readonly string[], deadline: number, at = 'source'): void {
    this.steps.push({ do: 'status', at, is, deadline });
  }

  /** Ends and clean-up are different moments: a command in between has killed real monitors (MIG-DEF-15). */
  private settle(at = 'source'): void {
    this.status(terminal, 3000, at);
    this.steps.push({ do: 'runstate', at, is: settled, deadline: 2000 });
    this.steps.push({ do: 'fence', at });
  }

  /** Two instances of the target. */
  private pair(): void {
    const { tape } = this;
    const paused = tape.chance(25);
    this.steps.push({ do: 'start', at: 'destination', options: { incoming: 'defer', ...(paused ? { paused } : {}) } });
    this.steps.push({ do: 'connect', at: 'destination' });
    if (tape.chance(85)) this.capabilities('destination', { capability: 'events', state: true });
    if (tape.chance(30))
      this.command('migrate-incoming', { uri: tape.pick(['defer', 'qmpspec:nothing', '']) }, 'destination');
    this.waiting();
    this.command('migrate-incoming', { uri: channelUri('pair') }, 'destination');
    this.waiting();
    this.command('migrate', { uri: channelUri('pair') });
    if (tape.chance(40)) this.waiting();
    this.status([...terminal, 'pre-switchover'], 3000);
    this.command('migrate-continue', { state: 'pre-switchover' });
    this.settle();
    this.status(['completed', 'failed'], 2000, 'destination');
    this.noises(3, 'destination');
    this.noises(2);
  }

  /** Commands to a destination that waits or loads. */
  private waiting(): void {
    const { tape } = this;
    for (let left = tape.number(3); left > 0; left--) {
      tape.weighted<() => void>([
        [3, () => this.noise('destination')],
        [1, () => this.command('cont', undefined, 'destination')],
        [1, () => this.command('migrate_cancel', undefined, 'destination')],
        [1, () => this.command('migrate', { uri: 'unix:{channel none}' }, 'destination')],
      ])();
    }
  }
}

/** The scenario that a tape stands for. */
export function walk(decisions: readonly number[], dialect: Dialect): Scenario {
  return { scenario: scenarioVersion, steps: new Walk(new Tape(decisions), dialect).run() };
}

/** Scenarios for a dialect. */
export const scenarios = (dialect: Dialect, length = 90): fc.Arbitrary<Scenario> =>
  tapes(length).map((decisions) => walk(decisions, dialect));

/** The scenario of a seed: the same on every machine. */
export function scenarioOf(seed: number, dialect: Dialect): Scenario {
  const [scenario] = fc.sample(scenarios(dialect), { seed, numRuns: 1 });
  return { ...(scenario as Scenario), seed };
}
