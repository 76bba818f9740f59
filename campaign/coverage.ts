/**
 * What a campaign has seen of the target, as keys: transitions of the model, commands by state and outcome, classes of values,
 * pairs of neighbouring events. A case with a key that no case had before is novel.
 */

import { type Taken, transitionKey } from '../oracle/tracker/transition-name.js';
import { isObject, type JsonValue } from '../protocol/json.js';
import { entryValue, type Transcript } from '../protocol/transcript.js';
import type { Attempt } from './attempt.js';

export type KeyKind = 'transition' | 'perhaps' | 'place' | 'command' | 'value' | 'events';

/** `kind|…`. */
export type CoverageKey = string;

const key = (kind: KeyKind, ...parts: readonly string[]): CoverageKey => [kind, ...parts].join('|');

/** Everything that one attempt has reached. What may have been taken, or another that looks the same, is kept apart. */
export function keysOf({ transitions, transcript }: Pick<Attempt, 'transitions' | 'transcript'>): Set<CoverageKey> {
  const keys = new Set<CoverageKey>();
  // The same commands come in great number: what was told of one in a state is told of all.
  const told = new Map<string, Set<Taken['from']>>();
  for (const taken of transitions.sure) {
    const transition = transitionKey(taken);
    const shown = `${transition}|${taken.label}|${taken.rows[0]}`;
    const states = told.get(shown) ?? new Set();
    if (states.has(taken.from)) continue;
    told.set(shown, states.add(taken.from));
    const { out, in: incoming } = taken.from;
    keys.add(key('transition', transition));
    keys.add(key('place', transition, out.status, incoming.status));
    if (taken.side === 'command') keys.add(commandKey(taken));
  }
  for (const taken of transitions.possible) keys.add(key('perhaps', transitionKey(taken)));
  for (const one of valueKeys(transcript)) keys.add(one);
  for (const one of eventKeys(transcript)) keys.add(one);
  return keys;
}

/** A command in a state, and what became of it: `command|migrate|active/iterating+none|refused|MIG-CMD-MIG-05`. */
function commandKey({ label, rows, from }: Taken): CoverageKey {
  const [name = '', outcome = ''] = label.split(': ');
  const incoming = from.in.origin === 'none' ? '' : `+${from.in.status}/${from.in.phase}`;
  return key('command', name, `${from.out.status}/${from.out.phase}${incoming}`, outcome, rows[0] ?? '');
}

/** A command with values. */
interface Valued {
  readonly name: string;
  readonly classes: readonly string[];
  /** Outcomes that were told of it. */
  readonly told: Set<string>;
}

/** A line with an id of a session at its end, as most are. */
const ownLine = /^(\{"exec.*),"id":"(qs\d+\.\d+)"\}$/;

/** The classes of the values that commands carried, with what they were answered. */
function valueKeys(transcript: Transcript): CoverageKey[] {
  const asked = new Map<string, Valued>();
  // What is sent again and again is looked at once.
  const known = new Map<string, Valued | undefined>();
  const keys: CoverageKey[] = [];
  for (const entry of transcript.entries) {
    if (entry.kind === 'sent') {
      for (const line of entry.text.split('\n')) {
        const [, head, own] = ownLine.exec(line) ?? [];
        if (head !== undefined && own !== undefined && known.has(head)) {
          const same = known.get(head);
          if (same !== undefined) asked.set(own, same);
          continue;
        }
        const value = line === '' ? undefined : entryValue({ ...entry, text: line });
        const one = valued(value);
        if (head !== undefined) known.set(head, one);
        if (one !== undefined && isObject(value) && typeof value.id === 'string') asked.set(value.id, one);
      }
    } else if (entry.kind === 'received' && asked.size > 0) {
      const value = entryValue(entry);
      if (!isObject(value) || typeof value.id !== 'string') continue;
      const sent = asked.get(value.id);
      if (sent === undefined) continue;
      asked.delete(value.id);
      const outcome = isObject(value.error) ? String(value.error.class) : 'ok';
      if (sent.told.has(outcome)) continue;
      sent.told.add(outcome);
      for (const one of sent.classes) keys.push(key('value', sent.name, one, outcome));
    }
  }
  return keys;
}

function valued(value: JsonValue | undefined): Valued | undefined {
  if (!isObject(value)) return undefined;
  const name = value.execute ?? value['exec-oob'];
  if (typeof name !== 'string' || !isObject(value.arguments)) return undefined;
  return { name, classes: classesOf(value.arguments, ''), told: new Set() };
}

function classesOf(value: JsonValue, path: string): string[] {
  if (Array.isArray(value)) {
    const inner = value.slice(0, 4).flatMap((one) => classesOf(one, `${path}[]`));
    return [`${path} list of ${value.length > 3 ? 'many' : value.length}`, ...inner];
  }
  if (isObject(value)) {
    return Object.entries(value).flatMap(([name, one]) => classesOf(one, path === '' ? name : `${path}.${name}`));
  }
  return [`${path} ${classOf(value)}`];
}

/** Names of the schema are their own class; figures are told by sign and size, other texts by length. */
function classOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    if (value === '') return 'empty text';
    const scheme = /^[A-Za-z]{2,6}:/.exec(value)?.[0];
    if (scheme !== undefined) return `text ${scheme}`;
    return value.length <= 24 && /^[a-z][a-z0-9-]*$/.test(value) ? `name ${value}` : `text of ${sizeOf(value.length)}`;
  }
  if (typeof value === 'number' && !Number.isInteger(value)) return 'fraction';
  const figure = BigInt(value as number | bigint);
  return figure < 0n ? `minus ${sizeOf(-figure)}` : sizeOf(figure);
}

/** Powers of two are told apart from their neighbours: that is where limits are. */
function sizeOf(value: number | bigint): string {
  const figure = BigInt(value);
  if (figure < 2n) return String(figure);
  const bits = figure.toString(2).length;
  const exact = figure === 1n << BigInt(bits - 1);
  return exact ? `2^${bits - 1}` : figure + 1n === 1n << BigInt(bits) ? `2^${bits}-1` : `${bits} bits`;
}

function eventKeys(transcript: Transcript): CoverageKey[] {
  const last = new Map<string, string>();
  const keys: CoverageKey[] = [];
  for (const entry of transcript.entries) {
    if (entry.kind !== 'received') continue;
    const value = entryValue(entry);
    if (!isObject(value) || typeof value.event !== 'string') continue;
    const status = isObject(value.data) && typeof value.data.status === 'string' ? ` ${value.data.status}` : '';
    const name = `${value.event}${status}`;
    keys.push(key('events', last.get(entry.at) ?? 'start', name));
    last.set(entry.at, name);
  }
  return keys;
}

/** All keys of a campaign with how many cases reached each. */
export class Coverage {
  readonly reached = new Map<CoverageKey, number>();

  /** Counts the keys of a case; gives back those that are new. */
  add(keys: Iterable<CoverageKey>): CoverageKey[] {
    const fresh: CoverageKey[] = [];
    for (const one of keys) {
      const before = this.reached.get(one) ?? 0;
      if (before === 0) fresh.push(one);
      this.reached.set(one, before + 1);
    }
    return fresh;
  }

  count(kind: KeyKind): number {
    let count = 0;
    for (const one of this.reached.keys()) if (one.startsWith(`${kind}|`)) count++;
    return count;
  }
}
