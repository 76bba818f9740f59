/**
 * The Transcript: what happened, in order, on every endpoint. It is recorded first and judged afterwards, and can be judged
 * again later without the target. As a file it is JSON Lines: a header, an entry per line, a footer with their number, so
 * that a cut-off file is recognised as one.
 */
import { type Clock, hostClock } from './clock.js';
import { JsonError, type JsonValue, parseJson, stringifyJson } from './json.js';
import { type Line, linesIn } from './lines.js';

/** Version of the file format; raised when a reader of the old one would misunderstand the new one. */
const transcriptVersion = 1;

export const entryKinds = [
  /** Bytes that the client sent. */
  'sent',
  /** A message from the monitor. */
  'received',
  /** A connection was made. */
  'connected',
  /** We ended the connection (or our direction of it). */
  'disconnected',
  /** The monitor ended the connection. */
  'eof',
  /** A process was started; `text` tells how. */
  'started',
  /** A process ended; `text` is its exit status or signal. */
  'exited',
  /** A line that the process wrote to standard error. */
  'stderr',
  /** A fact about a migration channel. */
  'channel',
  /** A remark of the harness, for example that a deadline passed. */
  'note',
] as const;
export type EntryKind = (typeof entryKinds)[number];

export interface Entry {
  /** Position in the transcript, from 0. */
  readonly n: number;
  /** Milliseconds since the transcript began, monotonic. */
  readonly time: number;
  /** Endpoint, for example `source` or `source#2` (its second monitor). */
  readonly at: string;
  readonly kind: EntryKind;
  /** For `sent` and `received` the text on the wire, one character per byte; otherwise words. */
  readonly text: string;
  /** For `received`: an answer to an earlier connection, or a repeated greeting. */
  readonly stale?: true;
  /** For `received`: what came between the message before and this one, where it was not CR LF. */
  readonly before?: string;
}

export interface TranscriptHeader {
  readonly transcript: typeof transcriptVersion;
  /** The target as it was named. */
  readonly target?: string;
  readonly dialect?: string;
  /** Wall-clock time of the beginning, ISO 8601. */
  readonly began: string;
}

interface Read {
  readonly value: JsonValue | undefined;
}

/** An entry that may know the value of its message, as it was read when it came: who judges it need not read it again. */
class Recorded implements Entry {
  declare readonly stale?: true;
  declare readonly before?: string;
  // No part of the entry: neither files nor copies have it.
  readonly #read: Read | undefined;

  constructor(
    readonly n: number,
    readonly time: number,
    readonly at: string,
    readonly kind: EntryKind,
    readonly text: string,
    { stale, before, read }: Extra,
  ) {
    this.#read = read;
    if (stale) this.stale = true;
    if (before !== undefined) this.before = before;
  }

  static readOf(entry: Entry): Read | undefined {
    return #read in entry ? entry.#read : undefined;
  }
}

/** Value of a message entry; `undefined` when it is not JSON. */
export function entryValue(entry: Entry): JsonValue | undefined {
  const known = Recorded.readOf(entry);
  if (known !== undefined) return known.value;
  try {
    return parseJson(Buffer.from(entry.text, 'latin1').toString('utf8'));
  } catch {
    return undefined;
  }
}

interface Extra {
  readonly time?: number;
  /** As {@link Entry.before}. */
  readonly before?: string | undefined;
  readonly stale?: boolean;
  readonly read?: Read;
}

const nothing: Extra = {};

export class Transcript {
  /** All of them, or what {@link keepOnly} has left. */
  readonly entries: Entry[] = [];
  private count = 0;
  private readonly origin: number;
  private readonly listeners = new Set<(entry: Entry) => void>();
  readonly header: TranscriptHeader;

  constructor(
    about: { readonly target?: string; readonly dialect?: string; readonly began?: string } = {},
    private readonly clock: Pick<Clock, 'now'> = hostClock,
  ) {
    this.origin = clock.now();
    this.header = { transcript: transcriptVersion, ...about, began: about.began ?? new Date().toISOString() };
  }

  /** Milliseconds since the transcript began. */
  now(): number {
    return this.clock.now() - this.origin;
  }

  /** @param extra with `read`, what {@link entryValue} is to give */
  add(at: string, kind: EntryKind, text: string, extra: Extra = nothing): Entry {
    const time = Math.round((extra.time ?? this.now()) * 1000) / 1000;
    const entry = new Recorded(this.count++, time, at, kind, text, extra);
    this.entries.push(entry);
    for (const listener of this.listeners) listener(entry);
    return entry;
  }

  /** Calls `listener` for each entry from now on; the result ends that. */
  follow(listener: (entry: Entry) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Lets go of all but entries `from` to `to`: a transcript of days would fill the memory. */
  keepOnly(from: number, to: number): void {
    const first = this.entries[0]?.n ?? 0;
    this.entries.splice(Math.max(0, to + 1 - first));
    this.entries.splice(0, Math.max(0, from - first));
  }

  /** The line of a file that an entry makes, or that begins or ends one. */
  static line(part: TranscriptHeader | Entry | { readonly end: true; readonly entries: number }): string {
    return `${stringifyJson(part)}\n`;
  }

  /** Last line of a file of all entries so far. */
  get footer(): { readonly end: true; readonly entries: number } {
    return { end: true, entries: this.count };
  }

  /** A whole file. Not for one that has forgotten something. */
  toJsonLines(): string {
    return [this.header, ...this.entries, this.footer].map(Transcript.line).join('');
  }

  /** @throws TranscriptError naming the line and the fault; a file without its footer is one. */
  static fromJsonLines(text: string): Transcript {
    return Transcript.fromLines(linesIn([Buffer.from(text)]));
  }

  /** The same of a file that is read line by line. @throws TranscriptError */
  static fromLines(lines: Iterable<Line>): Transcript {
    let transcript: Transcript | undefined;
    let ended = false;
    let n = 0;
    for (const { text, whole } of lines) {
      n++;
      if (ended) throw new TranscriptError(n, 'the file goes on after its footer');
      if (transcript === undefined) {
        transcript = new Transcript(readHeader(parseLine(text, n)));
        continue;
      }
      // A line without its end is what a writer leaves behind that was stopped.
      if (!whole) break;
      const line = parseLine(text, n);
      if (line.end === true) {
        ended = true;
        if (line.entries === transcript.count) continue;
        throw new TranscriptError(n, `the footer counts ${line.entries} entries, the file has ${transcript.count}`);
      }
      transcript.entries.push(readEntry(line, n - 1));
      transcript.count++;
    }
    if (transcript === undefined) throw new TranscriptError(1, 'the file is empty');
    if (!ended) throw new TranscriptError(n, 'the footer is missing: the file was cut off');
    return transcript;
  }
}

function readHeader(header: Record<string, unknown>): TranscriptHeader {
  if (header.transcript === undefined) throw new TranscriptError(1, 'it does not begin with a transcript header');
  if (header.transcript !== transcriptVersion) {
    throw new TranscriptError(1, `format ${header.transcript} is not known; this program reads ${transcriptVersion}`);
  }
  return header as unknown as TranscriptHeader;
}

function readEntry(entry: Record<string, unknown>, line: number): Entry {
  const { n, time, at, kind, text } = entry;
  if (n !== line - 1) throw new TranscriptError(line + 1, `entry ${line - 1} was expected, not ${n}`);
  const known = (entryKinds as readonly unknown[]).includes(kind);
  if (!known) throw new TranscriptError(line + 1, `'${kind}' is not a kind of entry; known: ${entryKinds.join(', ')}`);
  if (typeof time !== 'number' || typeof at !== 'string' || typeof text !== 'string') {
    throw new TranscriptError(line + 1, 'an entry needs a number as its time, and at and text as strings');
  }
  return entry as unknown as Entry;
}

/** A transcript file that cannot be read. */
export class TranscriptError extends Error {
  override readonly name = 'TranscriptError';
  constructor(
    readonly line: number,
    fault: string,
  ) {
    super(`line ${line} of the transcript: ${fault}`);
  }
}

function parseLine(text: string, line: number): Record<string, unknown> {
  try {
    const value = parseJson(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new TranscriptError(line, 'it is not a JSON object');
  } catch (error) {
    if (error instanceof JsonError) throw new TranscriptError(line, `it is not JSON (${error.message})`);
    throw error;
  }
}
