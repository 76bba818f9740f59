/**
 * The reference monitor as a target inside this process: nothing to start, nothing between it and the client but memory.
 * It is the same program in another environment; what it prints and how it ends is seen as it is of a process.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { hostClock } from '../../protocol/clock.js';
import type { DialectName } from '../../reference/dialects/dialect.js';
import { plant } from '../../reference/faults/index.js';
import { createMigration } from '../../reference/migration/index.js';
import { type Options, parseOptions } from '../../reference/monitor/options.js';
import type { Parts } from '../../reference/monitor/program.js';
import { UsageError } from '../../reference/monitor/usage-error.js';
import { loadSchema } from '../../reference/schema/index.js';
import { qemuArguments } from '../arguments.js';
import { theReaper } from '../reaper.js';
import { type Ability, NotOffered, RefusedStart, type StartOptions, type Target, TargetError } from '../target.js';
import { InProcessInstance } from './instance.js';
import { RamLoan } from './ram-store.js';
import { hostCarrier, type World } from './world.js';

export interface InProcessOptions {
  /** `reference` when absent. */
  readonly name?: string;
  /** The baseline when absent. */
  readonly dialect?: DialectName;
  /** Faults to plant, by name. */
  readonly faults?: readonly string[];
  /** Benign variations to plant, by name. */
  readonly variations?: readonly string[];
  /** MiB of guest RAM where a start does not say; 64 when absent. A smaller guest starts in a fraction of the time. */
  readonly memory?: number;
  /** Milliseconds that a reply may take; 5000 when absent. */
  readonly deadline?: number;
  /** The host's time, sockets and files unless a simulation has its own. */
  readonly world?: World;
}

/** Nothing of the host is needed to talk to it; migrations go over the host's sockets. */
export const hostWorld: World = {
  clock: hostClock,
  carrier: hostCarrier,
  scratch: () => {
    const path = theReaper().folder();
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
  },
};

/** Arguments that open further monitors. */
const monitorWords: ReadonlySet<string> = new Set(['-qmp', '-qmp-pretty', '-mon', '-chardev']);

/** A process runs in its folder, and names what lies there without it. */
function inFolder({ incoming, ...options }: StartOptions, folder: string): StartOptions {
  const relative = /^unix:(?!\/)(.+)$/.exec(incoming ?? '')?.[1];
  return incoming === undefined
    ? options
    : { ...options, incoming: relative ? `unix:${folder}/${relative}` : incoming };
}

/** What command lines mean; most starts have one of a few. */
const meanings = new Map<string, Options>();
const mostMeanings = 100;

/** @throws UsageError */
function meaningOf(args: readonly string[]): Options {
  const line = args.join('\0');
  let options = meanings.get(line);
  if (options === undefined) {
    options = parseOptions(args);
    if (meanings.size >= mostMeanings) meanings.clear();
    meanings.set(line, options);
  }
  return { ...options };
}

const parts: Parts = { schema: ({ name }) => loadSchema(name), createEngine: createMigration };

export class InProcessTarget implements Target {
  readonly name: string;
  readonly description: string;
  private readonly instances = new Set<InProcessInstance>();
  private readonly world: World;
  private ports = 0;

  constructor(private readonly options: InProcessOptions = {}) {
    this.name = options.name ?? 'reference';
    this.world = options.world ?? hostWorld;
    const faults = (options.faults ?? []).map((fault) => ` --fault ${fault}`).join('');
    const varied = (options.variations ?? []).map((one) => ` --vary ${one}`).join('');
    this.description = `reference ${options.dialect ?? '3.0'} in this process${faults}${varied}`;
  }

  lacks(_ability: Ability): string | undefined {
    return undefined;
  }

  /** @throws TargetError, NotOffered */
  async start(options: StartOptions = {}): Promise<InProcessInstance> {
    if (options.monitors?.some(({ transport }) => transport === 'stdio'))
      throw new NotOffered('a monitor in this process has no standard input');
    if (options.extra?.some((word) => monitorWords.has(word)))
      throw new NotOffered('a monitor in this process listens at no socket of its own');
    const { dialect = '3.0', faults = [], variations = [], deadline = 5000, memory } = this.options;
    const scratch = this.world.scratch();
    const loan = new RamLoan();
    const { args } = await qemuArguments(inFolder(options, scratch.path), scratch.path, async () => ++this.ports);
    try {
      const parsed = meaningOf(['--dialect', dialect, ...args]);
      if (this.world.memory !== undefined) parsed.memory = this.world.memory(options.memory);
      else if (options.memory === undefined && memory !== undefined) parsed.memory = memory * 2 ** 20;
      const honest = faults.length + variations.length === 0;
      const planted = honest ? undefined : plant(new Set(faults), new Set(variations));
      const instance = await InProcessInstance.start(
        { options, parsed, scratch, planted, deadline },
        this.world.ramMemory === undefined ? { ...this.world, ramMemory: loan.borrow } : this.world,
        parts,
      );
      this.instances.add(instance);
      instance.onDispose = () => {
        this.instances.delete(instance);
        loan.giveBack();
      };
      return instance;
    } catch (error) {
      scratch.remove();
      const { extra = [] } = options;
      // As of a program that leaves over arguments of a requirement's own.
      if (error instanceof UsageError && extra.length > 0)
        throw new RefusedStart(`it does not start with ${extra.join(' ')}: ${error.message}`);
      throw error instanceof TargetError ? error : new TargetError((error as Error).message);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.instances].map((instance) => instance.dispose()));
  }
}
