/** Streams that are not as they should be, and that a release is known for. */
import { defectOfStream } from '../oracle/stream-fault.js';
import type { Symptom } from './symptom.js';

/** The symptoms, those that one of these defects explains told as the defect's. */
export const withKnownStreams = (symptoms: readonly Symptom[], defects: ReadonlySet<string>): Symptom[] =>
  symptoms.map((symptom) => {
    const defect = defectOfStream(symptom.got, defects);
    return defect === undefined || symptom.kind !== 'garbage' ? symptom : { ...symptom, kind: 'known-defect', defect };
  });
