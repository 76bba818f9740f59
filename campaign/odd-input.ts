/**
 * Two defects of what monitors make of odd input. QMP-BUG-08: a closing brace too many does not end a message while a list is
 * open in it; what follows, up to the bracket that the list lacks, is taken for a part of it, and is not answered. QMP-BUG-05: an
 * id that holds a number of too large magnitude comes back as `inf`.
 */
import type { Entry, Transcript } from '../protocol/transcript.js';
import type { Symptom } from './symptom.js';

/** In no command that is well-formed does a brace close what a bracket has opened. */
const unclosed = /\[[^\]{]*\}/;
const infinite = /[[{,:]\s*-?inf\s*[\]},]/;

/** The entry with which a connection was sent such a brace; `undefined` when none was. */
function sentUnclosed(entries: readonly Entry[]): number | undefined {
  const sent = new Map<string, string>();
  for (const { kind, at, text, n } of entries) {
    if (kind === 'connected') sent.delete(at);
    if (kind !== 'sent') continue;
    // It may come in pieces.
    const all = (sent.get(at) ?? '') + text;
    if (unclosed.test(all)) return n;
    sent.set(at, all);
  }
  return undefined;
}

const receivedInfinite = (entries: readonly Entry[]): number | undefined =>
  entries.find(({ kind, text }) => kind === 'received' && infinite.test(text))?.n;

/** The symptoms, what comes of such input told as the defect's. */
export function withOddInput(
  symptoms: readonly Symptom[],
  { entries }: Transcript,
  defects: ReadonlySet<string>,
): Symptom[] {
  if (symptoms.length === 0) return [];
  const brace = defects.has('QMP-BUG-08') ? sentUnclosed(entries) : undefined;
  const number = defects.has('QMP-BUG-05') ? receivedInfinite(entries) : undefined;
  return symptoms.map((symptom) => {
    const { kind, subject, entry } = symptom;
    const after = (since: number | undefined) => since !== undefined && entry !== undefined && entry >= since;
    const known = (defect: string): Symptom => ({ ...symptom, kind: 'known-defect', defect });
    // The reply that nobody can read is missing, too.
    if (after(number) && (kind === 'divergence' || (kind === 'garbage' && entry === number)))
      return known('QMP-BUG-05');
    const silent = brace !== undefined && kind === 'hang' && subject.startsWith('no reply to ');
    return silent || (kind === 'divergence' && after(brace)) ? known('QMP-BUG-08') : symptom;
  });
}
