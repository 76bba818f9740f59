/**
 * What a process may be doing, without what only counts (how many commands it has executed, the number of its last pass):
 * so the same core comes back again and again, and what can follow from it is worked out once.
 */
import type { ModelState, Side } from '../../reference/model/index.js';
import { type CommandRef, type Emission, type Emitted, latest } from './emission.js';
import type { Sent } from './sent.js';
import type { Happening, Space, StateNode } from './space.js';

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
 * How far the present outgoing migration has come, or had come when it ended: nothing was connected; its channel was connected;
 * the last of its stream may have been written.
 */
export type Progress = 'none' | 'connected' | 'written';

export interface Core extends Parts {
  /** Equal for equal cores. */
  readonly number: number;
  readonly state: ModelState;
  /** Put out by the model and not yet seen, in order. */
  readonly pending: readonly Emission[];
  /** Command whose reply the model owes as a step of its own. */
  readonly owed: CommandRef | undefined;
  /**
   * A reply whose handler has run and whose text is fixed, on its way out: events of other threads may still be written
   * before it.
   */
  readonly held: Emission | undefined;
  /** Replies to other connections, in no order to anything. */
  readonly apart: readonly Emission[];
  /** Known defects that had to be assumed to get here. */
  readonly defects: readonly string[];
}

/** A label for a move: what happened, for explanations. */
export interface Move {
  readonly label: string;
  readonly rows: readonly string[];
  readonly to: Core;
  /** Absent for a reply that leaves. */
  readonly side?: Side | 'command' | 'defect';
}

/** Where moves that show nothing lead to, and the first ones that show something. */
export interface Reach {
  /** Nothing more was put out on the way there; the beginning is one of them. */
  readonly calm: readonly Core[];
  readonly fronts: readonly Core[];
}

interface Memo {
  moves?: readonly Move[];
  reach?: Reach;
  readonly commands: Map<string, readonly Move[]>;
  readonly without: (Core | undefined)[];
}

/** Cores kept; more than a long campaign needs at a time. */
const mostCores = 40_000;
const mostCommands = 500;

/** How a command is executed. */
export interface Execution {
  readonly sent: Sent;
  /** {@link effectKey} of it. */
  readonly key: string;
  readonly ref: CommandRef;
  /** Its reply goes to another connection than the first. */
  readonly apart: boolean;
}

export class Cores {
  private static readonly all = new WeakMap<Space, Cores>();
  private known = new Map<string, Core>();
  private readonly memos = new WeakMap<Core, Memo>();

  private constructor(readonly space: Space) {}

  static of(space: Space): Cores {
    const cores = Cores.all.get(space) ?? new Cores(space);
    Cores.all.set(space, cores);
    return cores;
  }

  first(state: ModelState): Core {
    const node = this.space.node(state);
    const none = { owed: undefined, held: undefined, pending: [], apart: [], defects: [] };
    return this.core({ ...none, node, progress: 'none' });
  }

  /** The one core with these parts. */
  core({ node, pending, owed, held, apart, defects, progress }: Parts): Core {
    let key = `${node.number},${owed},${held?.number},${progress}`;
    for (const { number } of pending) key += ` ${number}`;
    if (apart.length > 0) key += `|${apart.map(({ number }) => number).join(' ')}`;
    if (defects.length > 0) key += `|${defects.join(' ')}`;
    let core = this.known.get(key);
    if (core === undefined) {
      if (this.known.size >= mostCores) this.known = new Map();
      core = { number: this.space.unique(), node, state: node.state, pending, owed, held, apart, defects, progress };
      this.known.set(key, core);
    }
    return core;
  }

  private memo(core: Core): Memo {
    let memo = this.memos.get(core);
    if (memo === undefined) {
      memo = { commands: new Map(), without: [] };
      this.memos.set(core, memo);
    }
    return memo;
  }

  /** The core after its pending output at `index` was seen. */
  without(core: Core, index: number): Core {
    const { without } = this.memo(core);
    without[index] ??= this.core({ ...core, pending: core.pending.filter((_, i) => i !== index) });
    return without[index];
  }

  /** Everything that may happen by itself. */
  moves(core: Core): readonly Move[] {
    const memo = this.memo(core);
    if (memo.moves !== undefined) return memo.moves;
    const moves: Move[] = [];
    if (core.state.exit === null) {
      for (const step of core.node.steps) moves.push(this.step(core, step));
      const { held } = core;
      if (held !== undefined) {
        const to = this.core({ ...core, held: undefined, pending: [...core.pending, held] });
        moves.push({ label: 'reply', rows: held.rows, to });
      }
    }
    memo.moves = moves;
    return moves;
  }

  private step(core: Core, { label, rows, outputs, next, defect, side }: Happening): Move {
    const pays = core.owed !== undefined && core.state.replyOwed && !next.state.replyOwed;
    const emissions = outputs.map((output) => this.space.emission(output, 'step', rows, core.owed));
    const to = this.core({
      ...core,
      node: next,
      pending: [...core.pending, ...emissions, ...this.exit(next.state, rows)],
      owed: pays ? undefined : core.owed,
      defects: withDefect(core, defect),
      progress: label === 'stray-connected' ? 'connected' : progressOf(next.state, core.progress),
    });
    const whose = defect === undefined ? side : 'defect';
    return { label, rows, to, ...(whose === undefined ? {} : { side: whose }) };
  }

  /** What may come of executing a message. The next one of the first connection waits until a reply is out. */
  execute(core: Core, execution: Execution): readonly Move[] {
    const { sent, key, ref, apart } = execution;
    if (core.state.exit !== null) return [];
    if ((ref === latest || apart) && (core.owed !== undefined || core.held !== undefined)) return [];
    const { commands } = this.memo(core);
    const whole = ref === latest ? key : `${ref} ${key}`;
    let moves = commands.get(whole);
    if (moves === undefined) {
      moves = core.node.outcomes(sent, key).map((one) => this.executed(core, execution, one));
      if (commands.size >= mostCommands) commands.clear();
      commands.set(whole, moves);
    }
    return moves;
  }

  private executed(core: Core, { sent, ref, apart }: Execution, happening: Happening): Move {
    const { label, rows, outputs, defect } = happening;
    const side = defect === undefined ? 'command' : 'defect';
    const emissions = outputs.map((output) => this.space.emission(output, 'command', rows, ref));
    const replied = outputs.some(({ kind }) => kind === 'reply');
    const parts = {
      ...core,
      node: happening.next,
      defects: withDefect(core, defect),
      progress: progressOf(happening.next.state, core.progress),
    };
    const exit = this.exit(happening.next.state, rows);
    if (apart) {
      // A reply to another connection has no order to what the first one shows, late or not.
      const own = replied
        ? emissions.filter(({ output }) => output.kind === 'reply')
        : [this.space.emission({ kind: 'reply', ok: true }, 'command', rows, ref)];
      const node = replied ? parts.node : this.space.node({ ...parts.node.state, replyOwed: false });
      const events = emissions.filter(({ output }) => output.kind !== 'reply');
      const to = { ...parts, node, pending: [...core.pending, ...events, ...exit], apart: [...core.apart, ...own] };
      return { label, rows, side, to: this.core(to) };
    }
    const pending = [...core.pending, ...emissions, ...exit];
    if ((sent.kind !== 'modelled' && sent.kind !== 'generic') || defect !== undefined) {
      return { label, rows, side, to: this.core({ ...parts, pending }) };
    }
    const owed = replied ? core.owed : ref;
    const last = pending.at(-1);
    const late = core.held === undefined && last?.output.kind === 'reply' && this.mayLag(sent.name, outputs);
    const to = late ? { ...parts, owed, held: last, pending: pending.slice(0, -1) } : { ...parts, owed, pending };
    return { label, rows, side, to: this.core(to) };
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

  private exit(state: ModelState, rows: readonly string[]): Emission[] {
    return state.exit === null
      ? []
      : [this.space.emission({ kind: 'exit', code: state.exit }, 'step', rows, undefined)];
  }

  /** Where moves by itself lead before they put out anything more. */
  reach(core: Core): Reach {
    const memo = this.memo(core);
    if (memo.reach !== undefined) return memo.reach;
    const most = core.pending.length;
    const calm = new Set([core]);
    const fronts = new Set<Core>();
    for (const one of calm) {
      for (const { to } of this.moves(one)) (to.pending.length > most ? fronts : calm).add(to);
    }
    memo.reach = { calm: [...calm], fronts: [...fronts] };
    return memo.reach;
  }

  /** The core without what nobody was there to see; the end of the process is seen even so. */
  unseen(core: Core): Core {
    if (core.pending.length === 0) return core;
    return this.core({ ...core, pending: core.pending.filter(({ output }) => output.kind === 'exit') });
  }
}

const isRefusal = ([only, ...more]: readonly Emitted[]): boolean =>
  only?.kind === 'reply' && 'ok' in only && !only.ok && more.length === 0;

const withDefect = (core: Core, defect: string | undefined): readonly string[] =>
  defect === undefined || core.defects.includes(defect) ? core.defects : [...core.defects, defect];

/** Phases in which a migration's channel is not connected, or not known to be. */
const unconnected: ReadonlySet<string> = new Set(['idle', 'connecting', 'stuck', 'settling']);
/** Phases in which the end of the stream may have been written. */
const writing: ReadonlySet<string> = new Set(['last-round', 'final-wait', 'colo-waiting']);

function progressOf({ out }: ModelState, before: Progress): Progress {
  if (out.status === 'none' || (out.status === 'setup' && out.phase === 'connecting')) return 'none';
  if (out.status === 'completed' || writing.has(out.phase)) return 'written';
  if (out.status === 'setup' && out.phase === 'streaming') return 'connected';
  return before === 'none' && !unconnected.has(out.phase) ? 'connected' : before;
}
