/**
 * Judges a transcript against the model: live, entry by entry, or a recorded one. One process is one {@link Tracker}; its
 * connections, of which the first in command mode is the one whose order of replies and events counts, feed it.
 */
import { isObject, type JsonObject, type JsonValue, sameJson } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { Schema } from '../qapi/schema.js';
import type { Dialect } from '../reference/dialects/dialect.js';
import { initialState, type ModelState } from '../reference/model/index.js';
import type { Settings } from '../targets/settings.js';
import type { StartOptions } from '../targets/target.js';
import { InfoInvariants } from './invariants.js';
import { describeObservation, observe } from './tracker/observation.js';
import { Input, type Sent } from './tracker/sent.js';
import { type Permitted, type TrackedDivergence, Tracker } from './tracker/tracker.js';
import type { Transitions } from './tracker/trail.js';

export interface JudgeOptions {
  readonly dialect: Dialect;
  readonly schema: Schema;
  /** Known defects of the target's version; none when absent. */
  readonly defects?: ReadonlySet<string>;
  readonly strictDesc?: boolean;
  /** Parameters and capabilities at the start, where they are known; else the dialect's defaults. */
  readonly settings?: Settings;
  /** Keep which transitions of the model were taken, for {@link Judge.transitions}. */
  readonly trails?: boolean;
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

interface Connection {
  readonly input: Input;
  /** Sent and not yet answered, oldest first. */
  readonly unanswered: Sent[];
  commandMode: boolean;
  /** Its replies and events are judged in their order. */
  primary: boolean;
}

/** What is known of a process that goes on in another transcript. */
export type Carried = Pick<Process, 'hypotheses'>;

class Process {
  tracker: Tracker | undefined;
  readonly connections = new Map<string, Connection>();
  readonly info = new InfoInvariants();
  /** What `query-status` last showed. */
  runState = '';
  ended = false;
  /** The primary connection was lost: the next one begins blind. */
  gap = false;
  /** It was started in an earlier transcript. */
  carried = false;

  get hypotheses(): number {
    return this.tracker?.hypotheses.length ?? 0;
  }
}

export class Judge {
  private readonly processes = new Map<string, Process>();
  private observations = 0;
  private divergence: JudgedDivergence | undefined;
  private defects: readonly string[] = [];
  private inconclusive: string | undefined;

  /** @param carried processes that an earlier judge gave back, by endpoint */
  constructor(
    private readonly options: JudgeOptions,
    carried: ReadonlyMap<string, Carried> = new Map(),
  ) {
    for (const [name, process] of carried) if (process instanceof Process) this.processes.set(name, process);
  }

  /**
   * A process that lives on, for the judge of the next transcript, which begins with a new connection to it: from here on
   * anything may have happened unseen. `undefined` when there is nothing to go on from.
   */
  carry(name: string): Carried | undefined {
    const process = this.processes.get(name);
    if (process?.tracker === undefined || process.ended || this.judgement.kind !== 'conforms') return undefined;
    process.tracker.blind();
    process.connections.clear();
    process.gap = true;
    process.carried = true;
    return process;
  }

  /** The states that a process may be in. */
  states(name: string): readonly ModelState[] {
    return (this.processes.get(name)?.tracker?.hypotheses ?? []).map(({ state }) => state);
  }

  /** Takes the next entry; gives back a divergence the moment it is seen. Later entries are then not judged. */
  feed(entry: Entry): JudgedDivergence | undefined {
    if (this.divergence !== undefined || this.inconclusive !== undefined || this.defects.length > 0) return undefined;
    const name = entry.at.split('#')[0] as string;
    const process = this.processes.get(name) ?? new Process();
    this.processes.set(name, process);
    try {
      this.take(process, entry);
    } catch (error) {
      this.inconclusive = (error as Error).message;
    }
    return this.divergence;
  }

  get judgement(): Judgement {
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
    const all = [...this.processes.values()].flatMap(({ tracker }) =>
      tracker === undefined ? [] : [tracker.transitions],
    );
    return { sure: all.flatMap(({ sure }) => sure), possible: all.flatMap(({ possible }) => possible) };
  }

  private take(process: Process, entry: Entry): void {
    switch (entry.kind) {
      case 'started':
        if (process.carried) return;
        process.tracker = this.track([parseStart(entry.text)]);
        return;
      case 'connected':
        process.connections.set(entry.at, {
          input: new Input(this.options.dialect, this.options.schema),
          unanswered: [],
          commandMode: false,
          primary: false,
        });
        return;
      case 'sent':
        this.sent(process, entry);
        return;
      case 'received':
        if (entry.stale !== true) this.received(process, entry);
        return;
      case 'disconnected':
        if (entry.text === '') this.closed(process, entry.at);
        return;
      case 'eof':
        this.closed(process, entry.at);
        return;
      case 'exited':
        this.exited(process, entry);
        return;
      default:
        return;
    }
  }

  /** Without a word on how the process was started it may have been any way. */
  private track(starts: readonly StartOptions[] | undefined): Tracker {
    const { dialect, defects, strictDesc, settings, trails } = this.options;
    const initial = (starts ?? anyStart).map((start) => withSettings(modelStart(start, dialect), settings));
    return new Tracker({
      rules: dialect.migration,
      initial,
      fresh: starts !== undefined,
      ...(defects === undefined ? {} : { defects }),
      ...(strictDesc === undefined ? {} : { strictDesc }),
      ...(trails === undefined ? {} : { trails }),
    });
  }

  private sent(process: Process, entry: Entry): void {
    const connection = process.connections.get(entry.at);
    if (connection === undefined || process.ended) return;
    process.tracker ??= this.track(undefined);
    for (const sent of connection.input.push(Buffer.from(entry.text, 'latin1'))) {
      connection.unanswered.push(sent);
      if (sent.kind === 'modelled' && sent.name === 'migrate') {
        process.info.restart();
        // What was shown before says nothing of the new one's end.
        process.runState = '';
      }
      if (connection.primary) process.tracker.send(sent);
      else if (connection.commandMode && (sent.kind === 'modelled' || sent.kind === 'generic') && !isQuery(sent.name)) {
        throw new Error(`${sent.name} on a second monitor: its order against the first one is not judged`);
      }
      // The first connection to negotiate is followed from the moment that its negotiation is sent.
      const other = [...process.connections.values()].some(({ primary }) => primary);
      if (sent.kind === 'negotiation' && !other) {
        connection.primary = true;
        if (process.gap) process.tracker.blind();
        process.gap = false;
        process.tracker.send(sent);
      }
    }
  }

  private received(process: Process, entry: Entry): void {
    const connection = process.connections.get(entry.at);
    const seen = observe(entryValue(entry), entry.n);
    if (connection === undefined || seen === undefined || process.ended) return;
    if (seen.kind === 'reply') {
      const answered = takeAnswered(connection, seen.id);
      if (!connection.primary) return;
      if (answered?.kind === 'negotiation') connection.commandMode = 'return' in seen.value;
      this.values(process, entry, answered, seen.value);
    }
    if (!connection.primary) return;
    this.observations++;
    this.report(entry, process.tracker?.observe(seen));
  }

  /** Value invariants of the queries. */
  private values(process: Process, entry: Entry, answered: Sent | undefined, reply: JsonObject): void {
    if (answered?.kind !== 'modelled' || !('return' in reply)) return;
    // Queries before it in the same write have been answered by now.
    if (answered.name === 'migrate') {
      process.info.restart();
      process.runState = '';
    }
    const value = reply.return as JsonValue;
    if (answered.name === 'query-status' && isObject(value)) process.runState = String(value.status);
    if (answered.name !== 'query-migrate') return;
    const states = process.tracker?.hypotheses ?? [];
    const [breach] = process.info.check(value, {
      settled: process.runState === 'postmigrate',
      countsPages: states.every(({ state }) => state.capabilities.every((name) => countingCapabilities.has(name))),
    });
    if (breach === undefined || this.divergence !== undefined) return;
    this.divergence = {
      endpoint: entry.at,
      entry: entry.n,
      got: breach.got,
      permitted: [{ words: breach.expected, rows: [breach.row] }],
      states: [],
    };
  }

  private closed(process: Process, at: string): void {
    if (process.connections.get(at)?.primary) process.gap = true;
    process.connections.delete(at);
  }

  private exited(process: Process, entry: Entry): void {
    const killed = /killed by (\w+)/.exec(entry.text)?.[1];
    const code = /exit status (\d+)/.exec(entry.text)?.[1];
    // SIGKILL is ours: nothing in the protocol ends that way.
    if (process.ended || killed === 'SIGKILL') return;
    process.ended = true;
    this.observations++;
    if (process.gap) process.tracker?.blind();
    this.report(
      entry,
      process.tracker?.observe({
        kind: 'exit',
        code: code === undefined ? null : Number(code),
        signal: killed ?? null,
        entry: entry.n,
      }),
    );
  }

  private report(entry: Entry, tracked: TrackedDivergence | undefined): void {
    if (tracked === undefined || this.divergence !== undefined) return;
    if (tracked.defects.length > 0) {
      this.defects = tracked.defects;
      return;
    }
    this.divergence = {
      endpoint: entry.at,
      entry: entry.n,
      got: describeObservation(tracked.observation),
      permitted: tracked.permitted,
      states: tracked.states,
    };
  }
}

/** Judges a whole transcript. */
export function judgeTranscript(transcript: Transcript, options: JudgeOptions): Judgement {
  const judge = new Judge(options);
  for (const entry of transcript.entries) judge.feed(entry);
  return judge.judgement;
}

/** Capabilities with which each page is still counted as sent once at least (MIG-CMD-INV-07). */
const countingCapabilities = new Set([
  'events',
  'return-path',
  'pause-before-switchover',
  'auto-converge',
  'late-block-activate',
  'release-ram',
  'zero-blocks',
]);

const isQuery = (name: string): boolean => name.startsWith('query-');

const anyStart: readonly StartOptions[] = [
  {},
  { paused: true },
  { incoming: 'defer' },
  { incoming: 'defer', paused: true },
  { incoming: 'unix:' },
  { incoming: 'unix:', paused: true },
];

/** The text of a `started` entry: JSON of the start options. */
function parseStart(text: string): StartOptions {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as StartOptions) : {};
  } catch {
    return {};
  }
}

function modelStart({ incoming, paused }: StartOptions, dialect: Dialect): ModelState {
  return initialState(dialect.migration, {
    incoming: incoming === undefined ? 'none' : incoming === 'defer' ? 'defer' : 'uri',
    paused: paused ?? false,
  });
}

/** The target's own values for what the model knows by name. */
function withSettings(state: ModelState, settings: Settings | undefined): ModelState {
  if (settings === undefined) return state;
  const parameters = { ...state.parameters };
  for (const [name, value] of Object.entries(settings.parameters)) {
    if (!(name in parameters)) continue;
    if (typeof value === 'number' || typeof value === 'bigint') parameters[name] = String(value);
    else if (typeof value === 'string' || typeof value === 'boolean') parameters[name] = value;
  }
  const on = settings.capabilities.filter((one) => isObject(one) && one.state === true);
  return { ...state, parameters, capabilities: on.map((one) => String((one as JsonObject).capability)) };
}

function takeAnswered(connection: Connection, id: JsonValue | undefined): Sent | undefined {
  const same = (other: JsonValue | undefined) =>
    other === undefined || id === undefined ? other === id : sameJson(other, id);
  const at = connection.unanswered.findIndex((sent) => same(sent.id));
  return at < 0 ? undefined : connection.unanswered.splice(at, 1)[0];
}
