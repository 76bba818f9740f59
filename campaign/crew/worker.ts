/**
 * One of the processes that run the cases of a campaign: it starts the target, runs and judges, and tells what was reached.
 * Whoever gave it work owns the corpus and the findings. It goes when its channel closes, and what it started goes with it.
 */
import { loadConfig } from '../../targets/config.js';
import { factsOf } from '../../targets/facts.js';
import { resolveTarget } from '../../targets/resolve.js';
import type { Scenario } from '../../targets/scenario.js';
import type { Target } from '../../targets/target.js';
import { resultOf } from '../case-runner.js';
import { Lane } from '../lane.js';
import { Shelf } from '../shelf.js';
import { type Symptom, signature } from '../symptom.js';
import type { CrewOrders, Failure, FromWorker, NumberedResult, ToWorker } from './messages.js';

interface Stage {
  readonly target: Target;
  readonly lane: (number: number) => Lane;
  readonly lanes: ReadonlyMap<number, Lane>;
}

async function prepare(orders: CrewOrders): Promise<Stage> {
  const { target, dialect } = resolveTarget(orders.target, loadConfig(orders.config));
  const facts = await factsOf(target, orders.dialect ?? dialect);
  const how = { target, facts, strictDesc: orders.strictDesc };
  const reuse = orders.reuse && target.lacks('start') === undefined;
  const lanes = new Map<number, Lane>();
  const shelf = new Shelf();
  const lane = (number: number): Lane => {
    const one = lanes.get(number) ?? new Lane(how, reuse, shelf);
    lanes.set(number, one);
    return one;
  };
  return { target, lane, lanes };
}

class Worker {
  private orders: CrewOrders | undefined;
  private stage: Promise<Stage> | undefined;
  private stopped = false;
  /** The last case of each lane: the next one waits for it. */
  private readonly tails = new Map<number, Promise<void>>();
  private readonly numbers = new Map<string, number>();
  private readonly shown = new Set<string>();

  constructor(private readonly tell: (message: FromWorker) => void) {}

  hear(message: ToWorker): void {
    switch (message.say) {
      case 'orders':
        this.orders = message.orders;
        return;
      case 'case': {
        const { number, lane, scenario } = message;
        const before = this.tails.get(lane) ?? Promise.resolve();
        this.tails.set(
          lane,
          before.then(async () => this.tell(await this.answer(number, lane, scenario))),
        );
        return;
      }
      case 'stop':
        this.stopped = true;
        return;
      case 'close':
        void this.close();
    }
  }

  private async answer(number: number, lane: number, scenario: Scenario): Promise<FromWorker> {
    if (this.stopped) return { say: 'dropped', number };
    try {
      const stage = await this.ready();
      return { say: 'ran', number, result: await this.run(stage.lane(lane), scenario) };
    } catch (error) {
      const { name, message, stack } = error as Error;
      const failure: Failure = { name, message, ...(stack === undefined ? {} : { stack }) };
      return { say: 'failed', number, failure };
    }
  }

  /** What hinders it may be gone at the next case. */
  private ready(): Promise<Stage> {
    if (this.stage !== undefined) return this.stage;
    const stage = prepare(this.orders as CrewOrders);
    this.stage = stage;
    stage.catch(() => {
      this.stage = undefined;
    });
    return stage;
  }

  private async run(lane: Lane, scenario: Scenario): Promise<NumberedResult> {
    const result = resultOf(await lane.run(scenario), (symptom) => this.isShown(symptom));
    const news: string[] = [];
    const keys = result.keys.map((key) => {
      const known = this.numbers.get(key);
      if (known !== undefined) return known;
      const number = this.numbers.size;
      this.numbers.set(key, number);
      news.push(key);
      return number;
    });
    return { ...result, keys, news };
  }

  private isShown(symptom: Symptom): boolean {
    const id = signature(symptom);
    if (this.shown.has(id)) return true;
    this.shown.add(id);
    return false;
  }

  private async close(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.tails.values());
    const stage = await this.stage?.catch(() => undefined);
    await Promise.all([...(stage?.lanes.values() ?? [])].map((lane) => lane.close()));
    await stage?.target.close();
    const remark = stage?.target.remark;
    this.tell({ say: 'closed', ...(remark === undefined ? {} : { remark }) });
  }
}

if (process.send !== undefined) {
  const send = process.send.bind(process);
  const worker = new Worker((message) => send(message));
  process.on('message', (message: ToWorker) => worker.hear(message));
  // Whoever gave us work is gone, or needs no more.
  process.on('disconnect', () => process.exit(0));
  process.on('error', () => process.exit(0));
  // These reach a whole group of processes; what they mean is for the campaign to say, which then lets us go.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
}
