/**
 * MIG-DEF-26: when a postcopy is cancelled or cannot begin, the thread that reads its return path may be left waiting. The
 * next migration of the process then opens a return path that nobody asked for, and stays `active`, or `cancelling`, with the
 * guest stopped, for ever. A process that is told to end in that condition says SHUTDOWN, waits for that thread in order to
 * destroy the semaphore on which it waits, and neither answers nor ends.
 */
import { isObject } from '../protocol/json.js';
import { entryValue, type Transcript } from '../protocol/transcript.js';
import type { Symptom } from './symptom.js';

const defect = 'MIG-DEF-26';

/** Entry at which a postcopy of the source was cancelled, or failed as it began; `undefined` when none was. */
function postcopyCutShort({ entries }: Transcript): number | undefined {
  let status = '';
  for (const entry of entries) {
    if (entry.kind !== 'received' || entry.at !== 'source' || !/"status"\s*:/.test(entry.text)) continue;
    const value = entryValue(entry);
    if (!isObject(value)) continue;
    // Told by an event, or by `query-migrate` where nobody asked for events.
    const told = value.event === 'MIGRATION' ? value.data : value.return;
    if (!isObject(told) || typeof told.status !== 'string' || 'running' in told) continue;
    const next = told.status;
    if (status === 'postcopy-active' && /^(cancelling|cancelled|failed)$/.test(next)) return entry.n;
    status = next;
  }
  return undefined;
}

/** Whether the source said after an entry that it is about to end, and did not. */
const isLeaving = ({ entries }: Transcript, since: number): boolean =>
  entries.some(({ n, at, kind, text }) => n > since && at === 'source' && kind === 'received' && isShutdown.test(text));
const isShutdown = /"event"\s*:\s*"SHUTDOWN"/;

/** Whether what a source does from now on may be the defect's doing. */
export const mayHang = (transcript: Transcript, defects: ReadonlySet<string>): boolean =>
  defects.has(defect) && (postcopyCutShort(transcript) !== undefined || mayHaveCut(transcript));

/** Both were asked for, and nobody may have looked in between. */
const mayHaveCut = ({ entries }: Transcript): boolean =>
  ['migrate-start-postcopy', 'migrate_cancel'].every((name) =>
    entries.some(({ kind, text }) => kind === 'sent' && text.includes(name)),
  );

/** The symptoms, those that are the defect's told as that. */
export function withLeftOpen(
  symptoms: readonly Symptom[],
  transcript: Transcript,
  defects: ReadonlySet<string>,
): Symptom[] {
  const since = defects.has(defect) ? postcopyCutShort(transcript) : undefined;
  if (since === undefined) return [...symptoms];
  const leaving = isLeaving(transcript, since);
  return symptoms.map((symptom) => {
    const { kind, entry = 0, subject, got } = symptom;
    const stays = kind === 'hang' && /^stays (active|cancelling) /.test(subject);
    const silent = kind === 'divergence' && got.startsWith('silence');
    const remains = leaving && kind === 'hang' && subject.startsWith('no reply to ');
    return remains || (entry > since && (stays || silent)) ? { ...symptom, kind: 'known-defect', defect } : symptom;
  });
}
