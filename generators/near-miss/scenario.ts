/** Scenarios of commands that are almost right: nothing of a refused command may take effect (QMP-ARG-35). */
import type fc from 'fast-check';
import type { Schema } from '../../qapi/schema.js';
import type { Dialect } from '../../reference/dialects/dialect.js';
import type { Scenario, Step } from '../../targets/scenario.js';
import { bytesOf, type Part, scenarioFrom, scenariosOf, sometimes } from '../scenario/around.js';
import { nearMissesOf, textOf } from './near-miss.js';

const shown: Step = { do: 'command', at: 'source', execute: 'query-migrate-capabilities' };

/** One command that is refused, and sometimes a look at what it must not have changed. */
const refused =
  (dialect: Dialect, schema: Schema): Part =>
  (tape, number) => {
    const text = textOf(nearMissesOf(schema, dialect).draw(tape), `miss-${number}`);
    const sent: Step = { do: 'raw', at: 'source', bytes: bytesOf(`${text}\n`) };
    return sometimes(tape, 25) ? [sent, shown] : [sent];
  };

/** The scenario that a tape stands for. */
export const nearMissScenario = (decisions: readonly number[], dialect: Dialect, schema: Schema): Scenario =>
  scenarioFrom(decisions, refused(dialect, schema));

/** Scenarios of near-misses, for fast-check. */
export const nearMissScenarios = (dialect: Dialect, schema: Schema): fc.Arbitrary<Scenario> =>
  scenariosOf(refused(dialect, schema), 80);
