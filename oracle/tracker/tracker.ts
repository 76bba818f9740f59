/**
 * Follows one process through the model: keeps every hypothesis of what it may be doing, and lets each observation strike
 * out those that it contradicts (as in ioco conformance testing). When none is left, that observation is the divergence,
 * and the last set says what was permitted.
 */

import type { JsonValue } from '../../protocol/json.js';
import type { MigrationRules } from '../../reference/dialects/migration.js';
import type { ModelState } from '../../reference/model/index.js';
import { knownDefects } from '../known-defects.js';
import { describeEmission, type Emission, matches } from './emission.js';
import { firstHypothesis, type Hypothesis, hypothesisKey, moves, type World } from './hypothesis.js';
import { describeObservation, type Observation } from './observation.js';
import type { Sent } from './sent.js';
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
}

/** What was permitted instead, in words, with the rows that permit it. */
export interface Permitted {
  readonly words: string;
  readonly rows: readonly string[];
}

export interface TrackedDivergence {
  readonly observation: Observation;
  readonly got: string;
  readonly permitted: readonly Permitted[];
  /** The states the process may have been in, in words. */
  readonly states: readonly string[];
  /** Known defects that explain it, if any: then it is no divergence. */
  readonly defects: readonly string[];
}

/** Events that the model speaks of; all others pass unjudged. */
const judgedEvents = new Set([
  'MIGRATION',
  'MIGRATION_PASS',
  'STOP',
  'RESUME',
  'RESET',
  'SHUTDOWN',
  'POWERDOWN',
  'COLO_EXIT',
]);

/** What says when an event is raised, and with it that it is not at other times. */
const eventRows: Readonly<Record<string, string>> = {
  MIGRATION: 'MIG-CMD-EVT-01',
  MIGRATION_PASS: 'MIG-CMD-EVT-04',
  STOP: 'MIG-CMD-EVT-05',
  RESUME: 'MIG-CMD-EVT-06',
};

/** Rows of the first pass of a migration, also of one that is already being cancelled. */
const firstPassRows = new Set(['MIG-SM-O12', 'MIG-SM-C02', 'MIG-SM-C03']);

/** More hypotheses than this mean that the model is too loose to judge: the tracker says so instead of running on. */
const mostHypotheses = 20000;

export class Tracker {
  private set: Hypothesis[];
  private readonly sent: Sent[] = [];
  private readonly inBand: number[] = [];
  private readonly outOfBand: number[] = [];

  constructor(private readonly options: TrackerOptions) {
    this.set = options.initial.map((state) => firstHypothesis(state, options.fresh === true ? 0 : undefined));
  }

  /** The present hypotheses. */
  get hypotheses(): readonly Hypothesis[] {
    return this.set;
  }

  /** Known defects that every hypothesis needs. */
  get defects(): readonly string[] {
    const clean = this.set.some((hypothesis) => hypothesis.defects.length === 0);
    return clean ? [] : [...new Set(this.set.flatMap((hypothesis) => hypothesis.defects))];
  }

  private get world(): World {
    return {
      rules: this.options.rules,
      sent: this.sent,
      inBand: this.inBand,
      outOfBand: this.outOfBand,
      defects: this.options.defects ?? new Set(),
    };
  }

  /** The client has sent this message. */
  send(sent: Sent): void {
    (sent.oob ? this.outOfBand : this.inBand).push(this.sent.length);
    this.sent.push(sent);
  }

  /** Judges an observation; `undefined` when it is permitted. */
  observe(seen: Observation): TrackedDivergence | undefined {
    if (seen.kind === 'event' && !judgedEvents.has(seen.event)) return undefined;
    const next = seen.kind === 'quiet' ? this.afterQuiet() : this.after(seen);
    if (next.length > 0) {
      this.set = next;
      return undefined;
    }
    const death = seen.kind === 'exit' ? this.deathByDefect(seen.signal) : undefined;
    return this.diverge(seen, death === undefined ? [] : [death]);
  }

  /**
   * Nothing was seen for a while (no connection in command mode): anything may have happened, unseen, and what had been
   * sent may have been executed or lost with the connection (QMP-TRANS-15).
   */
  blind(): void {
    const seen = new Map<string, Hypothesis>();
    const todo = this.set.map(unseen);
    for (let hypothesis = todo.pop(); hypothesis !== undefined; hypothesis = todo.pop()) {
      const key = hypothesisKey(hypothesis);
      if (seen.has(key) || seen.size > mostHypotheses) continue;
      seen.set(key, hypothesis);
      for (const { to } of moves(hypothesis, this.world)) todo.push(unseen(to));
    }
    const rest = new Map<string, Hypothesis>();
    for (const one of seen.values()) {
      const gone = {
        ...one,
        executed: this.inBand.length,
        executedOob: [...this.outOfBand],
        owed: undefined,
        held: undefined,
        pass: undefined,
      };
      if (!gone.state.replyOwed) rest.set(hypothesisKey(gone), gone);
    }
    this.set = [...rest.values()];
  }

  private after(seen: Observation): Hypothesis[] {
    const found = new Map<string, Hypothesis>();
    const visited = new Set<string>();
    const todo = [...this.set];
    while (todo.length > 0) {
      const hypothesis = todo.pop() as Hypothesis;
      const key = hypothesisKey(hypothesis);
      if (visited.has(key)) continue;
      visited.add(key);
      if (visited.size > mostHypotheses) throw new Error(`the model permits more than ${mostHypotheses} continuations`);
      if (hypothesis.pending.length === 0) {
        for (const { to } of moves(hypothesis, this.world)) todo.push(to);
        continue;
      }
      const front = this.consume(hypothesis, 0, seen);
      if (front !== undefined) {
        found.set(hypothesisKey(front), front);
        continue;
      }
      // A neighbour of other origin may have overtaken the front (MIG-SM-E02).
      for (const candidate of this.withSecond(hypothesis)) {
        if (!maySwap(candidate.pending)) continue;
        const swapped = this.consume(candidate, 1, seen);
        if (swapped !== undefined) found.set(hypothesisKey(swapped), swapped);
      }
    }
    return [...found.values()];
  }

  /** The hypothesis with at least two pending outputs, in every way there is. */
  private withSecond(hypothesis: Hypothesis): Hypothesis[] {
    if (hypothesis.pending.length > 1) return [hypothesis];
    if (!isMigration(hypothesis.pending[0])) return [];
    const reached: Hypothesis[] = [];
    const visited = new Set<string>();
    const todo = [hypothesis];
    for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
      const key = hypothesisKey(one);
      if (visited.has(key)) continue;
      visited.add(key);
      if (one.pending.length > 1) reached.push(one);
      else for (const { to } of moves(one, this.world)) todo.push(to);
    }
    return reached;
  }

  /** What is left when the pending output at `index` is the observation. */
  private consume(hypothesis: Hypothesis, index: number, seen: Observation): Hypothesis | undefined {
    const emission = hypothesis.pending[index];
    const context = { idOf: (command: number) => this.sent[command]?.id, strictDesc: this.options.strictDesc ?? false };
    if (emission === undefined || !matches(emission, seen, context)) return undefined;
    let { pass } = hypothesis;
    if (seen.kind === 'event' && seen.event === 'MIGRATION_PASS') {
      const number = passNumber(seen.data.pass, pass, emission.rows);
      if (number === undefined) return undefined;
      pass = number;
    }
    return { ...hypothesis, pending: hypothesis.pending.filter((_, i) => i !== index), pass };
  }

  /** Silence: nothing is pending, no command is unanswered, and nothing remains that must happen by itself. */
  private afterQuiet(): Hypothesis[] {
    const rest = new Map<string, Hypothesis>();
    const visited = new Set<string>();
    const todo = [...this.set];
    for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
      const key = hypothesisKey(one);
      if (visited.has(key) || one.pending.length > 0) continue;
      visited.add(key);
      const next = moves(one, this.world);
      const restless = one.executed < this.inBand.length || next.some(isUrgent);
      if (!restless) rest.set(key, one);
      for (const { to } of next) todo.push(to);
    }
    return [...rest.values()];
  }

  private deathByDefect(signal: string | null): string | undefined {
    if (signal === null) return undefined;
    const world = this.world;
    // The command that kills is often the last one sent and not yet executed in any hypothesis.
    const states = this.set.map(({ state }) => state);
    return knownDefects.find(
      ({ id, dies }) => dies?.signals.includes(signal) && world.defects.has(id) && states.some(dies.when),
    )?.id;
  }

  private diverge(observation: Observation, defects: readonly string[]): TrackedDivergence {
    const permitted = new Map<string, Set<string>>();
    for (const emission of this.firstOutputs()) {
      const words = describeEmission(emission);
      permitted.set(words, new Set([...(permitted.get(words) ?? []), ...emission.rows]));
    }
    const uncalled = observation.kind === 'event' ? eventRows[observation.event] : undefined;
    if (observation.kind === 'event' && uncalled !== undefined) {
      permitted.set(`no event ${observation.event} now`, new Set([uncalled]));
    }
    if (permitted.size === 0) permitted.set('silence', new Set());
    return {
      observation,
      got: describeObservation(observation),
      permitted: [...permitted].map(([words, rows]) => ({ words, rows: [...rows] })),
      states: [...new Set(this.set.map(({ state }) => describeState(state)))],
      defects,
    };
  }

  /** Every output that could have come next. */
  private firstOutputs(): Emission[] {
    const result: Emission[] = [];
    const visited = new Set<string>();
    const todo = [...this.set];
    for (let one = todo.pop(); one !== undefined && visited.size < 2000; one = todo.pop()) {
      const key = hypothesisKey(one);
      if (visited.has(key)) continue;
      visited.add(key);
      const front = one.pending[0];
      if (front !== undefined) result.push(front);
      else for (const { to } of moves(one, this.world)) todo.push(to);
    }
    return result;
  }
}

/**
 * The number of a pass, if it may be that. Counted on over the life of the process, or from 1 in each migration
 * (MIG-CMD-EVT-04, MIG-DEF-18); those of a migration without capability `events` are counted unseen.
 */
function passNumber(
  given: JsonValue | undefined,
  before: number | undefined,
  rows: readonly string[],
): number | undefined {
  if (typeof given !== 'number' && typeof given !== 'bigint') return undefined;
  const number = Number(given);
  if (!Number.isSafeInteger(number) || number < 1) return undefined;
  if (before === undefined || number === before + 1) return number;
  const first = rows.some((row) => firstPassRows.has(row));
  return first && (number === 1 || number > before) ? number : undefined;
}

/** The hypothesis without what nobody was there to see; the end of the process is seen even so. */
const unseen = (hypothesis: Hypothesis): Hypothesis => ({
  ...hypothesis,
  pending: hypothesis.pending.filter(({ output }) => output.kind === 'exit'),
});

const isMigration = (emission: Emission | undefined): boolean =>
  emission !== undefined && emission.output.kind === 'event' && emission.output.event === 'MIGRATION';

/**
 * A status change and its event are two moments (MIG-SM-E02): another thread's event, and the reply of a command that already
 * met the new status, may come in between.
 */
function maySwap([front, second]: readonly Emission[]): boolean {
  if (front === undefined || second === undefined || !isMigration(front) || front.origin === second.origin)
    return false;
  return isMigration(second) || (front.origin === 'step' && second.output.kind === 'reply');
}

/** The visible part of a model state, and the hidden phase, in a few words. */
export function describeState({ out, in: incoming, vm }: ModelState): string {
  const parts = [`outgoing ${out.status}${out.phase === 'idle' ? '' : ` (${out.phase})`}`];
  if (incoming.origin !== 'none') parts.push(`incoming ${incoming.status} (${incoming.phase})`);
  parts.push(`run state ${vm.runState}`);
  return parts.join(', ');
}
