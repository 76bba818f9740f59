/**
 * Processes that run the cases of a campaign, so that starting, running and judging use every core and none of it holds up the
 * campaign itself. One that dies is replaced; the cases that it had are told as lost.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ScenarioError } from '../../oracle/scenario-error.js';
import type { Scenario } from '../../targets/scenario.js';
import { TargetError } from '../../targets/target.js';
import type { CaseResult, CaseRunner } from '../case-runner.js';
import type { CrewOrders, Failure, FromWorker, ToWorker } from './messages.js';

/** A process of ours died with a case: an error of this program or of the machine, not of the target. */
export class WorkerLost extends Error {
  override readonly name = 'WorkerLost';
}

interface Waiting {
  readonly resolve: (result: CaseResult | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** Milliseconds in which a process must have ended what it started. */
const farewell = 10_000;

/**
 * Transcripts live for as long as their case: where there is room for what all cases of a process leave in that time, half
 * as much is spent on looking for what is no longer needed.
 */
const roomy = ['--max-semi-space-size=64'];

/** One process, and its successors. */
class Hand {
  private process: ChildProcess | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private keys: string[] = [];
  private next = 0;
  private stopped = false;
  private closing: Promise<string | undefined> | undefined;
  private parting: ((remark: string | undefined) => void) | undefined;

  constructor(private readonly orders: CrewOrders) {}

  run(lane: number, scenario: Scenario): Promise<CaseResult | undefined> {
    if (this.stopped) return Promise.resolve(undefined);
    this.process ??= this.begin();
    const number = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      this.say({ say: 'case', number, lane, scenario });
    });
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    if (this.process !== undefined) this.say({ say: 'stop' });
  }

  close(): Promise<string | undefined> {
    this.stop();
    this.closing ??= this.end();
    return this.closing;
  }

  private begin(): ChildProcess {
    const program = fileURLToPath(
      new URL(`./worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
    );
    const execArgv = [...process.execArgv, ...roomy];
    const child = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv });
    this.keys = [];
    child.on('message', (message: FromWorker) => this.hear(message));
    child.on('error', () => undefined);
    child.on('exit', (code, signal) =>
      this.lost(child, signal === null ? `exit status ${code}` : `killed by ${signal}`),
    );
    child.send({ say: 'orders', orders: this.orders } satisfies ToWorker);
    return child;
  }

  private say(message: ToWorker): void {
    // One that is gone says so by itself, and what waits for it is told then.
    this.process?.send(message, () => undefined);
  }

  private hear(message: FromWorker): void {
    if (message.say === 'closed') {
      this.parting?.(message.remark);
      return;
    }
    const waiting = this.waiting.get(message.number);
    this.waiting.delete(message.number);
    if (message.say === 'dropped') waiting?.resolve(undefined);
    else if (message.say === 'failed') waiting?.reject(errorOf(message.failure));
    else {
      const { news, keys, ...result } = message.result;
      this.keys.push(...news);
      waiting?.resolve({ ...result, keys: keys.map((one) => this.keys[one] as string) });
    }
  }

  private lost(child: ChildProcess, how: string): void {
    if (this.process !== child) return;
    this.process = undefined;
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of waiting) reject(new WorkerLost(`a process that runs cases ended by itself (${how})`));
    this.parting?.(undefined);
  }

  private async end(): Promise<string | undefined> {
    const { process: child } = this;
    if (child === undefined) return undefined;
    const remark = await new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), farewell);
      this.parting = (text) => {
        clearTimeout(timer);
        resolve(text);
      };
      this.say({ say: 'close' });
    });
    this.process = undefined;
    await new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) {
        resolve();
        return;
      }
      const timer = setTimeout(() => child.kill('SIGKILL'), farewell);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      if (child.connected) child.disconnect();
    });
    return remark;
  }
}

/** As many lanes as `jobs`, in as many processes as there are cores for them. */
export function crewOf(orders: CrewOrders, jobs: number): CaseRunner[] {
  const hands = Array.from({ length: Math.min(jobs, availableParallelism()) }, () => new Hand(orders));
  return Array.from({ length: jobs }, (_, lane) => {
    const hand = hands[lane % hands.length] as Hand;
    return {
      depth: 2,
      run: (scenario) => hand.run(lane, scenario),
      stop: () => hand.stop(),
      close: () => hand.close(),
    };
  });
}

function errorOf({ name, message, stack }: Failure): Error {
  if (name === 'TargetError') return new TargetError(message);
  if (name === 'ScenarioError') return new ScenarioError(message);
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
