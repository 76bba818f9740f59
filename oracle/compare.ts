/**
 * Compares what two monitors did with the same scenario: both transcripts are aligned, volatile values masked, and a reply and
 * an event that merely changed places are no difference of content. What the model permits on both sides is marked so.
 */
import { diffArrays } from 'diff';
import { isObject } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import { type Difference, differences } from './differing.js';
import type { Judgement } from './judge.js';
import { type NormaliseOptions, normalise } from './normalise.js';

/** One run of the scenario. */
export interface Side {
  readonly transcript: Transcript;
  readonly judgement: Judgement;
}

/**
 * What the model says of a difference: it permits what each side did there; it does not; or one side had left the model before,
 * or was not judged so far, so that nothing is said.
 */
export type Standing = 'permitted' | 'not-permitted' | 'unjudged';

export type Alignment =
  | { readonly kind: 'same'; readonly left: Entry; readonly right: Entry }
  /** On one side only, or different. */
  | {
      readonly kind: 'different';
      readonly left?: Entry;
      readonly right?: Entry;
      readonly standing: Standing;
      /** Members in which two messages in the same place differ. */
      readonly members?: readonly Difference[];
    }
  /** The same message, earlier on the other side. */
  | { readonly kind: 'moved'; readonly left?: Entry; readonly right?: Entry; readonly standing: Standing };

export interface Comparison {
  readonly endpoint: string;
  readonly rows: readonly Alignment[];
}

interface Item {
  readonly entry: Entry;
  readonly text: string;
}

/** Endpoint by endpoint, in the order of their first message on the left. */
export function compareTranscripts(left: Side, right: Side, options: NormaliseOptions): Comparison[] {
  const endpoints = new Set(
    [...left.transcript.entries, ...right.transcript.entries].filter(compared).map(({ at }) => at),
  );
  return [...endpoints].map((endpoint) => {
    const rows = align(items(left.transcript, endpoint, options), items(right.transcript, endpoint, options), options);
    return { endpoint, rows: rows.map((row) => withPermission(row, left, right)) };
  });
}

/** Messages and ends; that we ended a process ourselves says nothing of it. */
const compared = ({ kind, stale, text }: Entry): boolean =>
  (kind === 'received' || kind === 'sent' || kind === 'eof' || (kind === 'exited' && !text.endsWith('SIGKILL'))) &&
  stale !== true;

function items(transcript: Transcript, endpoint: string, options: NormaliseOptions): Item[] {
  const all = transcript.entries
    .filter((entry) => entry.at === endpoint && compared(entry))
    .map((entry) => ({
      entry,
      text: `${entry.kind} ${entry.kind === 'sent' || entry.kind === 'received' ? normalise(entry, options) : entry.text}`,
    }));
  return withoutPolls(all);
}

/** A question that is asked again, with the same answer as before, says nothing by its number. */
function withoutPolls(all: readonly Item[]): Item[] {
  const bare = (item: Item | undefined) => item?.text.replace(/"id":"id \d+"/, '');
  const result: Item[] = [];
  for (const item of all) {
    result.push(item);
    const [q1, a1, q2, a2] = result.slice(-4);
    const poll = /"execute":"query-(migrate|status)"/.test(q1?.text ?? '');
    if (result.length >= 4 && poll && bare(q1) === bare(q2) && bare(a1) === bare(a2)) result.splice(-2);
  }
  // Ids count commands; where the number of polls differs they would make everything after it different.
  return result.map((item) => ({ ...item, text: bare(item) as string }));
}

function align(left: readonly Item[], right: readonly Item[], options: NormaliseOptions): Alignment[] {
  const rows: Alignment[] = [];
  let l = 0;
  let r = 0;
  for (const part of diffArrays(
    left.map(({ text }) => text),
    right.map(({ text }) => text),
  )) {
    for (let i = 0; i < part.value.length; i++) {
      if (part.added) rows.push({ kind: 'different', right: (right[r++] as Item).entry, standing: 'unjudged' });
      else if (part.removed) rows.push({ kind: 'different', left: (left[l++] as Item).entry, standing: 'unjudged' });
      else rows.push({ kind: 'same', left: (left[l++] as Item).entry, right: (right[r++] as Item).entry });
    }
  }
  return pairUp(markMoves(rows, new Map([...left, ...right].map(({ entry, text }) => [entry, text]))), options);
}

/** How far a message may have moved and still be called moved: further is another order of things. */
const nearby = 6;

function markMoves(rows: readonly Alignment[], texts: ReadonlyMap<Entry, string>): Alignment[] {
  const result = [...rows];
  for (const [i, row] of result.entries()) {
    if (row.kind !== 'different' || row.left === undefined || row.right !== undefined) continue;
    const text = texts.get(row.left);
    const from = Math.max(0, i - nearby);
    const near = result.slice(from, i + nearby + 1);
    const at = near.findIndex(
      (one) =>
        one.kind === 'different' && one.left === undefined && one.right !== undefined && texts.get(one.right) === text,
    );
    if (at < 0) continue;
    result[i] = { ...row, kind: 'moved' };
    result[from + at] = { ...(near[at] as Alignment & { kind: 'different' }), kind: 'moved' };
  }
  return result;
}

/** What stands in the same place on both sides and differs is one row, not two. */
function pairUp(rows: readonly Alignment[], options: NormaliseOptions): Alignment[] {
  const result: Alignment[] = [];
  let open: Alignment[] = [];
  for (const row of rows) {
    if (row.kind === 'same') open = [];
    const { left, right } = row;
    const partner =
      row.kind === 'different' && right !== undefined && left === undefined
        ? open.find((one) => one.left !== undefined && category(one.left) === category(right))
        : undefined;
    if (partner?.left !== undefined && right !== undefined) {
      const members = differences(partner.left, right, options);
      const both = { kind: 'different', left: partner.left, right, standing: 'unjudged', members } as const;
      result[result.indexOf(partner)] = both;
      open = open.slice(open.indexOf(partner) + 1);
      continue;
    }
    result.push(row);
    if (row.kind === 'different' && row.right === undefined) open.push(row);
  }
  return result;
}

/** Kinds of messages between which a comparison makes sense. */
function category(entry: Entry): string {
  const value = entry.kind === 'received' ? entryValue(entry) : undefined;
  return `${entry.kind} ${isObject(value) && 'event' in value ? value.event : 'reply'}`;
}

function withPermission(row: Alignment, left: Side, right: Side): Alignment {
  if (row.kind === 'same') return row;
  const all = [standingOf(left, row.left), standingOf(right, row.right)];
  const worst = (['not-permitted', 'unjudged'] as const).find((one) => all.includes(one));
  return { ...row, standing: worst ?? 'permitted' };
}

function standingOf({ judgement }: Side, entry: Entry | undefined): Standing {
  const { kind, divergence } = judgement;
  if (entry === undefined || kind === 'conforms' || kind === 'known-defect') return 'permitted';
  if (divergence === undefined) return 'unjudged';
  if (entry.n < divergence.entry) return 'permitted';
  return entry.n === divergence.entry ? 'not-permitted' : 'unjudged';
}

/** Differences that the model does not permit. */
export const unpermitted = (comparisons: readonly Comparison[]): Alignment[] =>
  comparisons.flatMap(({ rows }) => rows.filter((row) => row.kind !== 'same' && row.standing === 'not-permitted'));
