/**
 * QMP-BUG-09: what a client asks of the process while its migration is between the stop of the guest and the end (`quit`,
 * `system_reset`) is answered at once, and carried out when the migration has gone on: until then the event that the model
 * expects beside the reply is missing.
 */
import type { Symptom } from './symptom.js';

const defect = 'QMP-BUG-09';
const missing = /^event (?:RESET|SHUTDOWN)\b/;

/** The symptoms, what is put off told as the defect's. */
export const withPutOff = (symptoms: readonly Symptom[], defects: ReadonlySet<string>): Symptom[] =>
  symptoms.map((symptom) =>
    defects.has(defect) &&
    symptom.kind === 'divergence' &&
    symptom.state.includes('run state finish-migrate') &&
    symptom.expected.some((one) => missing.test(one))
      ? { ...symptom, kind: 'known-defect', defect }
      : symptom,
  );
