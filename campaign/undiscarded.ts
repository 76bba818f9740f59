/**
 * MIG-DEF-47: a source that is asked for postcopy once everything has been sent, and before it has ended, switches over with
 * nothing to discard. A destination that is told of no discard prepares itself for one as it begins to listen, and refuses the
 * command to run: the migration fails on both sides.
 */
import type { Symptom } from './symptom.js';

const defect = 'MIG-DEF-47';
/** What a destination says of it, whose state is then the one in which discards are taken. */
const refusal = /POSTCOPY_RUN: .*\bgot 2 /;

/** The symptoms, a switch-over without a discard told as the defect's. */
export const withUndiscarded = (symptoms: readonly Symptom[], defects: ReadonlySet<string>): Symptom[] =>
  symptoms.map((symptom) =>
    defects.has(defect) && symptom.kind === 'garbage' && refusal.test(symptom.got)
      ? { ...symptom, kind: 'known-defect', defect }
      : symptom,
  );
