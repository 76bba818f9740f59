/**
 * MIG-DEF-26: when a postcopy is cancelled or cannot begin, the thread that reads its return path may be left waiting. The
 * next migration of the process then opens a return path that nobody asked for, and stays `active`, or `cancelling`, with the
 * guest stopped, for ever.
 */
import { isObject } from '../protocol/json.js';
import { entryValue, type Transcript } from '../protocol/transcript.js';
import type { Symptom } from './symptom.js';

const defect = 'MIG-DEF-26';

/** Entry at which a postcopy of the source was cancelled, or failed as it began; `undefined` when none was. */
function postcopyCutShort({ entries }: Transcript): number | undefined {
  let status = '';
  for (const entry of entries) {
    if (entry.kind !== 'received' || entry.at !== 'source' || !entry.text.includes('"MIGRATION"')) continue;
    const value = entryValue(entry);
    if (!isObject(value) || value.event !== 'MIGRATION' || !isObject(value.data)) continue;
    const next = String(value.data.status);
    if (status === 'postcopy-active' && (next === 'cancelling' || next === 'failed')) return entry.n;
    status = next;
  }
  return undefined;
}

/** Whether what a source does from now on may be the defect's doing. */
export const mayHang = (transcript: Transcript, defects: ReadonlySet<string>): boolean =>
  defects.has(defect) && postcopyCutShort(transcript) !== undefined;

/** The symptoms, those that are the defect's told as that. */
export function withLeftOpen(
  symptoms: readonly Symptom[],
  transcript: Transcript,
  defects: ReadonlySet<string>,
): Symptom[] {
  const since = defects.has(defect) ? postcopyCutShort(transcript) : undefined;
  if (since === undefined) return [...symptoms];
  return symptoms.map((symptom) => {
    const { kind, entry = 0, subject, got } = symptom;
    const stays = kind === 'hang' && /^stays (active|cancelling) /.test(subject);
    const silent = kind === 'divergence' && got.startsWith('silence');
    return entry > since && (stays || silent) ? { ...symptom, kind: 'known-defect', defect } : symptom;
  });
}
