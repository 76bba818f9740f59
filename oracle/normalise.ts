/** A message without what differs between any two runs, so that transcripts of two monitors can be compared. */
import { isObject, type JsonObject, type JsonValue, stringifyJson } from '../protocol/json.js';
import { type Entry, entryValue } from '../protocol/transcript.js';

/** Members whose values are measurements, or belong to the process. */
const volatile = new Set([
  'timestamp',
  'seconds',
  'microseconds',
  'package',
  'major',
  'minor',
  'micro',
  'total-time',
  'setup-time',
  'downtime',
  'expected-downtime',
  'transferred',
  'remaining',
  'total',
  'duplicate',
  'normal',
  'normal-bytes',
  'dirty-pages-rate',
  'mbps',
  'dirty-sync-count',
  'pass',
  'postcopy-requests',
  'multifd-bytes',
  'pages-per-second',
  'precopy-bytes',
  'downtime-bytes',
  'postcopy-bytes',
  'fd',
]);

export interface NormaliseOptions {
  /** Keep error descriptions. */
  readonly strictDesc: boolean;
}

/** Canonical text of a received message: members sorted, ids as they were numbered, volatile values as `*`. */
export function normalise(entry: Entry, options: NormaliseOptions): string {
  const value = entryValue(entry);
  if (value === undefined) return entry.text;
  return stringifyJson(mask(value, '', options));
}

function mask(value: JsonValue, name: string, options: NormaliseOptions): JsonValue {
  if (volatile.has(name)) return '*';
  if ((name === 'desc' || name === 'error-desc') && !options.strictDesc) return '*';
  if (Array.isArray(value)) return value.map((one) => mask(one, '', options));
  if (isObject(value)) {
    const members = Object.keys(value).sort();
    return Object.fromEntries(members.map((one) => [one, mask((value as JsonObject)[one] as JsonValue, one, options)]));
  }
  if (typeof value !== 'string') return value;
  // Our own ids name their connection; scratch folders name their run.
  return value.replace(/^qs\d+\.(\d+)$/, 'id $1').replace(/\/[^\s"']*\/qmpspec-[^/]+\/\d+\//g, '…/');
}
