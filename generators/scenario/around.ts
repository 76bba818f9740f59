/** Scenarios that need nothing but a plain source in command mode: parts, one after the other. */
import fc from 'fast-check';
import { type Scenario, type Step, scenarioVersion } from '../../targets/scenario.js';
import { Tape, tapes } from './tape.js';

/** The steps of one part; its number is for ids. */
export type Part = (tape: Tape, number: number) => readonly Step[];

/** Does these things on a fresh source, and sees at the end that it still answers. */
const onPlainSource = (steps: readonly Step[]): Scenario => ({
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source' },
    { do: 'connect', at: 'source' },
    ...steps,
    { do: 'fence', at: 'source' },
    { do: 'command', at: 'source', execute: 'query-migrate' },
  ],
});

/** Parts in one scenario. */
const mostParts = 8;

/** The scenario of one tape, from which every part reads on. */
export function scenarioFrom(decisions: readonly number[], part: Part): Scenario {
  const tape = new Tape(decisions);
  const steps: Step[] = [];
  const parts = 1 + tape.number(mostParts);
  for (let number = 1; number <= parts; number++) steps.push(...part(tape, number));
  return onPlainSource(steps);
}

/** Scenarios for fast-check. Each part has a tape of its own, so that they shrink away one by one. */
export const scenariosOf = (part: Part, length: number): fc.Arbitrary<Scenario> =>
  fc
    .array(tapes(length), { maxLength: mostParts, size: 'max' })
    .map((list) => onPlainSource(list.flatMap((decisions, index) => part(new Tape(decisions), index + 1))));

/** True in `of` of 100 decisions, and not for a decision of 0: what it adds shrinks away. */
export const sometimes = (tape: Tape, of: number): boolean => tape.number(100) >= 100 - of;

/** A text as the bytes of a `raw` step. */
export const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
