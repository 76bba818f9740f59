/**
 * What a destination makes of the streams that we feed it: a well-formed one is loaded, a malformed one is not, and what is
 * asked in it is answered (stream-format.md §4, §5, §8, §9). Only where nothing else was done to either.
 */
import type { Judge } from '../oracle/judge.js';
import { isObject } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { Dialect } from '../reference/dialects/dialect.js';
import { fedUuid } from '../targets/scenario.js';
import type { Symptom } from './symptom.js';

const body = '(?:pages |data |filled |delta |compressed |ping )*';
/** Streams as sources send them. */
const good = new RegExp(
  `^header configuration (?:return-path )?(?:ping )*ram ${body}ram-end (?:stopped )?end$|` +
    '^header configuration return-path (?:ping )*advise ram (?:pages |data |ping )*discard switch rest ram-end end$',
);
/** The configuration of a machine that says who it is. */
const identified = /^header (other-)?identity /;
/** Parts that no destination takes, each in the place of one or beside those that it takes. */
const bad = /(?:bad-delta|bad-compressed) |short-ram |other-machine /;
/** What stands in the place of those. */
const corrected: Readonly<Record<string, string>> = { 'short-ram ': 'ram ', 'other-machine ': 'configuration ' };
/** In a running postcopy a page that is there already is no page that was asked for. */
const present = /^header configuration return-path advise ram discard (?:data )+switch data ram-end end$/;

/** Capabilities with which a destination reads such streams as without them. */
const indifferent = /^(?:events|xbzrle|return-path|auto-converge|pause-before-switchover)$/;
/** Commands that leave a load alone. */
const quiet =
  /"exec(?:ute|-oob)":"(?:query-[a-z-]+|qmp_capabilities|migrate-set-capabilities|migrate-incoming|migrate-pause|migrate-recover)"/;

/** One channel on which a stream was fed, and what came of it. */
interface Load {
  readonly at: string;
  /** Its parts, in order; `undefined` when some of it was cut or damaged. */
  parts: string | undefined;
  readonly answers: { readonly text: string; readonly entry: number }[];
  /** Our end was closed by us. */
  cut: boolean;
  closed: boolean;
  last: number;
}

interface Told {
  readonly subject: string;
  readonly row: string;
  readonly expected: string;
  readonly got: string;
  readonly entry: number;
}

export function loadedSymptoms(transcript: Transcript, judge: Judge, dialect: Dialect): Symptom[] {
  const { entries } = transcript;
  const loads = loadsOf(entries);
  const starts = entries.filter(({ kind }) => kind === 'started');
  const [start] = starts;
  if (loads.length === 0 || start === undefined || starts.length > 1 || start.text.includes('ramImage')) return [];
  const capabilities = judge.states(start.at)[0]?.capabilities ?? [];
  const end = disturbance(entries);
  const paused = entries.some(({ kind, text }) => kind === 'sent' && text.includes('migrate-pause'));
  const told =
    fate(entries.slice(0, end + 1), loads[0] as Load, capabilities, dialect, start) ??
    loads.map((load) => answersOf(load, loads[0] as Load, end, capabilities, paused)).find((one) => one !== undefined);
  if (told === undefined) return [];
  const { subject, row, expected, got, entry } = told;
  return [{ kind: 'divergence', subject, rows: [row], state: '', expected: [expected], got, entry }];
}

function loadsOf(entries: readonly Entry[]): Load[] {
  const loads = new Map<string, Load>();
  for (const { kind, at, text, n } of entries) {
    if (kind !== 'channel') continue;
    const [, what] = /^sent \d+ bytes(?:: (.*))?$/.exec(text) ?? [];
    let load = loads.get(at);
    if (text.startsWith('sent ') && load === undefined) {
      load = { at, parts: '', answers: [], cut: false, closed: false, last: n };
      loads.set(at, load);
    }
    if (load === undefined) continue;
    load.last = n;
    if (text.startsWith('sent '))
      load.parts = what === undefined || load.parts === undefined ? undefined : `${load.parts} ${what}`.trim();
    else if (text === 'cut') load.cut = true;
    else if (text === 'closed') load.closed = true;
    else if (text.startsWith('answered ')) load.answers.push({ text: text.slice(9), entry: n });
  }
  return [...loads.values()];
}

/** Entry from which on something else was done that may have changed what becomes of a load. */
function disturbance(entries: readonly Entry[]): number {
  const first = entries.find(({ kind, text }) => {
    if (kind === 'exited') return true;
    return kind === 'sent' && text.split('\n').some((line) => line !== '' && !quiet.test(line));
  });
  return first?.n ?? entries.length;
}

/** How the first load ended, where that is sure to be wrong. */
function fate(
  entries: readonly Entry[],
  { parts, last, answers }: Load,
  capabilities: readonly string[],
  dialect: Dialect,
  { at: process, text: start }: Entry,
): Told | undefined {
  if (parts === undefined) return undefined;
  const ended = entries.find((entry) => {
    const status = entry.at.startsWith(process) ? statusOf(entry) : undefined;
    return status === 'completed' || status === 'failed';
  });
  const status = ended && statusOf(ended);
  const died = entries.find(({ kind, text }) => kind === 'exited' && /^exit status [^0]/.test(text));
  const others = capabilities.filter((one) => !indifferent.test(one) && one !== 'compress' && one !== 'postcopy-ram');
  if (others.length > 0) return undefined;
  const configured = plainly(parts, uuidOf(start), dialect);
  const kinds = configured && expectation(configured, capabilities, dialect);
  const entry = ended?.n ?? last;
  if (kinds === 'refused' && (status === 'completed' || answers.some(({ text }) => text === 'SHUT 0')))
    return {
      subject: 'a malformed stream is loaded',
      row: malformedRow(parts),
      expected: `a failed load of ${parts}`,
      got: 'a completed load',
      entry,
    };
  const failed = status === 'failed' || died !== undefined || answers.some(({ text }) => /^SHUT [^0]/.test(text));
  if (kinds === 'loaded' && failed)
    return {
      subject: 'a well-formed stream is refused',
      row: status === 'failed' || died !== undefined ? acceptedRow(parts) : 'MIG-STR-CMD-11',
      expected: `a completed load of ${parts}`,
      got: 'a failed load',
      entry,
    };
  if (kinds !== 'loaded' || status !== 'completed' || !parts.includes('stopped')) return undefined;
  const running = entries.find(
    ({ n, kind, text }) => n > entry && kind === 'received' && /"status"\s*:\s*"running"/.test(text),
  );
  if (running === undefined) return undefined;
  return {
    subject: 'a guest that was paused runs once it was loaded',
    row: 'MIG-STR-DEV-12',
    expected: 'paused, as the stream says',
    got: running.text.slice(0, 200),
    entry: running.n,
  };
}

/** The status of a migration that a message tells, by an event or as an answer. */
export function statusOf(entry: Entry): string | undefined {
  if (entry.kind !== 'received' || entry.stale) return undefined;
  const value = entryValue(entry);
  if (!isObject(value)) return undefined;
  const data = value.event === 'MIGRATION' ? value.data : value.return;
  return isObject(data) && typeof data.status === 'string' && !('running' in data) ? data.status : undefined;
}

/** Which one says of a stream that it is accepted. */
const acceptedRow = (parts: string): string =>
  identified.test(parts) ? 'MIG-STR-HDR-09' : /\bcompressed /.test(parts) ? 'MIG-STR-ZIP-10' : 'MIG-STR-SEC-10';

/** Which requirement says of a stream with one such part that it is malformed. */
const malformedRow = (parts: string): string => malformed.find(([words]) => words.test(parts))?.[1] ?? 'MIG-STR-BAD-01';
const malformed: readonly (readonly [RegExp, string])[] = [
  [/other-identity /, 'MIG-STR-HDR-10'],
  [/other-machine /, 'MIG-STR-HDR-06'],
  [/short-ram /, 'MIG-STR-BAD-31'],
  [/bad-compressed /, 'MIG-STR-ZIP-13'],
  [/(?:^| )compressed /, 'MIG-STR-ZIP-12'],
  [/bad-delta /, 'MIG-XBZ-DEC-10'],
  [/ switch /, 'MIG-STR-PC-34'],
];

/** UUID that a machine was given, as its start says. */
const uuidOf = (start: string): string | undefined => /"-uuid","([^"]*)"/.exec(start)?.[1];

/**
 * The parts of a stream with a configuration that says no more than is looked at elsewhere, or with that of another machine
 * (stream-format.md §2); `undefined` where the dialect does not read who a machine is.
 */
function plainly(parts: string, uuid: string | undefined, { stream }: Dialect): string | undefined {
  const [head, other] = identified.exec(parts) ?? [];
  if (head === undefined) return parts;
  if (!stream.configurationSubsections.includes('uuid') || (uuid !== undefined && uuid !== fedUuid)) return undefined;
  const wrong = uuid !== undefined && other !== undefined;
  return parts.replace(head, wrong ? 'header other-machine ' : 'header configuration ');
}

/** What must become of a stream; `undefined` where that is open. */
function expectation(
  parts: string,
  capabilities: readonly string[],
  { stream }: Dialect,
): 'loaded' | 'refused' | undefined {
  const compress = capabilities.includes('compress');
  const postcopy = capabilities.includes('postcopy-ram');
  const open = parts.includes('filled') && !stream.zeroPageAnyValue;
  if (open || (parts.includes('advise') && !postcopy)) return undefined;
  if (postcopy && present.test(parts)) return 'refused';
  const packed = /\b(?:bad-)?compressed /.test(parts);
  if (packed && !stream.compressedPages) return undefined;
  if (packed !== compress) {
    // With the capability other pages are read as without it; without it there are no such pages.
    if (packed) return good.test(parts.replaceAll(/\b(?:bad-)?compressed /g, '')) ? 'refused' : undefined;
  }
  const fixed = parts.replace(bad, (part) => corrected[part] ?? '');
  if (fixed !== parts) return good.test(fixed) ? 'refused' : undefined;
  return good.test(parts) ? 'loaded' : undefined;
}

/** What came back on a channel, where that is sure to be wrong. */
function answersOf(
  { parts, answers, cut, closed, last }: Load,
  first: Load,
  end: number,
  capabilities: readonly string[],
  paused: boolean,
): Told | undefined {
  if (parts === undefined || last > end || capabilities.some((one) => !indifferent.test(one) && one !== 'postcopy-ram'))
    return undefined;
  const wrong = (row: string, expected: string, got: string, entry = last): Told => ({
    subject: `on the return path ${got.replaceAll(/\d+/g, 'N')}`,
    row,
    expected,
    got,
    entry,
  });
  const broken = answers.find(({ text }) => text.startsWith('wrongly:') && !/Sibling indicated/.test(text));
  if (broken !== undefined) return wrong('MIG-STR-PC-40', 'a message of the return path', broken.text, broken.entry);
  const pong = answers.find(({ text }) => /^PONG /.test(text) && text !== 'PONG 7');
  if (pong !== undefined && !parts.includes('switch'))
    return wrong('MIG-STR-CMD-10', 'PONG with the value of the ping', 'a PONG with another value', pong.entry);
  const bitmap = answers.find(({ text }) => /^RECV_BITMAP [1-9]/.test(text));
  if (bitmap !== undefined && first.parts?.endsWith(' discard switch') === true)
    return wrong('MIG-STR-PC-40', 'no page among those that have come', bitmap.text, bitmap.entry);
  // Who was not told of a postcopy ends over the first word of it, without another one.
  const loads = good.test(parts) && (!parts.includes('advise') || capabilities.includes('postcopy-ram'));
  if (!loads || !parts.includes('return-path')) return undefined;
  const shut = answers.find(({ text }) => text.startsWith('SHUT'));
  const pings = parts.split(' ').filter((one) => one === 'ping').length;
  const pongs = answers.filter(({ text }) => text.startsWith('PONG')).length;
  if (shut !== undefined && shut.text !== 'SHUT 0')
    return wrong('MIG-STR-CMD-11', 'SHUT 0 after a load that went well', `there is ${shut.text}`, shut.entry);
  if (shut !== undefined && pongs < pings)
    return wrong('MIG-STR-CMD-10', 'a PONG for each PING', 'a PONG is missing', shut.entry);
  // A load that is paused loses its channel at once, whatever is still sent there.
  if (closed && !cut && !paused && shut === undefined)
    return wrong('MIG-STR-CMD-11', 'SHUT before the end', 'the connection is closed without SHUT');
  return undefined;
}
