/** Transcripts for people, in QMP's own notation: `->` is what the client sent, `<-` what the monitor sent. */
import type { Entry, EntryKind } from './transcript.js';

const marks: Record<EntryKind, string> = {
  sent: '->',
  received: '<-',
  connected: '--',
  disconnected: '--',
  eof: '--',
  started: '--',
  exited: '--',
  stderr: '!!',
  channel: '==',
  note: '..',
};

export interface RenderOptions {
  /** Longest line, in characters; longer texts are cut and their size is told. */
  readonly width?: number;
  /** Put the milliseconds of each entry in front. */
  readonly times?: boolean;
  /** Number of the entry to point at. */
  readonly pointAt?: number;
}

/** One line for an entry, without a line end. */
export function renderEntry(entry: Entry, options: RenderOptions & { readonly nameEndpoint?: boolean } = {}): string {
  const width = options.width ?? 160;
  const endpoint = options.nameEndpoint ? `${entry.at} ` : '';
  const time = options.times ? `${entry.time.toFixed(1).padStart(8)} ms ` : '';
  const number = String(entry.n).padStart(4);
  const text = visible(entry.text);
  const shown = text.length > width ? `${text.slice(0, width)}… (${text.length} characters)` : text;
  const words = {
    connected: 'connected',
    disconnected: 'we closed',
    eof: 'end of file',
    started: 'started',
    exited: 'exited',
  };
  const prefix = entry.kind in words ? `${words[entry.kind as keyof typeof words]}${shown === '' ? '' : ': '}` : '';
  const point = options.pointAt === entry.n ? '   <-- here' : '';
  return `${number} ${time}${endpoint}${marks[entry.kind]} ${prefix}${shown}${entry.stale ? ' (stale)' : ''}${point}`;
}

/** Lines for entries; endpoints are named when there is more than one. */
export function renderEntries(entries: readonly Entry[], options: RenderOptions = {}): string[] {
  const nameEndpoint = new Set(entries.map((entry) => entry.at)).size > 1;
  return entries.map((entry) => renderEntry(entry, { ...options, nameEndpoint }));
}

/** Control and non-ASCII bytes as escapes, so that a terminal shows exactly what was on the wire. */
export function visible(text: string): string {
  return text.replace(/\r?\n$/, '').replace(/[\x00-\x1f\x7f-\xff]/g, (char) => {
    const named: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
    return named[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
