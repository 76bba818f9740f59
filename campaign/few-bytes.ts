/**
 * MIG-DEF-36: what a connection to a destination is for is told by its first four bytes, which are waited for in a loop that
 * serves nothing else. One that brings fewer, whether it goes on or not, leaves the process without a word to anybody.
 */
import type { Entry, Transcript } from '../protocol/transcript.js';
import type { Symptom } from './symptom.js';

const defect = 'MIG-DEF-36';
/** Bytes by which a connection is known. */
const magic = 4;

/** Whether a connection of ours to a listener brought some bytes and too few of them. */
export function broughtTooFew(entries: readonly Entry[]): boolean {
  const brought = new Map<string, number>();
  for (const { kind, at, text } of entries) {
    if (kind !== 'channel') continue;
    const [, bytes] = /^sent (\d+) bytes/.exec(text) ?? [];
    if (text === 'connected' && isFew(brought.get(at))) return true;
    if (text === 'connected') brought.set(at, 0);
    else if (bytes !== undefined) brought.set(at, (brought.get(at) ?? 0) + Number(bytes));
  }
  return [...brought.values()].some(isFew);
}

const isFew = (bytes = 0): boolean => bytes > 0 && bytes < magic;

/** The symptoms, a silence that is the defect's told as that. */
export function withFewBytes(
  symptoms: readonly Symptom[],
  { entries }: Transcript,
  defects: ReadonlySet<string>,
): Symptom[] {
  if (!defects.has(defect) || !broughtTooFew(entries)) return [...symptoms];
  return symptoms.map((symptom) =>
    symptom.kind === 'hang' && symptom.subject.startsWith('no reply to ')
      ? { ...symptom, kind: 'known-defect', rows: [defect], defect }
      : symptom,
  );
}
