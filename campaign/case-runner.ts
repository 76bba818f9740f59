/** Where cases are run: in this process, or in one of our own. What comes back is all that a campaign needs to know of a case. */
import type { Scenario } from '../targets/scenario.js';
import { type CoverageKey, keysOf } from './coverage.js';
import type { LaneAttempt } from './lane.js';
import type { Symptom } from './symptom.js';

/** What shows a symptom to whoever looks into it later. */
export interface Evidence {
  /** What the source's process had served before. */
  readonly history: readonly Scenario[];
  /** Transcript of the run, as JSON Lines. */
  readonly transcript: string;
}

export interface CaseResult {
  readonly keys: readonly CoverageKey[];
  /** Commands that were sent. */
  readonly commands: number;
  /** Milliseconds from its begin to its verdict. */
  readonly duration: number;
  readonly symptoms: readonly Symptom[];
  /** For the first symptom; absent without one, and where the same was shown before by the same runner. */
  readonly evidence?: Evidence;
}

export interface CaseRunner {
  /** Cases that it takes at once, to have the next one at hand; they are run one after the other. */
  readonly depth: number;
  /** `undefined` for a case that was not begun, because of {@link stop}. @throws ScenarioError, TargetError */
  run(scenario: Scenario): Promise<CaseResult | undefined>;
  /** Begins no more cases. */
  stop(): void;
  /** Ends its processes; what there is to say about the target's starts, where it ran them itself. */
  close(): Promise<string | undefined>;
}

/** Runs scenarios here, with whatever runs one. */
export function runsHere(lane: {
  readonly run: (scenario: Scenario) => Promise<LaneAttempt>;
  readonly close: () => Promise<void>;
}): CaseRunner {
  return {
    depth: 1,
    run: async (scenario) => resultOf(await lane.run(scenario)),
    stop: () => undefined,
    close: async () => {
      await lane.close();
      return undefined;
    },
  };
}

/** @param shown whether its symptom has been shown before, so that no evidence is needed */
export function resultOf(attempt: LaneAttempt, shown: (symptom: Symptom) => boolean = () => false): CaseResult {
  const { commands, duration, symptoms, history, transcript } = attempt;
  const [symptom] = symptoms;
  const result = { keys: [...keysOf(attempt)], commands, duration, symptoms };
  if (symptom === undefined || shown(symptom)) return result;
  return { ...result, evidence: { history, transcript: transcript.toJsonLines() } };
}
