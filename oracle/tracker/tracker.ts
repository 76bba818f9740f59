/**
 * Follows one process through the model: keeps every hypothesis of what it may be doing, and lets each observation strike
 * out those that it contradicts (as in ioco conformance testing). When none is left, that observation is the divergence,
 * and the last set says what was permitted.
 */

import type { MigrationRules } from '../../reference/dialects/migration.js';
import type { ModelState } from '../../reference/model/index.js';
import { Cores } from './core.js';
import { describeState } from './describe-state.js';
import type { Emission } from './emission.js';
import { FatalDefects } from './fatal-defects.js';
import { at, Hypotheses, type Hypothesis, hypothesis } from './hypothesis.js';
import { judgedEvents } from './judged-events.js';
import { describeObservation, type Observation } from './observation.js';
import { Places, Position, type Question } from './places.js';
import { Queue } from './queue.js';
import { mostHypotheses, Search, type Seen } from './search.js';
import type { Sent } from './sent.js';
import { Space } from './space.js';
import { type Permitted, type TrackedDivergence, trackedDivergence } from './tracked-divergence.js';
import { begun, executed, mergeTrails, type Transitions, transitionsOf } from './trail.js';
import { isUrgent } from './urgent.js';

export interface TrackerOptions {
  readonly rules: MigrationRules;
  /** Every state that the process may be in at the beginning. */
  readonly initial: readonly ModelState[];
  /** The process has only just begun, so that no pass has been counted in it. */
  readonly fresh?: boolean;
  /** Known defects of the target's version. */
  readonly defects?: ReadonlySet<string>;
  readonly strictDesc?: boolean;
  /** Keep which transitions were taken, for {@link Tracker.transitions}. */
  readonly trails?: boolean;
}

const over: ReadonlySet<string> = new Set(['none', 'completed', 'failed', 'cancelled']);

export class Tracker {
  private position: Position;
  /** States of the set that was last asked for them. */
  private shown: { readonly set: readonly Hypothesis[]; readonly states: readonly ModelState[] } = {
    set: [],
    states: [],
  };
  private readonly cores: Cores;
  private readonly queue: Queue;
  private readonly search: Search;
  private readonly strictDesc: boolean;
  private readonly fatal: FatalDefects;
  /** What was taken before the last time that nothing was seen. */
  private before: Transitions = { sure: [], possible: [] };

  constructor(options: TrackerOptions) {
    const defects = options.defects ?? new Set();
    this.fatal = new FatalDefects(defects);
    this.strictDesc = options.strictDesc ?? false;
    this.cores = Cores.of(Space.of(options.rules, defects));
    this.queue = new Queue(this.strictDesc);
    this.search = new Search(this.cores, this.queue, this.strictDesc);
    const pass = options.fresh === true ? 0 : undefined;
    const trail = options.trails === true ? begun() : undefined;
    const initial = options.initial.map((state) =>
      hypothesis(this.cores.first(state), this.cores.space.halves(state).tuning, 0, [], pass, trail),
    );
    this.position = Position.of(initial, Places.of(this.cores), this.queue);
  }

  private get set(): readonly Hypothesis[] {
    return this.position.hypotheses;
  }

  private set set(hypotheses: readonly Hypothesis[]) {
    this.position = Position.of(hypotheses, Places.of(this.cores), this.queue);
  }

  /** Transitions that led to the present hypotheses; none unless they are kept. */
  get transitions(): Transitions {
    const now = transitionsOf(this.set, this.cores);
    const { sure, possible } = this.before;
    return { sure: [...sure, ...now.sure], possible: [...possible, ...now.possible] };
  }

  /** The present hypotheses. */
  get hypotheses(): readonly Hypothesis[] {
    return this.set;
  }

  /** The states that the process may be in. */
  get modelStates(): readonly ModelState[] {
    if (this.shown.set !== this.set)
      this.shown = { set: this.set, states: this.set.map(({ core, tuning }) => core.node.with(tuning)) };
    return this.shown.states;
  }

  /** Known defects that every hypothesis needs. */
  get defects(): readonly string[] {
    const clean = this.set.some(({ core }) => core.defects.length === 0);
    return clean ? [] : [...new Set(this.set.flatMap(({ core }) => core.defects))];
  }

  /** The client has sent this message on the first connection. */
  send(sent: Sent): void {
    this.fatal.remember(sent);
    this.queue.add(sent);
  }

  /**
   * The client has sent this message on another connection.
   * @param previous what this gave for the message before it on that connection
   * @returns a number for {@link answer}
   */
  sendApart(sent: Sent, previous: number | undefined): number {
    this.fatal.remember(sent);
    return this.queue.addApart(sent, previous);
  }

  /** Judges an observation of the first connection; `undefined` when it is permitted. */
  observe(seen: Observation): TrackedDivergence | undefined {
    if (seen.kind === 'event' && !judgedEvents.has(seen.event)) return undefined;
    const habit = seen.kind === 'quiet' ? undefined : this.position.after(seen, this.strictDesc);
    if (habit !== undefined) {
      this.position = habit;
      return undefined;
    }
    const next = seen.kind === 'quiet' ? this.afterQuiet() : this.after(seen);
    if (next.length > 0) {
      this.set = this.queue.tidy(next);
      return undefined;
    }
    if (seen.kind === 'quiet') return this.diverge(seen, this.dueOutputs(), this.fatal.ofHang(...this.modelStates));
    const death = seen.kind === 'exit' ? this.fatal.ofDeath(seen.signal, this.modelStates) : undefined;
    return this.diverge(seen, this.firstOutputs(), death);
  }

  /**
   * Judges a reply on another connection. Its command was executed at some moment up to now, but what the first connection
   * shows of that moment may still be to come: hypotheses that have not executed it keep the reply in mind.
   */
  answer(index: number, reply: Extract<Observation, { kind: 'reply' }>): TrackedDivergence | undefined {
    if (!this.queue.isOpen(index)) return undefined;
    const before = this.set;
    this.queue.see(index, reply);
    const next = before.flatMap((one) => {
      if (!one.done.includes(index)) return [one];
      const core = this.queue.answeredWith(this.cores, one.core, index, reply);
      return core === undefined ? [] : [at(one, core)];
    });
    if (next.some(({ done }) => done.includes(index)) || this.mayExecute(next, index)) {
      this.set = this.queue.tidy(next);
      return undefined;
    }
    return this.diverge(reply, this.queue.wouldAnswer(this.cores, before, index));
  }

  /**
   * Strikes out the hypotheses that something outside the process contradicts.
   * @param bound tells what a hypothesis contradicts, in words; `undefined` when nothing
   */
  restrict(seen: Observation, bound: (hypothesis: Hypothesis) => Permitted | undefined): TrackedDivergence | undefined {
    const rest = this.set.filter((one) => bound(one) === undefined);
    if (rest.length === this.set.length) return undefined;
    if (rest.length > 0) {
      this.set = rest;
      return undefined;
    }
    const permitted = new Map(this.set.map((one) => bound(one)).map((one) => [one?.words, one]));
    return {
      observation: seen,
      got: describeObservation(seen),
      permitted: [...permitted.values()].flatMap((one) => (one === undefined ? [] : [one])),
      states: this.states,
      defects: [],
    };
  }

  /** No outgoing migration is under way, whatever the process may be doing. */
  get idle(): boolean {
    return this.set.every(
      (one) =>
        over.has(one.state.out.status) &&
        one.state.out.phase === 'idle' &&
        !one.state.out.lingering &&
        one.core.pending.length === 0 &&
        !this.queue.waits(one),
    );
  }

  /** Where the process may be, in words. */
  private get states(): string[] {
    return [...new Set(this.set.map(({ state }) => describeState(state)))];
  }

  /** Whether some hypothesis can come to execute a command with the reply that was seen, whatever else it shows first. */
  private mayExecute(set: readonly Hypothesis[], index: number): boolean {
    const visited = new Hypotheses();
    const todo = set.map((one) => at(one, this.cores.unseen(one.core)));
    for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
      if (one.done.includes(index)) return true;
      if (visited.add(one) !== undefined) continue;
      if (visited.size > mostHypotheses) return true;
      for (const { to } of this.cores.moves(one.core)) todo.push(at(one, this.cores.unseen(to)));
      for (const next of this.queue.executions(this.cores, one, one.core))
        todo.push(at(next, this.cores.unseen(next.core)));
    }
    return false;
  }

  /**
   * Nothing was seen for a while (no connection in command mode): anything may have happened, unseen, and what had been
   * sent may have been executed or lost with the connection (QMP-TRANS-15).
   */
  blind(): void {
    const seen = new Hypotheses();
    // What was taken before it went dark stays sure, whatever happened then.
    this.before = this.transitions;
    const trail = this.set.some((one) => one.trail !== undefined) ? begun() : undefined;
    const todo = this.set.map((one) => ({ ...at(one, this.cores.unseen(one.core)), trail }));
    for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
      if (seen.size > mostHypotheses) continue;
      const same = seen.add(one);
      if (same !== undefined) {
        mergeTrails(same.trail, one.trail);
        continue;
      }
      for (const move of this.cores.moves(one.core)) {
        const next = at(one, this.cores.unseen(move.to));
        todo.push(move.side === undefined ? next : { ...next, trail: executed(one.trail, one.core, move) });
      }
      for (const next of this.queue.executions(this.cores, one, one.core))
        todo.push(at(next, this.cores.unseen(next.core)));
    }
    const rest = new Hypotheses();
    for (const { core, tuning, trail: way } of seen.all) {
      if (core.state.replyOwed || core.state.stopOwed) continue;
      const bare = this.cores.core({ ...core, owed: undefined, held: undefined, apart: [] });
      const same = rest.add(hypothesis(bare, tuning, this.queue.length, [], undefined, way));
      if (same !== undefined) mergeTrails(same.trail, way);
    }
    this.queue.forget();
    this.set = rest.all;
  }

  private after(seen: Seen): readonly Hypothesis[] {
    const { position } = this;
    const answers: [Question, boolean][] = [];
    const next = this.search.after(position.hypotheses, seen, (question, answer) => answers.push([question, answer]));
    position.learn(seen, this.strictDesc, answers, next);
    return next;
  }

  /** Silence: nothing is pending, no command is unanswered, and nothing remains that must happen by itself. */
  private afterQuiet(): readonly Hypothesis[] {
    const rest = new Hypotheses();
    for (const one of this.set) {
      if (one.core.pending.length > 0 || this.queue.waits(one)) continue;
      for (const core of this.cores.reach(one.core).calm) {
        if (!this.cores.moves(core).some((move) => isUrgent(move, core))) {
          rest.add(at(one, core));
          continue;
        }
        const stuck = this.fatal.ofHang(core.state);
        if (stuck !== undefined) rest.add(at(one, this.cores.assuming(core, stuck)));
      }
    }
    return rest.all;
  }

  private diverge(seen: Observation, outputs: readonly Emission[], defect?: string): TrackedDivergence {
    return trackedDivergence(seen, outputs, this.states, defect);
  }

  /** Every output that should have come by itself. */
  private dueOutputs(): Emission[] {
    const result = new Set<Emission>();
    for (const one of this.set) {
      for (const calm of this.cores.reach(one.core).calm) {
        const due = this.cores.moves(calm).filter((move) => isUrgent(move, calm));
        for (const { pending } of [calm, ...due.map(({ to }) => to)]) {
          if (pending[0] !== undefined) result.add(this.queue.inFull(one, pending[0]));
        }
      }
    }
    return [...result];
  }

  /** Every output that could have come next. */
  private firstOutputs(): Emission[] {
    const result = new Set<Emission>();
    this.search.fronts(
      this.set,
      0,
      () => true,
      (front) => {
        const [first] = front.core.pending;
        if (first !== undefined) result.add(this.queue.inFull(front, first));
      },
    );
    return [...result];
  }
}
