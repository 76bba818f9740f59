/**
 * The values of parameters that decide nothing but what is shown of them. They are kept beside the states of the model: what
 * may happen in a state is worked out once for all of its tunings.
 */
import { type ModelState, parameterCommands, structuralParameters } from '../../reference/model/index.js';
import type { Sent } from './sent.js';

type Parameters = ModelState['parameters'];

/** Equal values are the same object. */
export interface Tuning {
  readonly number: number;
  readonly parameters: Parameters;
}

const wholes = new WeakMap<Tuning, Map<Parameters, Parameters>>();

/** The parameters of these halves: the same object for the same ones. */
export function whole(structure: Parameters, tuning: Tuning): Parameters {
  let known = wholes.get(tuning);
  if (known === undefined) {
    known = new Map();
    wholes.set(tuning, known);
  }
  let parameters = known.get(structure);
  if (parameters === undefined) {
    parameters = { ...structure, ...tuning.parameters };
    known.set(structure, parameters);
  }
  return parameters;
}

/** The two halves of a state's parameters. */
export interface Halves {
  /** Part of a {@link ./space.ts | node}. */
  readonly structure: Parameters;
  readonly tuning: Tuning;
}

/** Tunings kept; more than a long campaign needs at a time. */
const mostTunings = 20_000;

export class Tunings {
  private readonly halves = new WeakMap<Parameters, Halves>();
  private known = new Map<string, Tuning>();
  private structures = new Map<string, Parameters>();

  /** @param unique gives a number that was never given before */
  constructor(private readonly unique: () => number) {}

  /** Takes parameters apart. */
  halvesOf(parameters: Parameters): Halves {
    let halves = this.halves.get(parameters);
    if (halves === undefined) {
      const entries = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
      const structure = entries.filter(([name]) => structuralParameters.has(name));
      const rest = entries.filter(([name]) => !structuralParameters.has(name));
      halves = { structure: this.structure(structure), tuning: this.tuning(rest) };
      this.halves.set(parameters, halves);
    }
    return halves;
  }

  private structure(entries: [string, Parameters[string]][]): Parameters {
    const key = JSON.stringify(entries);
    let structure = this.structures.get(key);
    if (structure === undefined) {
      if (this.structures.size >= mostTunings) this.structures = new Map();
      structure = Object.fromEntries(entries);
      this.structures.set(key, structure);
    }
    return structure;
  }

  private tuning(entries: [string, Parameters[string]][]): Tuning {
    const key = JSON.stringify(entries);
    let tuning = this.known.get(key);
    if (tuning === undefined) {
      if (this.known.size >= mostTunings) this.known = new Map();
      tuning = { number: this.unique(), parameters: Object.fromEntries(entries) };
      this.known.set(key, tuning);
    }
    return tuning;
  }
}

/** Whether what a message does depends on the tuning, and may change it. */
export const tunes = (sent: Sent): boolean => sent.kind === 'modelled' && parameterCommands.has(sent.name);
