/**
 * The speed of a migration that goes on (MIG-CMD-QMIG-03): `mbps` is that of the last window of a tenth of a second or more. Of
 * the first window it is known what it holds at least, where somebody looked before it had ended: what had been sent by then.
 */
import { isObject, type JsonObject, type JsonValue } from '../protocol/json.js';
import { entryValue, type Transcript } from '../protocol/transcript.js';
import type { Symptom } from './symptom.js';

/** Milliseconds within which no second window can have ended. */
const twoWindows = 190;
/** By how much the two ways of counting may differ. */
const slack = 2;

/** Anything but questions may begin another migration, or change how fast this one is. */
const question = /^\{"execute":"query-[a-z-]+"/;

const figure = (holder: JsonObject, name: string): number | undefined => {
  const value = holder[name];
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : undefined;
};

export function speedSymptoms({ entries }: Transcript): Symptom[] {
  /** Bytes that were sent when the last look came before the end of the first window, by connection. */
  const early = new Map<string, number>();
  for (const entry of entries) {
    const { kind, at, text, n, stale } = entry;
    if (kind === 'sent' && text.split('\n').some((line) => line !== '' && !question.test(line))) early.clear();
    if (kind !== 'received' || stale || !text.includes('"mbps"')) continue;
    const look = lookOf(entryValue(entry));
    if (look === undefined) continue;
    const { mbps, transferred, running } = look;
    const before = early.get(at);
    if (mbps === 0) early.set(at, transferred);
    else early.delete(at);
    if (before === undefined || mbps === 0 || running >= twoWindows) continue;
    const least = (before * 8) / 1000 / (running + 2) / slack;
    if (mbps >= least) continue;
    return [
      {
        kind: 'divergence',
        subject: 'a speed at which less would have been sent',
        rows: ['MIG-CMD-QMIG-03'],
        state: '',
        expected: [`mbps of ${least.toFixed(3)} at least: ${before} bytes were sent in less than ${running} ms`],
        got: text.slice(0, 200),
        entry: n,
      },
    ];
  }
  return [];
}

/** What a reply to `query-migrate` tells of a migration that goes on. */
function lookOf(value: JsonValue | undefined): { mbps: number; transferred: number; running: number } | undefined {
  if (!isObject(value)) return undefined;
  const { return: info } = value;
  if (!isObject(info) || info.status !== 'active' || !isObject(info.ram)) return undefined;
  const [mbps, transferred] = [figure(info.ram, 'mbps'), figure(info.ram, 'transferred')];
  const [total, setup] = [figure(info, 'total-time'), figure(info, 'setup-time')];
  if (mbps === undefined || transferred === undefined || total === undefined || setup === undefined) return undefined;
  return { mbps, transferred, running: total - setup };
}
