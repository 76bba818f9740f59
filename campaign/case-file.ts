/** The file of one case: the scenario itself and what it showed. It needs no seed and no generator to be run again. */
import { stringify } from 'lossless-json';
import { isObject, JsonError, parseJson } from '../protocol/json.js';
import { type Scenario, scenarioVersion } from '../targets/scenario.js';
import type { Symptom } from './symptom.js';

export const caseVersion = 1;

/** How often a case showed its symptom. */
export interface Rate {
  readonly times: number;
  readonly of: number;
}

export interface CaseFile {
  readonly case: typeof caseVersion;
  readonly title: string;
  readonly signature: string;
  readonly symptom: Symptom;
  readonly reproduced: Rate;
  /** The target as it was named, and what it said of itself. */
  readonly target: string;
  readonly product: string;
  readonly productVersion: string;
  readonly dialect: string;
  /** Where the scenario came from, for the record. */
  readonly origin: { readonly source: string; readonly seed: number; readonly index: number };
  /** Steps before shrinking. */
  readonly stepsBefore: number;
  /** The scenario is run so many times in one process; once when absent. */
  readonly repeat?: number;
  /** What its process had served before, while that may still matter. */
  readonly history?: readonly Scenario[];
  readonly scenario: Scenario;
}

export class CaseError extends Error {
  override readonly name = 'CaseError';
}

/** Integers of any size stay whole. */
export const stringifyCase = (file: CaseFile | Scenario): string => `${stringify(file, undefined, 2)}\n`;

/** Reads a case file, or a bare scenario. @throws CaseError saying what is wrong with the text */
export function parseCase(text: string): { readonly scenario: Scenario; readonly file?: CaseFile } {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) throw new CaseError(`it is not JSON (${error.message})`);
    throw error;
  }
  const object = isObject(value as never) ? (value as Record<string, unknown>) : {};
  if ('scenario' in object && object.scenario === scenarioVersion) return { scenario: readScenario(object) };
  if (!('case' in object)) throw new CaseError('it is neither a case nor a scenario (no member case or scenario)');
  if (object.case !== caseVersion) {
    throw new CaseError(`case format ${String(object.case)} is not known; this program reads ${caseVersion}`);
  }
  const scenario = readScenario(object.scenario);
  const symptom = object.symptom as Partial<Symptom> | undefined;
  if (typeof symptom?.kind !== 'string' || typeof symptom.subject !== 'string' || !Array.isArray(symptom.rows)) {
    throw new CaseError('its symptom lacks kind, subject or rows');
  }
  return { scenario, file: { ...(object as unknown as CaseFile), scenario } };
}

function readScenario(value: unknown): Scenario {
  const scenario = value as Partial<Scenario> | undefined;
  if (scenario?.scenario !== scenarioVersion || !Array.isArray(scenario.steps)) {
    throw new CaseError(`its scenario is not one of format ${scenarioVersion} (members scenario and steps)`);
  }
  const odd = scenario.steps.findIndex((step) => typeof step !== 'object' || step === null || !('do' in step));
  if (odd >= 0) throw new CaseError(`step ${odd + 1} of its scenario has no member do`);
  return scenario as Scenario;
}
