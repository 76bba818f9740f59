/**
 * Streams that are out of the ordinary and that a destination must take all the same. One load can have many of these
 * peculiarities in it, each in another place; where something is wrong with it, each is looked at in a load of its own.
 */
import type { Trial } from '../../oracle/trial.js';
import { stringifyJson } from '../../protocol/json.js';
import type { StreamRules } from '../../reference/dialects/stream.js';
import type { StreamWriter } from '../../reference/stream/stream-writer.js';
import type { TargetFacts } from '../../targets/facts.js';
import type { Feed } from '../state-machine/feed.js';
import { acceptedFrames } from './accepted-frames.js';
import { acceptedRam } from './accepted-ram.js';
import { holds, loading } from './loading.js';

/** What of a stream only one peculiarity can decide. */
export type Place = 'begin' | 'end' | 'run state' | 'first memory' | 'no memory' | 'size';

export interface AcceptedRow {
  /** Row of the specification; several streams of one row have a word more. */
  readonly id: string;
  readonly places: readonly Place[];
  readonly capabilities?: readonly string[];
  /** False for a release that need not take it. */
  readonly fits?: (facts: TargetFacts) => boolean;
  /** In place of the usual beginning. */
  readonly begin?: (writer: StreamWriter) => void;
  /** Items; pages from `at` on are its own. Returns those that then hold something. */
  readonly items?: (writer: StreamWriter, at: number) => ReadonlyMap<number, Buffer>;
  /** Device sections. */
  readonly devices?: (writer: StreamWriter) => void;
  /** A section with the run state of the source, and that state; running without. */
  readonly state?: (writer: StreamWriter, rules: StreamRules) => string;
  /** In place of the usual end; `closes`: the connection is closed behind it. */
  readonly end?: { readonly bytes: Buffer; readonly closes?: boolean };
  /** How it is sent; default: in one piece. */
  readonly send?: (feed: Feed) => void;
}

/** Pages of its own for each. */
const pagesEach = 64;

/** Those with whose help the memory is announced, or which bring some. */
const hasMemory = ({ items, places }: AcceptedRow): boolean => items !== undefined && !places.includes('no memory');

function goTogether(mix: readonly AcceptedRow[], row: AcceptedRow): boolean {
  const taken = new Set(mix.flatMap(({ places }) => places));
  if (row.places.some((place) => taken.has(place))) return false;
  if (hasMemory(row) ? taken.has('no memory') : row.places.includes('no memory') && mix.some(hasMemory)) return false;
  const list = ({ capabilities = [] }: AcceptedRow) => stringifyJson([...capabilities]);
  return mix.every((one) => list(one) === list(row));
}

/** Puts each in the first load in which it has room. What must be first in memory comes first. */
export function mixed(rows: readonly AcceptedRow[]): AcceptedRow[][] {
  const mixes: AcceptedRow[][] = [];
  for (const row of rows) {
    const mix = mixes.find((one) => goTogether(one, row));
    if (mix === undefined) mixes.push([row]);
    else if (row.places.includes('first memory')) mix.unshift(row);
    else mix.push(row);
  }
  return mixes;
}

export const acceptedRows: readonly AcceptedRow[] = [...acceptedFrames, ...acceptedRam];

/** Loads that a target must take, with all of the rows that are for its release. */
export const mixesFor = (facts: TargetFacts): AcceptedRow[][] =>
  mixed(acceptedRows.filter(({ fits }) => fits?.(facts) ?? true));

/** A destination takes every stream of this row. */
export async function takes(t: Trial, id: string): Promise<void> {
  const rows = acceptedRows.filter((row) => row.id === id || row.id.startsWith(`${id}.`));
  const mixes = mixesFor(t.facts);
  for (const row of rows) {
    const mix = mixes.find((one) => one.includes(row)) ?? [row];
    const key = `load ${mix.map((one) => one.id).join(' ')}`;
    const load = (rows: readonly AcceptedRow[]) => (t: Trial) => loadsAll(t, rows);
    await t.observed(key, load(mix), load([row]));
  }
}

/** A load with all of these in it ends well, with the memory and the run state that they tell of. */
export async function loadsAll(t: Trial, rows: readonly AcceptedRow[]): Promise<void> {
  const capabilities = rows[0]?.capabilities;
  const [one, feed] = await loading(t, capabilities === undefined ? {} : { capabilities });
  const { writer } = feed;
  const begin = rows.find((row) => row.begin !== undefined)?.begin;
  if (begin === undefined) feed.begin();
  else begin(writer);
  const ram = new Map<number, Buffer>();
  for (const [i, row] of rows.entries()) {
    writer.ram.forgetBlock();
    for (const [page, content] of row.items?.(writer, i * pagesEach) ?? []) ram.set(page, content);
  }
  for (const row of rows) row.devices?.(writer);
  let state = 'running';
  for (const row of rows) state = row.state?.(writer, t.dialect.stream) ?? state;
  const end = rows.find((row) => row.end !== undefined)?.end;
  if (end === undefined) feed.end();
  else {
    writer.eof();
    writer.out.bytes(end.bytes);
  }
  const send = rows.find((row) => row.send !== undefined)?.send;
  if (send === undefined) feed.send(rows.map(({ id }) => id).join(', '));
  else send(feed);
  if (end?.closes) feed.finish();
  await one.until('completed');
  await one.statusIs('completed');
  await one.runs(state);
  if (rows.some((row) => row.items !== undefined)) await holds(t, one, ram);
}
