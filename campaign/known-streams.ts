/** Streams that are not as they should be, and that a release is known for. */
import type { Symptom } from './symptom.js';

/** What is said of such a stream by who reads it. */
const known: readonly (readonly [defect: string, words: RegExp])[] = [
  // A source that is asked for postcopy once everything has been sent, and before it has ended, switches over with nothing to
  // discard. A destination that is told of no discard prepares itself for one as it begins to listen, and refuses the command
  // to run, in the state in which discards are taken: the migration fails on both sides.
  ['MIG-DEF-47', /POSTCOPY_RUN: .*\bgot 2 /],
  // What lay in memory goes with the greeting of a data channel.
  ['MIG-DEF-52', /a greeting has .* in reserve/],
];

/** The symptoms, those that one of these defects explains told as the defect's. */
export const withKnownStreams = (symptoms: readonly Symptom[], defects: ReadonlySet<string>): Symptom[] =>
  symptoms.map((symptom) => {
    const [defect] = known.find(([id, words]) => defects.has(id) && words.test(symptom.got)) ?? [];
    return defect === undefined || symptom.kind !== 'garbage' ? symptom : { ...symptom, kind: 'known-defect', defect };
  });
