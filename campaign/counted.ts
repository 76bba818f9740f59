/**
 * What a source says that it has sent, held against what came to a peer of ours that read all of it: the figures of
 * `query-migrate` (commands.md §8, xbzrle.md §3), and what its memory was. Those of the cache only of the first migration of a
 * process: they may go on counting in later ones.
 */
import type { Judge } from '../oracle/judge.js';
import { isObject, type JsonObject, type JsonValue } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { Dialect } from '../reference/dialects/dialect.js';
import type { Symptom } from './symptom.js';

/** Capabilities with which each page that is sent is counted in one way only. */
const plain =
  /^(?:events|xbzrle|return-path|pause-before-switchover|auto-converge|late-block-activate|release-ram|(?:x-)?multifd)$/;

/** A stream that a peer has read to its end, and what was in it. */
interface Stream {
  readonly begun: number;
  ended: number | undefined;
  counts: Readonly<Record<string, number>>;
  memory: string | undefined;
}

const words =
  /^connection (?<number>\d+): pages in all: (?<whole>\d+) whole, (?<zero>\d+) zero, (?<deltas>\d+) deltas of (?<bytes>\d+) bytes, (?<again>\d+) again, (?<kept>\d+) kept, (?<beside>\d+) beside, (?<ram>\d+) bytes of RAM in (?<all>\d+) bytes, in (?<blocks>\w+) blocks?(?:, memory (?<memory>[0-9a-f]+))?$/;

export function countedSymptoms({ entries }: Transcript, judge: Judge, dialect: Dialect): Symptom[] {
  // Two processes may send to the same peers.
  if (entries.filter(({ kind }) => kind === 'started').length !== 1) return [];
  const streams = streamsOf(entries);
  const [first] = streams;
  if (first === undefined) return [];
  const wrong = streams.flatMap((stream) => figures(stream, entries, judge, dialect));
  return [...wrong, ...memories(streams, entries)].slice(0, 1);
}

function streamsOf(entries: readonly Entry[]): Stream[] {
  const last = new Map<string, Stream>();
  const all: Stream[] = [];
  for (const { kind, at, text, n } of entries) {
    if (kind !== 'channel') continue;
    const [, number, what] = /^connection (\d+): (accepted$|the stream has ended|pages in all)/.exec(text) ?? [];
    const key = `${at} ${number}`;
    if (what === 'accepted') {
      const stream: Stream = { begun: n, ended: undefined, counts: {}, memory: undefined };
      last.set(key, stream);
      all.push(stream);
    }
    const stream = last.get(key);
    if (stream === undefined) continue;
    if (what === 'the stream has ended') stream.ended ??= n;
    const { memory, blocks, number: _, ...counts } = words.exec(text)?.groups ?? {};
    if (blocks === undefined) continue;
    stream.counts = Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, Number(count)]));
    stream.counts = { ...stream.counts, blocks: blocks === 'one' ? 1 : Number(blocks) };
    stream.memory = memory;
  }
  return all.filter(({ ended, counts }) => ended !== undefined && counts.whole !== undefined);
}

function figures({ begun, counts }: Stream, entries: readonly Entry[], judge: Judge, dialect: Dialect): Symptom[] {
  const { at = '' } = entries.find(({ kind }) => kind === 'started') ?? {};
  if (!judge.isFresh(at) || !onlyPlain(entries)) return [];
  // However it is spelled, there was one migration from each of them to the next.
  const migrations = entries.filter(({ kind, text }) => kind === 'sent' && /"migrate"|\\u/.test(text));
  if (migrations.some(({ text }) => (text.match(/"migrate"/g)?.length ?? 0) !== 1)) return [];
  const next = migrations.findIndex(({ n }) => n > begun);
  const index = (next < 0 ? migrations.length : next) - 1;
  const own = migrations[index];
  // Disks count in their own way.
  if (own === undefined || /"(?:blk|inc)"/.test(own.text)) return [];
  const from = index === 0 ? begun : beginsAnew(index, own, entries, at);
  if (from === undefined) return [];
  const until = migrations[index + 1]?.n ?? Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    if (entry.n < Math.max(begun, from) || entry.kind !== 'received' || entry.at !== at) continue;
    if (entry.n > until) break;
    const value = entryValue(entry);
    const info = isObject(value) && isObject(value.return) ? value.return : {};
    if (info.status !== 'completed' || !isObject(info.ram)) continue;
    const bytes = overSeveral(entries) ? undefined : bytesOf(info.ram, counts, dialect);
    const wrong = difference(info, counts, dialect, index === 0) ?? bytes;
    if (wrong !== undefined) return [symptomOf(wrong, entry)];
  }
  return [];
}

/** Packets of data channels count, too, if only where they begin. */
const overSeveral = (entries: readonly Entry[]): boolean =>
  entries.some(({ kind, text }) => kind === 'sent' && text.includes('multifd'));

/** Where a later migration has been answered, before which a reply may be of the one before it; unless its stream may be another's. */
function beginsAnew(index: number, own: Entry, entries: readonly Entry[], at: string): number | undefined {
  // Each of those before it had come to a peer by then, and went over one connection.
  const before = entries.filter(({ kind, text, n }) => kind === 'channel' && n < own.n && /: accepted$/.test(text));
  if (own.at !== at || before.length < index) return undefined;
  if (overSeveral(entries)) return undefined;
  const sent = entryValue(own);
  const id = isObject(sent) ? sent.id : undefined;
  if (id === undefined) return undefined;
  return entries.find((entry) => {
    if (entry.kind !== 'received' || entry.at !== at || entry.n < own.n) return false;
    const value = entryValue(entry);
    return isObject(value) && value.id === id && 'return' in value;
  })?.n;
}

function onlyPlain(entries: readonly Entry[]): boolean {
  for (const { kind, text } of entries) {
    if (kind === 'started' && text.includes('-global')) return false;
    if (kind !== 'sent' || !text.includes('capabilit')) continue;
    for (const [, name = '', on = ''] of text.matchAll(/"capability"\s*:\s*"([^"]*)"(?:\s*,\s*"state"\s*:\s*(\w+))?/g))
      if (on !== 'false' && !plain.test(name)) return false;
  }
  return true;
}

interface Difference {
  readonly row: string;
  readonly subject: string;
  readonly expected: string;
  readonly got: string;
}

const numberOf = (value: JsonValue | undefined): number | undefined =>
  typeof value === 'bigint' || typeof value === 'number' ? Number(value) : undefined;

const must = (row: string, name: string, got: number | undefined, due: number): Difference | undefined =>
  got === undefined || got === due
    ? undefined
    : { row, subject: `${name} is not what came`, expected: `${due}`, got: `${got}` };

function difference(
  info: JsonObject,
  counts: Readonly<Record<string, number>>,
  dialect: Dialect,
  first: boolean,
): Difference | undefined {
  const ram = isObject(info.ram) ? info.ram : {};
  const cache = isObject(info['xbzrle-cache']) ? info['xbzrle-cache'] : undefined;
  const { whole = 0, zero = 0, deltas = 0, bytes = 0, again = 0, kept = 0, beside = 0, blocks = 0 } = counts;
  // What goes over several channels at once some releases count a page less, or more, of.
  const sent =
    beside > 0
      ? undefined
      : (must('MIG-XBZ-STAT-05', 'normal', numberOf(ram.normal), whole) ??
        must('MIG-XBZ-STAT-05', 'duplicate', numberOf(ram.duplicate), zero));
  if (sent !== undefined) return sent;
  if (!first) return undefined;
  if (beside > 0 && numberOf(ram['multifd-bytes']) === 0)
    return {
      row: 'MIG-MFD-STAT-02',
      subject: 'multifd-bytes is 0 although pages came over data channels',
      expected: `${beside} pages or more`,
      got: '0',
    };
  if (cache === undefined || beside > 0) return undefined;
  const [misses, overflow] = [numberOf(cache['cache-miss']), numberOf(cache.overflow)];
  if (misses === undefined || overflow === undefined) return undefined;
  // In the first pass the cache is left alone.
  const looked = must('MIG-XBZ-STAT-01', 'cache-miss and overflow', misses + overflow, again);
  if (looked !== undefined) return looked;
  const total = numberOf(ram.total) ?? Number.POSITIVE_INFINITY;
  const roomy = blocks === 1 && total <= (numberOf(cache['cache-size']) ?? 0);
  if (roomy && kept > overflow)
    return {
      row: 'MIG-XBZ-CACHE-01',
      subject: 'whole pages where the cache has what deltas need',
      expected: `${overflow} at most, whose deltas did not fit`,
      got: `${kept}`,
    };
  if (dialect.stream.xbzrleCounting !== 'record') return undefined;
  return (
    must('MIG-XBZ-STAT-03', 'pages of xbzrle-cache', numberOf(cache.pages), deltas) ??
    must('MIG-XBZ-STAT-03', 'bytes of xbzrle-cache', numberOf(cache.bytes), bytes)
  );
}

/** Every byte of RAM is counted, and which releases count of what else goes with it. Of deltas they count what they like. */
function bytesOf(
  ram: JsonObject,
  { ram: bytes = 0, all = 0, deltas = 0 }: Readonly<Record<string, number>>,
  { migration }: Dialect,
): Difference | undefined {
  if (deltas > 0) return undefined;
  const parts = ['precopy-bytes', 'downtime-bytes'].map((name) => numberOf(ram[name]));
  const both = parts.includes(undefined) ? undefined : parts.reduce((sum = 0, part = 0) => sum + part, 0);
  return (
    must('MIG-CMD-INV-01', 'transferred', numberOf(ram.transferred), migration.transferredIsRam ? bytes : all) ??
    must('MIG-CMD-INV-01', 'precopy-bytes and downtime-bytes', both, bytes)
  );
}

/** A guest that has not run since its memory was sent has it still, when it is sent again. */
function memories(streams: readonly Stream[], entries: readonly Entry[]): Symptom[] {
  for (const [i, { ended = 0, memory }] of streams.entries()) {
    const next = streams[i + 1];
    if (next?.memory === undefined || memory === undefined || memory === next.memory || next.begun < ended) continue;
    const between = entries.slice(ended, next.ended ?? entries.length);
    // It may have run, or have been written to, or been given up.
    if (
      between.some(
        ({ kind, text }) => (kind === 'sent' || kind === 'received') && /cont|RESUME|reset|RESET|\\u/.test(text),
      )
    )
      continue;
    if (entries.some(({ text }) => /release-ram/.test(text))) continue;
    const end = entries[ended] as Entry;
    return [
      symptomOf(
        {
          row: 'MIG-XBZ-REC-01',
          subject: 'two migrations of a guest that stood still bring different memory',
          expected: `memory ${memory} once more`,
          got: `memory ${next.memory}`,
        },
        end,
      ),
    ];
  }
  return [];
}

const symptomOf = ({ row, subject, expected, got }: Difference, { n }: Entry): Symptom => ({
  kind: 'divergence',
  subject,
  rows: [row],
  state: '',
  expected: [expected],
  got,
  entry: n,
});
