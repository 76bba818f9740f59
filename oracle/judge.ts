/**
 * Judges a transcript against the model: live, entry by entry, or a recorded one. One process is one {@link Tracker}; its
 * connections feed it. The first one in command mode shows the order of replies and events; commands of the others are
 * executed at some moment between sending and answer. Processes and peers that share a channel bound each other.
 */
import type { JsonObject, JsonValue } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { Schema } from '../qapi/schema.js';
import type { Dialect } from '../reference/dialects/dialect.js';
import type { ModelState } from '../reference/model/index.js';
import type { Settings } from '../targets/settings.js';
import type { StartOptions } from '../targets/target.js';
import { boundsAround } from './bounds-around.js';
import { droppedId } from './dropped.js';
import { insteadOfEarly } from './early.js';
import { afterMigrations, anyStart, firstStates, parseStart } from './first-state.js';
import type { InvariantBreach } from './invariants.js';
import { JudgedProcess, processOf, takeAnswered } from './judged-process.js';
import { defectOfBreach, defectOfCrash } from './known-defects.js';
import { announcesLater, laterStatuses, type Statuses, showsLater } from './later-statuses.js';
import { Channels } from './surroundings.js';
import type { Transitions } from './tracker/history.js';
import { describeObservation, type Observation, observe } from './tracker/observation.js';
import { Input, type Sent } from './tracker/sent.js';
import type { Permitted, TrackedDivergence } from './tracker/tracked-divergence.js';
import { Tracker } from './tracker/tracker.js';

export interface JudgeOptions {
  readonly dialect: Dialect;
  /** Other readings of a release without a dialect of its own: what conforms to one of them conforms. */
  readonly readings?: readonly Dialect[];
  readonly schema: Schema;
  /** Known defects of the target's version; none when absent. */
  readonly defects?: ReadonlySet<string>;
  readonly strictDesc?: boolean;
  /** Parameters and capabilities at the start, where they are known; else the dialect's defaults. */
  readonly settings?: Settings;
  /** Endpoints whose process had served before: it may have migrated, which `query-migrate` then tells. */
  readonly served?: ReadonlySet<string>;
  /** Keep which transitions of the model were taken, for {@link Judge.transitions}. */
  readonly trails?: boolean;
  /** Search for everything anew: to compare with what is remembered. */
  readonly forgetful?: boolean;
}

export interface JudgedDivergence {
  readonly endpoint: string;
  /** Number of the transcript entry that diverged. */
  readonly entry: number;
  readonly got: string;
  readonly permitted: readonly Permitted[];
  readonly states: readonly string[];
}

export interface Judgement {
  readonly kind: 'conforms' | 'divergence' | 'known-defect' | 'inconclusive';
  readonly divergence?: JudgedDivergence;
  readonly defects?: readonly string[];
  readonly reason?: string;
  /** Observations that were judged; a judgement of none says nothing. */
  readonly observations: number;
}

/** What is known of a process that goes on in another transcript. */
export type Carried = Pick<JudgedProcess, 'hypotheses'>;

export class Judge {
  private readonly processes = new Map<string, JudgedProcess>();
  private readonly channels = new Channels();
  /** Addresses that some process was told to migrate to. */
  private readonly targets = new Set<string>();
  private observations = 0;
  private divergence: JudgedDivergence | undefined;
  private defects: readonly string[] = [];
  private inconclusive: string | undefined;
  private readonly later: Statuses;
  /** Judges by another reading from the first divergence on. */
  private successor: Judge | undefined;
  /** What a successor has to be shown; kept only where there may be one. */
  private readonly past: Entry[] = [];

  /** @param carried processes that an earlier judge gave back, by endpoint */
  constructor(
    private readonly options: JudgeOptions,
    carried: ReadonlyMap<string, Carried> = new Map(),
  ) {
    this.later = laterStatuses(options.schema, options.dialect);
    for (const [name, process] of carried) if (process instanceof JudgedProcess) this.processes.set(name, process);
  }

  /**
   * A process that lives on, for the judge of the next transcript, which begins with a new connection to it: from here on
   * anything may have happened unseen. `undefined` when there is nothing to go on from.
   */
  carry(name: string): Carried | undefined {
    // Another reading of it would have to begin with its beginning.
    if ((this.options.readings ?? []).length > 0 || this.successor !== undefined) return undefined;
    const process = this.processes.get(name);
    if (process?.tracker === undefined || process.ended || this.judgement.kind !== 'conforms') return undefined;
    process.carry();
    return process;
  }

  /** The states that a process may be in. */
  states(name: string): readonly ModelState[] {
    if (this.successor !== undefined) return this.successor.states(name);
    return statesOf(this.processes.get(name)?.tracker);
  }

  /** Whether a process has been seen from its start: what it counts, it has counted in this transcript. */
  isFresh(name: string): boolean {
    if (this.successor !== undefined) return this.successor.isFresh(name);
    const process = this.processes.get(name);
    return process?.tracker !== undefined && !process.carried;
  }

  /** Takes the next entry; gives back a divergence the moment it is seen. Later entries are then not judged. */
  feed(entry: Entry): JudgedDivergence | undefined {
    if (this.successor !== undefined) return this.successor.feed(entry);
    const [next, ...readings] = this.options.readings ?? [];
    if (next === undefined) return this.judged(entry);
    this.past.push(entry);
    const divergence = this.judged(entry);
    if (divergence === undefined) return undefined;
    const other = new Judge({ ...this.options, dialect: next, readings });
    for (const one of this.past) other.feed(one);
    // Where no reading permits it, the first one is the one to explain.
    if (other.judgement.kind !== 'divergence') this.successor = other;
    return this.successor === undefined ? divergence : undefined;
  }

  private judged(entry: Entry): JudgedDivergence | undefined {
    if (this.divergence !== undefined || this.inconclusive !== undefined || this.defects.length > 0) return undefined;
    if (entry.kind === 'channel') {
      this.stir();
      this.channels.take(entry);
      if (/^sent .*: request/.test(entry.text)) for (const { figures } of this.processes.values()) figures.asked();
      return undefined;
    }
    const name = processOf(entry);
    const process = this.processes.get(name) ?? new JudgedProcess();
    this.processes.set(name, process);
    try {
      this.take(process, entry);
    } catch (error) {
      this.inconclusive = (error as Error).message;
    }
    return this.divergence;
  }

  get judgement(): Judgement {
    if (this.successor !== undefined) return this.successor.judgement;
    const observations = this.observations;
    if (this.divergence !== undefined) return { kind: 'divergence', divergence: this.divergence, observations };
    const assumed = [...this.processes.values()].flatMap(({ tracker }) => tracker?.defects ?? []);
    const defects = [...new Set([...this.defects, ...assumed])];
    if (defects.length > 0) return { kind: 'known-defect', defects, observations };
    if (this.inconclusive !== undefined) return { kind: 'inconclusive', reason: this.inconclusive, observations };
    if (observations === 0) return { kind: 'inconclusive', reason: 'there was nothing to judge', observations };
    return { kind: 'conforms', observations };
  }

  /** Transitions of the model that every process surely, and possibly, took. */
  get transitions(): Transitions {
    if (this.successor !== undefined) return this.successor.transitions;
    const all = [...this.processes.values()].flatMap(({ tracker }) =>
      tracker === undefined ? [] : [tracker.transitions],
    );
    return { sure: all.flatMap(({ sure }) => sure), possible: all.flatMap(({ possible }) => possible) };
  }

  /** Something happened that any process may react to. */
  private stir(): void {
    for (const { silence } of this.processes.values()) silence.stir();
  }

  private take(process: JudgedProcess, entry: Entry): void {
    if (stirring.has(entry.kind)) this.stir();
    switch (entry.kind) {
      case 'started':
        this.started(process, entry);
        return;
      case 'connected':
        process.connect(entry.at, new Input(this.options.dialect, this.options.schema));
        return;
      case 'sent':
        this.sent(process, entry);
        return;
      case 'received':
        if (entry.stale !== true) this.received(process, entry);
        return;
      case 'disconnected':
        if (entry.text === '') process.close(entry.at);
        return;
      case 'eof':
        process.close(entry.at);
        return;
      case 'stderr':
        process.lastWords = `${process.lastWords}\n${entry.text}`.slice(-keptWords);
        return;
      case 'exited':
        this.exited(process, entry);
        return;
      default:
        return;
    }
  }

  private started(process: JudgedProcess, { at, text }: Entry): void {
    if (process.carried) return;
    const [start, served] = [parseStart(text), this.options.served?.has(at) === true];
    process.begin(this.track([start], served), !served);
    if (start.incoming !== undefined) process.roles.listens.add(start.incoming);
  }

  /** Without a word on how the process was started it may have been any way. */
  private track(starts: readonly StartOptions[] | undefined, served = false): Tracker {
    const { dialect, defects, strictDesc, settings, trails, forgetful } = this.options;
    const first = (starts ?? anyStart).flatMap((start) => firstStates(start, dialect, settings));
    const initial = served ? first.flatMap(afterMigrations) : first;
    return new Tracker({
      rules: dialect.migration,
      initial,
      fresh: starts !== undefined && !served,
      ...(defects === undefined ? {} : { defects }),
      ...(strictDesc === undefined ? {} : { strictDesc }),
      ...(trails === undefined ? {} : { trails }),
      ...(forgetful === undefined ? {} : { forgetful }),
    });
  }

  private sent(process: JudgedProcess, entry: Entry): void {
    const connection = process.connections.get(entry.at);
    if (connection === undefined || process.ended) return;
    const tracker = process.tracker ?? this.track(undefined);
    process.tracker = tracker;
    for (const sent of connection.input.pushText(entry.text)) {
      if (!isQuery(sent)) this.stir();
      process.noteRole(sent, this.channels, this.targets);
      process.figures.sent(sent, entry.time, () => statesOf(tracker));
      // The first connection to negotiate is followed from the moment that its negotiation is sent.
      if (sent.kind === 'negotiation') {
        if (process.primary === undefined) {
          connection.primary = true;
          if (process.gap) tracker.blind();
          process.gap = false;
        } else if (!connection.primary) process.echo.begin(entry.at);
      }
      const apart = !connection.primary && actsApart(sent);
      if (apart) connection.last = tracker.sendApart(sent, connection.last);
      if (connection.primary) {
        tracker.send(sent);
        process.echo.asked();
      }
      connection.unanswered.push({ sent, number: apart ? connection.last : undefined });
    }
  }

  private received(process: JudgedProcess, entry: Entry): void {
    const connection = process.connections.get(entry.at);
    const came = observe(entryValue(entry), entry.n);
    if (connection === undefined || came === undefined || process.ended || this.isUntold(came)) return;
    const { sent, number } = came.kind === 'reply' ? (takeAnswered(connection, came.id) ?? {}) : {};
    const seen = sent?.kind === 'modelled' && sent.name === 'query-migrate' ? this.beyond(came) : came;
    if (seen.kind === 'reply') {
      if (sent?.kind === 'negotiation' && 'return' in seen.value) {
        connection.commandMode = true;
        if (!connection.primary) process.echo.open(entry.at);
      }
      // Of one that runs apart it is not known when it takes effect.
      if (number === undefined) process.noteReply(sent, 'return' in seen.value);
      if (connection.primary) this.values(process, entry, sent, seen.value);
      if (connection.primary) process.echo.answered();
    }
    if (this.options.dialect.protocol.queueFull === 'drop') process.drop(connection, droppedId(seen));
    if (seen.kind === 'event' && connection.primary) {
      this.breaks(process, entry, process.figures.told(seen.event, seen.data));
    }
    if (seen.kind === 'event' || (sent !== undefined && !isQuery(sent))) this.stir();
    if (seen.kind === 'event' && !process.echo.take(entry.at, connection.primary, seen)) {
      this.diverge(entry, describeObservation(seen), {
        words: 'the same events in the same order on every connection, with the same timestamps',
        rows: ['QMP-EVT-04'],
      });
    }
    const due = insteadOfEarly(sent, seen);
    if (due !== undefined) this.diverge(entry, describeObservation(seen), due);
    if (connection.primary || number !== undefined) this.observations++;
    if (connection.primary) this.report(entry, process.tracker?.observe(seen));
    else if (seen.kind === 'reply' && number !== undefined) {
      this.report(entry, process.tracker?.answer(number, seen));
    } else return;
    this.bound(process, entry, seen);
    if (seen.kind === 'reply' && process.isOverdue(entry.time)) {
      this.report(entry, process.tracker?.observe({ kind: 'quiet', by: 'deadline', entry: entry.n }));
    }
  }

  /** What this reading of the release leaves out of the model. */
  private isUntold(seen: Observation): boolean {
    if (seen.kind !== 'event') return false;
    if (seen.event === 'MIGRATION_PASS') return this.options.dialect.migration.passesTold !== 'every';
    return announcesLater(seen.event, seen.data, this.later);
  }

  private beyond(seen: Observation): Observation {
    const shows = seen.kind === 'reply' && showsLater(seen.value.return, this.later);
    return shows ? { ...seen, beyond: true } : seen;
  }

  /** Holds a process against what is at the other end of its channel, after it has shown something. */
  private bound(process: JudgedProcess, entry: Entry, seen: Observation): void {
    if (this.divergence !== undefined) return;
    for (const { tracker, bounds } of boundsAround(process, [...this.processes.values()], this.channels)) {
      this.report(entry, tracker.restrict(seen, bounds));
    }
  }

  /** Value invariants of the queries. */
  private values(process: JudgedProcess, entry: Entry, answered: Sent | undefined, reply: JsonObject): void {
    if (answered?.kind !== 'modelled' || !('return' in reply)) return;
    const value = reply.return as JsonValue;
    const states = () => statesOf(process.tracker);
    this.breaks(process, entry, process.figures.answered(answered, value, entry.time, states));
  }

  private breaks(process: JudgedProcess, entry: Entry, breach: InvariantBreach | undefined): void {
    if (breach === undefined) return;
    const known = defectOfBreach(breach.row, statesOf(process.tracker), this.options.defects ?? new Set());
    if (known !== undefined) this.defects = [known.id];
    else this.diverge(entry, breach.got, { words: breach.expected, rows: [breach.row] });
  }

  private diverge(entry: Entry, got: string, permitted: Permitted): void {
    this.divergence ??= { endpoint: entry.at, entry: entry.n, got, permitted: [permitted], states: [] };
  }

  private exited(process: JudgedProcess, entry: Entry): void {
    const killed = /killed by (\w+)/.exec(entry.text)?.[1];
    const code = /exit status (\d+)/.exec(entry.text)?.[1];
    // SIGKILL is ours: nothing in the protocol ends that way.
    if (process.ended || killed === 'SIGKILL') return;
    process.ended = true;
    this.observations++;
    if (process.gap) process.tracker?.blind();
    const seen: Observation = {
      kind: 'exit',
      code: code === undefined ? null : Number(code),
      signal: killed ?? null,
      entry: entry.n,
    };
    const tracked = process.tracker?.observe(seen);
    // Its own words are a better witness than the state it was in.
    const told = killed === undefined ? undefined : defectOfCrash(process.lastWords, this.options.defects ?? new Set());
    this.report(entry, tracked === undefined || told === undefined ? tracked : { ...tracked, defects: [told.id] });
    this.bound(process, entry, seen);
  }

  private report(entry: Entry, tracked: TrackedDivergence | undefined): void {
    if (tracked === undefined || this.divergence !== undefined) return;
    if (tracked.defects.length > 0) this.defects = tracked.defects;
    else
      this.divergence = {
        endpoint: entry.at,
        entry: entry.n,
        got: describeObservation(tracked.observation),
        permitted: tracked.permitted,
        states: tracked.states,
      };
  }
}

/** Characters of standard error that are looked at for the cause of a death. */
const keptWords = 4096;

/** Judges a whole transcript. */
export function judgeTranscript(transcript: Transcript, options: JudgeOptions): Judgement {
  const judge = new Judge(options);
  for (const entry of transcript.entries) judge.feed(entry);
  return judge.judgement;
}

const statesOf = (tracker: Tracker | undefined): readonly ModelState[] => tracker?.modelStates ?? [];

/** Kinds of entries after which something may be due. */
const stirring: ReadonlySet<Entry['kind']> = new Set(['started', 'connected', 'disconnected', 'eof', 'exited']);

/** Asks, and changes nothing. */
const isQuery = (sent: Sent): boolean => sent.kind !== 'refused' && sent.name.startsWith('query-');

/** Whether a message on another connection than the first changes what is tracked. Queries there are not judged. */
const actsApart = (sent: Sent): boolean => (sent.kind === 'modelled' || sent.kind === 'generic') && !isQuery(sent);
