/**
 * Follows one process through the model: keeps every hypothesis of what it may be doing, and lets each observation strike
 * out those that it contradicts (as in ioco conformance testing). When none is left, that observation is the divergence,
 * and the last set says what was permitted.
 */

import type { JsonValue } from '../../protocol/json.js';
import type { MigrationRules } from '../../reference/dialects/migration.js';
import type { ModelState } from '../../reference/model/index.js';
import { type Core, Cores } from './core.js';
import { describeState } from './describe-state.js';
import type { Emission } from './emission.js';
import { FatalDefects } from './fatal-defects.js';
import { History, type Step, type Transitions } from './history.js';
import { at, Hypotheses, type Hypothesis, hypothesis } from './hypothesis.js';
import { judgedEvents } from './judged-events.js';
import { describeObservation, type Observation } from './observation.js';
import { Places, Position } from './places.js';
import type { Answer, Question } from './question.js';
import { Queue } from './queue.js';
import { mostHypotheses, Search, type Seen } from './search.js';
import type { Sent } from './sent.js';
import { Space } from './space.js';
import { type Permitted, type TrackedDivergence, trackedDivergence } from './tracked-divergence.js';
import { arrived, begun, executed, mergeTrails, onward, stepTo, walked } from './trail.js';
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
  /** Search for everything anew: to compare with what is remembered. */
  readonly forgetful?: boolean;
}

const over: ReadonlySet<string> = new Set(['none', 'completed', 'failed', 'cancelled']);

export class Tracker {
  private position: Position;
  private readonly all: Cores;
  private readonly queue: Queue;
  private readonly search: Search;
  private readonly strictDesc: boolean;
  private readonly fatal: FatalDefects;
  /** What was taken so far, where that is kept. */
  private history: History | undefined;
  private readonly forgetful: boolean;

  constructor(options: TrackerOptions) {
    const defects = options.defects ?? new Set();
    this.fatal = new FatalDefects(defects);
    this.strictDesc = options.strictDesc ?? false;
    this.all = Cores.of(Space.of(options.rules, defects));
    this.queue = new Queue(this.strictDesc);
    this.search = new Search(this.all, this.queue, this.strictDesc);
    const pass = options.fresh === true ? 0 : undefined;
    const initial = options.initial.map((state) =>
      hypothesis(this.all.first(state), this.all.space.halves(state).tuning, 0, [], pass),
    );
    this.history = options.trails === true ? new History(initial.length) : undefined;
    this.forgetful = options.forgetful ?? false;
    this.position = Position.of(initial, Places.of(this.all), this.queue);
  }

  private get set(): readonly Hypothesis[] {
    return this.position.hypotheses;
  }

  private set set(hypotheses: readonly Hypothesis[]) {
    this.position = Position.of(hypotheses, Places.of(this.all), this.queue);
  }

  /** Transitions that led to the present hypotheses; none unless they are kept. */
  get transitions(): Transitions {
    return this.history?.transitions ?? { sure: [], possible: [] };
  }

  /** What was taken so far is told elsewhere. */
  beginHistory(): void {
    if (this.history !== undefined) this.history = new History(this.set.length);
  }

  /** The present hypotheses at the beginning of ways, where these are kept. */
  private get begun(): readonly Hypothesis[] {
    return this.history === undefined ? this.set : begun(this.set);
  }

  /** Goes on from what some of {@link begun} have become. @returns what was taken on the way */
  private goOn(next: readonly Hypothesis[]): Step | undefined {
    const step = this.history === undefined ? undefined : stepTo(next, this.all);
    if (step !== undefined) this.history?.add(step);
    this.set = this.queue.tidy(step === undefined ? next : arrived(next));
    return step;
  }

  /** The present hypotheses. */
  get hypotheses(): readonly Hypothesis[] {
    return this.set;
  }

  /** Those of the present hypotheses. */
  get cores(): readonly Core[] {
    return this.position.cores;
  }

  /** The states that the process may be in. */
  get modelStates(): readonly ModelState[] {
    return this.position.states;
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
    if (seen.kind !== 'quiet' && this.recall(seen)) return undefined;
    const asked: [Question, Answer][] = [];
    const note = (question: Question, answer: Answer) => asked.push([question, answer]);
    const next = seen.kind === 'quiet' ? this.afterQuiet() : this.search.after(this.begun, seen, note);
    if (next.length > 0) {
      const { position } = this;
      const plain = this.queue.isPlain;
      const step = this.goOn(next);
      if (seen.kind !== 'quiet' && plain) position.learn(seen, this.strictDesc, asked, next, step);
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
    const before = this.begun;
    this.queue.see(index, reply);
    const next = before.flatMap((one) => {
      if (!one.done.includes(index)) return [one];
      const core = this.queue.answeredWith(this.all, one.core, index, reply);
      return core === undefined ? [] : [at(one, core)];
    });
    if (next.some(({ done }) => done.includes(index)) || this.mayExecute(next, index)) {
      this.goOn(next);
      return undefined;
    }
    return this.diverge(reply, this.queue.wouldAnswer(this.all, before, index));
  }

  /**
   * Strikes out the hypotheses that something outside the process contradicts.
   * @param bound tells what the core of a hypothesis contradicts, in words; `undefined` when nothing
   */
  restrict(seen: Observation, bound: (core: Core) => Permitted | undefined): TrackedDivergence | undefined {
    if (this.cores.every((one) => bound(one) === undefined)) return undefined;
    const rest = this.begun.filter(({ core }) => bound(core) === undefined);
    if (rest.length > 0) {
      this.goOn(rest);
      return undefined;
    }
    const permitted = new Map(this.cores.map(bound).map((one) => [one?.words, one]));
    return {
      observation: seen,
      got: describeObservation(seen),
      permitted: [...permitted.values()].flatMap((one) => (one === undefined ? [] : [one])),
      states: this.states,
      defects: [],
    };
  }

  /** A command of the first connection, in band, was thrown away unread (QMP-OOB-08): no hypothesis has executed it. */
  drop(id: JsonValue): void {
    const place = this.queue.placeOf(id);
    const rest = this.begun.filter(({ executed }) => executed <= place);
    if (rest.length === 0) return;
    this.queue.remove(place);
    this.goOn(rest);
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
    const todo = set.map((one) => at(one, this.all.unseen(one.core)));
    for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
      if (one.done.includes(index)) return true;
      if (visited.add(one) !== undefined) continue;
      if (visited.size > mostHypotheses) return true;
      for (const { to } of this.all.moves(one.core)) todo.push(at(one, this.all.unseen(to)));
      for (const next of this.queue.executions(this.all, one, one.core))
        todo.push(at(next, this.all.unseen(next.core)));
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
    this.history?.gather(this.set.length);
    const todo = this.begun.map((one) => ({ ...at(one, this.all.unseen(one.core)), trail: onward(one.trail) }));
    for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
      if (seen.size > mostHypotheses) continue;
      const same = seen.add(one);
      if (same !== undefined) {
        mergeTrails(same.trail, one.trail);
        continue;
      }
      for (const move of this.all.moves(one.core)) {
        const next = at(one, this.all.unseen(move.to));
        todo.push({ ...next, trail: executed(one.trail, move) });
      }
      for (const next of this.queue.executions(this.all, one, one.core))
        todo.push(at(next, this.all.unseen(next.core)));
    }
    const rest = new Hypotheses();
    for (const { core, tuning, trail: way } of seen.all) {
      if (core.state.replyOwed || core.state.stopOwed) continue;
      const bare = this.all.changed(core, { owed: undefined, held: undefined, apart: [] });
      const same = rest.add(hypothesis(bare, tuning, this.queue.length, [], undefined, onward(way)));
      if (same !== undefined) mergeTrails(same.trail, way);
    }
    this.queue.forget();
    this.goOn(rest.all);
  }

  /** Goes on as it did when it was in the same place before; false when that is not known. */
  private recall(seen: Seen): boolean {
    const known = this.forgetful ? undefined : this.position.after(seen, this.strictDesc, this.history !== undefined);
    if (known === undefined) return false;
    if (known.step !== undefined) this.history?.add(known.step);
    this.position = known.position;
    return true;
  }

  /** Silence: nothing is pending, no command is unanswered, and nothing remains that must happen by itself. */
  private afterQuiet(): readonly Hypothesis[] {
    const rest = new Hypotheses();
    const add = (one: Hypothesis, calm: Core, core: Core) => {
      const left = { ...at(one, core), trail: onward(walked(one.trail, one.core, calm)) };
      mergeTrails(rest.add(left)?.trail, left.trail);
    };
    for (const one of this.begun) {
      if (one.core.pending.length > 0 || this.queue.waits(one)) continue;
      for (const core of this.all.reach(one.core).calm) {
        if (!this.all.moves(core).some((move) => isUrgent(move, core))) {
          add(one, core, core);
          continue;
        }
        const stuck = this.fatal.ofHang(core.state);
        if (stuck !== undefined) add(one, core, this.all.assuming(core, stuck));
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
      for (const calm of this.all.reach(one.core).calm) {
        const due = this.all.moves(calm).filter((move) => isUrgent(move, calm));
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
