/**
 * What a process may be doing, without what only counts (how many commands it has executed, the number of its last pass):
 * so the same core comes back again and again, and what can follow from it is worked out once.
 */
import type { ModelState, Side } from '../../reference/model/index.js';
import { type CommandRef, type Emission, type Emitted, latest } from './emission.js';
import { type Progress, progresses, progressOf } from './progress.js';
import type { Sent } from './sent.js';
import type { Happening, Space, StateNode } from './space.js';
import type { Taken } from './transition-name.js';
import type { Tuning } from './tuning.js';

interface Parts {
  readonly node: StateNode;
  readonly pending: readonly Emission[];
  readonly owed: CommandRef | undefined;
  readonly held: Emission | undefined;
  readonly apart: readonly Emission[];
  readonly defects: readonly string[];
  readonly progress: Progress;
}

/**
 * What is worked out once for a core; for {@link Cores} alone. Most cores are met once or twice in hours, with one command and
 * for one thing that is seen of them: what is kept must be small, or the collection of garbage costs more than it spares.
 */
class Memo {
  moves: readonly Move[] | undefined;
  reach: Reach | undefined;
  /** The command that came first, and where it leads. */
  command: string | undefined;
  outcomes: readonly Move[] | undefined;
  /** Every other one. */
  commands: Map<string, readonly Move[]> | undefined;
  /** Without the first of what is pending, and without any other one. */
  rest: Core | undefined;
  without: (Core | undefined)[] | undefined;
}

export class Core extends Memo implements Parts {
  readonly state: ModelState;

  constructor(
    /** Equal for equal cores. */
    readonly number: number,
    readonly node: StateNode,
    /** Put out by the model and not yet seen, in order. */
    readonly pending: readonly Emission[],
    /** Command whose reply the model owes as a step of its own. */
    readonly owed: CommandRef | undefined,
    /**
     * A reply whose handler has run and whose text is fixed, on its way out: events of other threads may still be written
     * before it.
     */
    readonly held: Emission | undefined,
    /** Replies to other connections, in no order to anything. */
    readonly apart: readonly Emission[],
    /** Known defects that had to be assumed to get here. */
    readonly defects: readonly string[],
    readonly progress: Progress,
  ) {
    super();
    this.state = node.state;
  }
}

/** What a command changes beside the state. */
type Changed = Partial<Pick<Parts, 'node' | 'owed' | 'held' | 'apart'>>;
type Change = Changed | (() => Changed);

/**
 * A move: what happened, for explanations, and where it leads to, which is looked up when somebody goes there. There are
 * hundreds of thousands: each is one object, without functions of its own.
 */
export class Move {
  private there: Core | undefined;
  /** What it puts out first, if anything. */
  readonly first: Emission | undefined;

  constructor(
    private readonly cores: Cores,
    private readonly from: Core,
    /** Absent for a reply that leaves. */
    private readonly happening: Happening | undefined,
    private readonly own: readonly Emission[],
    /** Of a command; absent for everything else. */
    private readonly change?: Change,
  ) {
    this.first = own[0];
  }

  get label(): string {
    return this.happening?.label ?? 'reply';
  }

  get rows(): readonly string[] {
    return this.happening?.rows ?? this.first?.rows ?? [];
  }

  /** Absent for a reply that leaves. */
  get side(): Side | 'command' | 'defect' | undefined {
    if (this.happening?.defect !== undefined) return 'defect';
    return this.change === undefined ? this.happening?.side : 'command';
  }

  /** What is taken with it; absent for a reply that leaves. */
  get taken(): Taken | undefined {
    const { label, rows, side, from } = this;
    return side === undefined ? undefined : { side, label, rows, from: from.state };
  }

  /** The tuning after it; absent where that stays as it is. */
  get tuning(): Tuning | undefined {
    return this.happening?.tuning;
  }

  get to(): Core {
    this.there ??= this.go();
    return this.there;
  }

  private go(): Core {
    const { cores, from, happening, own, change } = this;
    const pending = own.length === 0 ? from.pending : [...from.pending, ...own];
    const { owed, apart } = from;
    if (happening === undefined)
      return cores.core(from.node, pending, owed, undefined, apart, from.defects, from.progress);
    const { state, next, label, defect: assumed } = happening;
    const defects = withDefect(from, assumed);
    if (change !== undefined) {
      const progress = progressOf(state, from.progress);
      const changed = typeof change === 'function' ? change() : change;
      const held = 'held' in changed ? changed.held : from.held;
      const owes = 'owed' in changed ? changed.owed : owed;
      return cores.core(changed.node ?? next, pending, owes, held, changed.apart ?? apart, defects, progress);
    }
    const pays = owed !== undefined && from.state.replyOwed && !state.replyOwed;
    const progress = label === 'stray-connected' ? 'connected' : progressOf(state, from.progress);
    return cores.core(next, pending, pays ? undefined : owed, from.held, apart, defects, progress);
  }
}

const nothingElse: Change = {};
const nothing: readonly never[] = [];

/** Where moves that show nothing lead to, and the first ones that show something. */
export interface Reach {
  /** Nothing more was put out on the way there; the beginning is one of them. */
  readonly calm: readonly Core[];
  readonly fronts: readonly Move[];
}

/** Cores that were met lately; as many again are kept of those before. A campaign goes on to meet new ones for hours. */
const mostCores = 30_000;
const mostCommands = 500;

/** How a command is executed. */
export interface Execution {
  readonly sent: Sent;
  /** {@link effectKey} of it. */
  readonly key: string;
  /** See {@link tunes}. */
  readonly tunes: boolean;
  readonly ref: CommandRef;
  /** Its reply goes to another connection than the first. */
  readonly apart: boolean;
  /** Until its reply is out nothing else can be executed that may show on the first connection. */
  readonly alone: boolean;
}

export class Cores {
  private static readonly all = new WeakMap<Space, Cores>();
  private known = new Map<StateNode, Map<number | string, Core>>();
  /** Those that were known before: what is met again stays. */
  private older = new Map<StateNode, Map<number | string, Core>>();
  private count = 0;

  private constructor(readonly space: Space) {}

  static of(space: Space): Cores {
    const cores = Cores.all.get(space) ?? new Cores(space);
    Cores.all.set(space, cores);
    return cores;
  }

  first(state: ModelState): Core {
    const node = this.space.node(state);
    return this.core(node, nothing, undefined, undefined, nothing, nothing, 'none');
  }

  /** As it is, but for some parts. */
  changed(core: Core, parts: Partial<Parts>): Core {
    const { node, pending, owed, held, apart, defects, progress } = { ...core, ...parts };
    return this.core(node, pending, owed, held, apart, defects, progress);
  }

  /** The one core with these parts. */
  core(
    node: StateNode,
    pending: readonly Emission[],
    owed: CommandRef | undefined,
    held: Emission | undefined,
    apart: readonly Emission[],
    defects: readonly string[],
    progress: Progress,
  ): Core {
    if (this.count >= mostCores) {
      this.older = this.known;
      this.known = new Map();
      this.count = 0;
    }
    const here = this.known.get(node) ?? this.recall(node);
    const bare = owed === undefined && held === undefined && apart.length === 0 && defects.length === 0;
    let key: number | string;
    // Most have no more than that, and a number is made and found faster than a text.
    if (bare && pending.length <= 1) key = 4 * (pending[0]?.number ?? 0) + progresses.indexOf(progress);
    else {
      key = `${owed},${held?.number},${progress}`;
      for (const { number } of pending) key += ` ${number}`;
      if (apart.length > 0) key += `|${apart.map(({ number }) => number).join(' ')}`;
      if (defects.length > 0) key += `|${defects.join(' ')}`;
    }
    let core = here.get(key);
    if (core === undefined) {
      core = new Core(this.space.unique(), node, pending, owed, held, apart, defects, progress);
      here.set(key, core);
      this.count++;
    }
    return core;
  }

  /** The cores of a node that none was met of lately. */
  private recall(node: StateNode): Map<number | string, Core> {
    const here = this.older.get(node) ?? new Map<number | string, Core>();
    this.older.delete(node);
    this.known.set(node, here);
    this.count += here.size;
    return here;
  }

  /** The core after its pending output at `index` was seen. */
  without(core: Core, index: number): Core {
    if (index === 0) {
      core.rest ??= this.leaving(core, 0);
      return core.rest;
    }
    core.without ??= [];
    core.without[index] ??= this.leaving(core, index);
    return core.without[index];
  }

  private leaving({ node, pending, owed, held, apart, defects, progress }: Core, index: number): Core {
    const rest = pending.length === 1 ? nothing : pending.filter((_, i) => i !== index);
    return this.core(node, rest, owed, held, apart, defects, progress);
  }

  /** Everything that may happen by itself. */
  moves(core: Core): readonly Move[] {
    core.moves ??= this.movesOf(core);
    return core.moves;
  }

  private movesOf(core: Core): readonly Move[] {
    const { held } = core;
    if (core.state.exit !== null || (held === undefined && core.node.steps.length === 0)) return nothing;
    const moves = core.node.steps.map((step) => this.step(core, step));
    if (held !== undefined) moves.push(new Move(this, core, undefined, [held]));
    return moves;
  }

  private step(core: Core, happening: Happening): Move {
    const { rows, state } = happening;
    return new Move(this, core, happening, this.withExit(happening.emitted('step', core.owed), state, rows));
  }

  /** Whether a message in its order can be executed: the process lives, and no reply is on its way. */
  mayExecute({ state, owed, held }: Core): boolean {
    return state.exit === null && owed === undefined && held === undefined;
  }

  /** What may come of executing a message. The next one of the first connection waits until a reply is out. */
  execute(core: Core, execution: Execution, tuning: Tuning): readonly Move[] {
    const { sent, ref, apart } = execution;
    const key = keyWith(execution, tuning);
    if (core.state.exit !== null) return nothing;
    if ((ref === latest || apart) && !this.mayExecute(core)) return nothing;
    // Out of band on the first connection and on another one are two things, though both are counted as outside the order.
    const whole = ref === latest ? key : `${apart ? 'apart ' : ''}${ref} ${key}`;
    if (core.command === whole && core.outcomes !== undefined) return core.outcomes;
    const known = core.commands?.get(whole);
    if (known !== undefined) return known;
    const moves = core.node.outcomes(sent, key, tuning).map((one) => this.executed(core, execution, one));
    if (core.command === undefined) {
      core.command = whole;
      core.outcomes = moves;
    } else {
      core.commands ??= new Map();
      if (core.commands.size >= mostCommands) core.commands.clear();
      core.commands.set(whole, moves);
    }
    return moves;
  }

  private executed(core: Core, execution: Execution, happening: Happening): Move {
    const { sent, ref, apart } = execution;
    const { rows, outputs, defect, state } = happening;
    const emissions = happening.emitted('command', ref);
    const replied = outputs.some(({ kind }) => kind === 'reply');
    if (apart) {
      // A reply to another connection has no order to what the first one shows, late or not.
      const own = replied
        ? emissions.filter(({ output }) => output.kind === 'reply')
        : [this.space.emission({ kind: 'reply', ok: true }, 'command', rows, ref)];
      const events = emissions.filter(({ output }) => output.kind !== 'reply');
      return new Move(this, core, happening, this.withExit(events, state, rows), () => ({
        ...(replied ? {} : { node: this.space.node({ ...state, replyOwed: false }) }),
        apart: [...core.apart, ...own],
      }));
    }
    const own = this.withExit(emissions, state, rows);
    if ((sent.kind !== 'modelled' && sent.kind !== 'generic') || defect !== undefined)
      return new Move(this, core, happening, own, nothingElse);
    const owed = replied ? core.owed : ref;
    const last = own.at(-1);
    const lags = core.held === undefined && last?.output.kind === 'reply' && this.mayLag(sent.name, outputs);
    // Where nothing happens by itself nothing can overtake it.
    if (lags && !(execution.alone && happening.next.steps.length === 0))
      return new Move(this, core, happening, own.slice(0, -1), { owed, held: last });
    return new Move(this, core, happening, own, owed === core.owed ? nothingElse : { owed });
  }

  /**
   * Whether the reply of a command may be overtaken by events that are raised after its handler. Never that of a `migrate`
   * that has begun, whose events all need the lock that its handler holds (MIG-SM-O12); where the dialect writes replies
   * apart from their handlers, that of any other command; else only that of a query, which changes nothing that an event
   * could follow.
   */
  private mayLag(name: string, outputs: readonly Emitted[]): boolean {
    if (name === 'migrate' && !isRefusal(outputs)) return false;
    return this.space.rules.lateReplies || name.startsWith('query-');
  }

  /** The emissions, and behind them the end of the process where the state is that. */
  private withExit(own: readonly Emission[], { exit }: ModelState, rows: readonly string[]): readonly Emission[] {
    if (exit === null) return own;
    return [...own, this.space.emission({ kind: 'exit', code: exit }, 'step', rows, undefined)];
  }

  /** Where moves by itself lead before they put out anything more. */
  reach(core: Core): Reach {
    core.reach ??= this.reachOf(core);
    return core.reach;
  }

  private reachOf(core: Core): Reach {
    const first = this.moves(core);
    // Mostly everything that may happen shows something, and often nothing may.
    if (first.every((move) => move.first !== undefined)) return { calm: [core], fronts: first };
    const calm = new Set([core]);
    const fronts: Move[] = [];
    for (const one of calm) {
      for (const move of this.moves(one)) {
        if (move.first === undefined) calm.add(move.to);
        else fronts.push(move);
      }
    }
    return { calm: [...calm], fronts };
  }

  /** The core, if this known defect is what explains it. */
  assuming(core: Core, defect: string): Core {
    return this.changed(core, { defects: withDefect(core, defect) });
  }

  /** The core without what nobody was there to see; the end of the process is seen even so. */
  unseen(core: Core): Core {
    if (core.pending.length === 0) return core;
    return this.changed(core, { pending: core.pending.filter(({ output }) => output.kind === 'exit') });
  }
}

/** Text that is equal for executions that do the same, with this tuning, wherever they do it. */
export const keyWith = ({ key, tunes }: Execution, tuning: Tuning): string => (tunes ? `${key} ${tuning.number}` : key);

const isRefusal = (outputs: readonly Emitted[]): boolean => {
  const last = outputs.at(-1);
  return last?.kind === 'reply' && 'ok' in last && !last.ok;
};

const withDefect = (core: Core, defect: string | undefined): readonly string[] =>
  defect === undefined || core.defects.includes(defect) ? core.defects : [...core.defects, defect];
