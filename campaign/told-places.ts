/**
 * Where a destination says that it listens (`socket-address` of `query-migrate`), held against every place at which it was ever
 * told to: the list grows with each listener, also with one of a `migrate-incoming` that some releases open and refuse
 * (MIG-DEF-06), and with one at the same path as another.
 */
import { parseStart } from '../oracle/first-state.js';
import { isObject, type JsonObject, parseJson } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { Symptom } from './symptom.js';

/** One entry that the list may have, as what its members have to be. */
type Place = Readonly<Record<string, RegExp>>;

/** What is known of a process that waits, or once did. */
interface Waiting {
  readonly places: Place[];
  /** It may have been told of places that cannot be read here. */
  unsure: boolean;
}

const exactly = (text: string): RegExp => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}$`);

/** URIs that open no socket, or that no monitor takes. */
const none = /^(?:defer|qmpspec:.*|exec:.*|TCP:.*|)$/;
/** A port that the system chooses. */
const anyPort = /^[1-9]\d{0,4}$/;

/** The places at which a monitor listens for a URI; `undefined` where that is not known. */
function placesOf(uri: unknown): Place[] | undefined {
  if (typeof uri !== 'string') return undefined;
  if (none.test(uri)) return [];
  const [, path] = /^unix:([^,]+)$/.exec(uri) ?? [];
  if (path !== undefined) return [{ type: /^unix$/, path: exactly(path) }];
  const [, host, port] = /^tcp:(127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})$/.exec(uri) ?? [];
  if (host === undefined || port === undefined) return undefined;
  const at = (one: string): Place => ({
    type: /^inet$/,
    host: exactly(one),
    port: Number(port) === 0 ? anyPort : exactly(`${Number(port)}`),
  });
  // A name may stand for several addresses.
  return host === 'localhost' ? [at('127.0.0.1'), at('::1')] : [at(host.replace(/[[\]]/g, ''))];
}

/** Takes down where a process was told to listen, whatever becomes of it. */
function note(waiting: Waiting, text: string): void {
  for (const line of text.split('\n')) {
    if (line === '') continue;
    // However it is spelled, or cut into pieces.
    if (!/^\{"exec.*\}$/.test(line) || line.includes('\\u')) waiting.unsure = true;
    if (waiting.unsure || !/"migrate-(?:incoming|recover)"/.test(line)) continue;
    let value: unknown;
    try {
      value = parseJson(line);
    } catch {
      waiting.unsure = true;
      continue;
    }
    const args = isObject(value) && isObject(value.arguments) ? value.arguments : {};
    const places = 'uri' in args || !('channels' in args) ? placesOf(args.uri ?? '') : undefined;
    if (places === undefined) waiting.unsure = true;
    else waiting.places.push(...places);
  }
}

const fits = (place: Place, told: JsonObject): boolean =>
  Object.entries(place).every(([name, pattern]) => typeof told[name] === 'string' && pattern.test(told[name]));

/** The first entry of a list that is none of the places, or one of them once too often. */
function unasked(told: readonly unknown[], places: readonly Place[]): unknown {
  // A port that was named is no port of choice.
  const left = places.toSorted((a, b) => Number(a.port === anyPort) - Number(b.port === anyPort));
  return told.find((one) => {
    const at = isObject(one) ? left.findIndex((place) => fits(place, one)) : -1;
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** The first place that a destination tells and was never told of, or not so often. */
export function placeSymptoms({ entries }: Transcript): Symptom[] {
  const all = new Map<string, Waiting>();
  for (const entry of entries) {
    const [process = entry.at] = entry.at.split('#');
    if (entry.kind === 'started') {
      const { incoming } = parseStart(entry.text);
      const places = incoming === undefined ? undefined : placesOf(incoming);
      if (incoming !== undefined) all.set(process, { places: places ?? [], unsure: places === undefined });
      continue;
    }
    const waiting = all.get(process);
    if (waiting === undefined || waiting.unsure) continue;
    if (entry.kind === 'sent') note(waiting, entry.text);
    if (entry.kind !== 'received' || entry.stale || !entry.text.includes('"socket-address"')) continue;
    const value = entryValue(entry);
    const told = isObject(value) && isObject(value.return) ? value.return['socket-address'] : undefined;
    const wrong = Array.isArray(told) ? unasked(told, waiting.places) : undefined;
    if (wrong !== undefined) return [symptomOf(entry, waiting.places.length)];
  }
  return [];
}

const symptomOf = ({ n, text }: Entry, count: number): Symptom => ({
  kind: 'divergence',
  subject: 'a place to listen at that nobody named',
  rows: ['MIG-CMD-INC-05'],
  state: '',
  expected: [`at most ${count} of the places that it was told of, as they were named`],
  got: text.slice(0, 200),
  entry: n,
});
