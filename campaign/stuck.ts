/**
 * Migrations that never end: every channel is closed, and the status still says that something is under way. Told from the
 * transcript alone: the channels' facts, and what `query-migrate` went on showing.
 */
import { isObject } from '../protocol/json.js';
import { entryValue, type Transcript } from '../protocol/transcript.js';
import type { Evidence } from './diagnose.js';
import type { Symptom } from './symptom.js';

/** Milliseconds that a migration may take to notice that its channel is gone. */
const patience = 4000;

/** What a source may be waiting for when its channel is gone. */
interface Waiting {
  readonly defect: string;
  /** Whether the peer did what brings it about; always when absent. */
  readonly when?: (peer: PeerEnd) => boolean;
}

/** Statuses that a source leaves by itself once its channel is gone, the rows that say so, and the known defects if not. */
const passing: Readonly<Record<string, { readonly rows: readonly string[]; readonly defects?: readonly Waiting[] }>> = {
  setup: { rows: ['MIG-SM-O08', 'MIG-SM-O13'] },
  active: { rows: ['MIG-SM-O21', 'MIG-SM-O40'] },
  device: { rows: ['MIG-SM-O39', 'MIG-SM-O40'], defects: [{ defect: 'MIG-DEF-03' }] },
  cancelling: {
    rows: ['MIG-SM-C03', 'MIG-SM-C04', 'MIG-SM-C11'],
    defects: [{ defect: 'MIG-DEF-02', when: ({ plain }) => !plain }],
  },
  'postcopy-active': {
    rows: ['MIG-SM-O60'],
    defects: [
      { defect: 'MIG-DEF-32', when: ({ hasAll }) => hasAll },
      // The early answer has ended the recovery for the monitor, and nothing wakes the thread that waits for the bitmaps.
      { defect: 'MIG-DEF-31', when: ({ said }) => said.has(resumeAck) && !said.has(bitmap) },
    ],
  },
  'postcopy-recover': {
    rows: ['MIG-SM-O75'],
    defects: [{ defect: 'MIG-DEF-10' }, { defect: 'MIG-DEF-31', when: ({ said }) => said.has(shut) }],
  },
};

// Types of messages on the return path (stream-format.md), as they stand in a transcript.
const [shut, bitmap, resumeAck] = ['0001', '0005', '0006'] as const;

/** The last connection of a peer: what it had read and said when it was closed. */
interface PeerEnd {
  /** It had read the stream to its end, or the source says that nothing remains. */
  readonly hasAll: boolean;
  /** Types of the messages that it sent. */
  readonly said: ReadonlySet<string>;
  /** Nothing but RAM in one direction was asked for. */
  readonly plain: boolean;
}

/** Phases in which a migration stays for good, whatever became of its channel: what the model says of them is met. */
const forGood = /^(colo|stuck)/;

export function stuckSymptoms({ transcript, defects, judge }: Evidence): Symptom[] {
  const plain = isPlain(transcript);
  const cut = lastCut(transcript) ?? (plain ? cancelledAt(transcript) : undefined);
  if (cut === undefined) return [];
  const shown = statusesAfter(transcript, cut);
  const last = shown.at(-1);
  if (last === undefined) return [];
  if (judge.states('source').some(({ out }) => out.status === last.status && forGood.test(out.phase))) return [];
  const rule = passing[last.status];
  const first = shown.find(
    ({ status }, i) => status === last.status && shown.slice(i).every((one) => one.status === status),
  );
  if (rule === undefined || first === undefined || last.time - Math.max(first.time, cut) < patience) return [];
  const { hasAll, said } = peerEnd(transcript);
  const peer = { hasAll: hasAll || last.allSent, said, plain };
  const defect = rule.defects?.find((one) => defects.has(one.defect) && one.when?.(peer) !== false)?.defect;
  return [
    {
      kind: defect === undefined ? 'hang' : 'known-defect',
      subject: `stays ${last.status} after its channel was closed`,
      rows: rule.rows,
      state: `outgoing ${last.status}`,
      expected: [`another status than ${last.status} within ${patience} ms of the channel's end`],
      got: `${last.status} for ${Math.round(last.time - Math.max(first.time, cut))} ms`,
      entry: last.entry,
      ...(defect === undefined ? {} : { defect }),
    },
  ];
}

/** When the last channel was closed for good; `undefined` while one may be open, or none ever was. */
function lastCut(transcript: Transcript): number | undefined {
  const open = new Set<string>();
  let closed: number | undefined;
  for (const { kind, at, text, time } of transcript.entries) {
    if (kind !== 'channel') continue;
    if (/accepted|released|queue .* is full/.test(text)) open.add(at);
    else if (/^cut$/.test(text)) {
      open.delete(at);
      closed = time;
    }
  }
  return open.size === 0 ? closed : undefined;
}

/**
 * Every migration is one of RAM with nothing coming back, in a process that was seen from its start: over one connection, or
 * over data channels to peers that all read on.
 */
function isPlain({ entries }: Transcript): boolean {
  const listens = entries.filter(({ kind, text }) => kind === 'channel' && text.startsWith('listens '));
  const beyond = listens.every(({ text }) => text.endsWith(': answer')) ? beyondRam : beyondPlain;
  if (!entries.some(({ kind, at }) => kind === 'started' && at === 'source')) return false;
  if (entries.some(({ kind, text }) => kind === 'started' && /"extra"|-global|postcopy/.test(text))) return false;
  return !entries.some(({ kind, text }) => kind === 'sent' && beyond.test(text));
}

/** Capabilities that are switched on, `events` apart, whatever else there is in the message; and names that are spelled out. */
const beyondPlain =
  /"capability"\s*:\s*"(?!events")[^"]*"\s*,\s*"state"\s*:\s*true|"state"\s*:\s*true\s*,|\\u|"blk"|"inc"/;
/** The same, data channels apart. */
const beyondRam = new RegExp(beyondPlain.source.replace('(?!events")', '(?!(?:events|(?:x-)?multifd)")'));

/** A cancel closes the channel by itself: when the last one was asked for and there was a channel, whichever came later. */
function cancelledAt({ entries }: Transcript): number | undefined {
  const cancel = entries.findLast(
    ({ kind, at, text }) => kind === 'sent' && at === 'source' && /migrate_cancel/.test(text),
  );
  const accepted = entries.findLast(({ kind, text }) => kind === 'channel' && /: accepted$/.test(text));
  const full = entries.some(({ kind, text }) => kind === 'channel' && / is full$/.test(text));
  return cancel === undefined || accepted === undefined || full ? undefined : Math.max(cancel.time, accepted.time);
}

/** Of the connection that was made last. */
function peerEnd({ entries }: Transcript): Omit<PeerEnd, 'plain'> {
  const accepted = entries.findLastIndex(({ kind, text }) => kind === 'channel' && /: accepted$/.test(text));
  const since = entries
    .slice(accepted + 1)
    .filter(({ kind, at }) => kind === 'channel' && at === entries[accepted]?.at);
  return {
    hasAll: since.some(({ text }) => /: the stream has ended$/.test(text)),
    said: new Set(since.flatMap(({ text }) => /^sent ([0-9a-f]{4})/.exec(text)?.[1] ?? [])),
  };
}

interface Shown {
  readonly status: string;
  readonly time: number;
  readonly entry: number;
  /** Nothing of RAM remains. */
  readonly allSent: boolean;
}

function statusesAfter(transcript: Transcript, time: number): Shown[] {
  return transcript.entries.flatMap((entry) => {
    if (entry.kind !== 'received' || entry.at !== 'source' || entry.time < time) return [];
    const value = entryValue(entry);
    const info = isObject(value) && isObject(value.return) ? value.return : {};
    // Only query-migrate's: query-status has a member of that name, too, beside `running`.
    const isInfo = typeof info.status === 'string' && !('running' in info);
    if (!isInfo) return [];
    const allSent = isObject(info.ram) && info.ram.remaining === 0;
    return [{ status: String(info.status), time: entry.time, entry: entry.n, allSent }];
  });
}
