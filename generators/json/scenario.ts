/** Scenarios of raw input: after each text the monitor must be found again. */
import type fc from 'fast-check';
import type { Dialect } from '../../reference/dialects/dialect.js';
import type { Scenario } from '../../targets/scenario.js';
import { type Part, scenarioFrom, scenariosOf, sometimes } from '../scenario/around.js';
import { cutStep } from '../timing/scenario.js';
import { rawText, resynchronisation } from './raw-text.js';

const raw =
  (dialect: Dialect): Part =>
  (tape) => {
    const { bytes, expected } = rawText(tape, dialect);
    const whole = expected.open ? bytes + resynchronisation : bytes;
    const sent = sometimes(tape, 30) ? cutStep(tape, whole) : ({ do: 'raw', at: 'source', bytes: whole } as const);
    return [sent, { do: 'fence', at: 'source' }];
  };

/** The scenario that a tape stands for. */
export const jsonScenario = (decisions: readonly number[], dialect: Dialect): Scenario =>
  scenarioFrom(decisions, raw(dialect));

/** Scenarios of raw input, for fast-check. */
export const jsonScenarios = (dialect: Dialect): fc.Arbitrary<Scenario> => scenariosOf(raw(dialect), 40);
