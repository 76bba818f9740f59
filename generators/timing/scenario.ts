/** Scenarios of good commands in unusual writes: pieces, and several commands at once (QMP-TRANS-11). */
import type fc from 'fast-check';
import type { Dialect } from '../../reference/dialects/dialect.js';
import type { Scenario, Step } from '../../targets/scenario.js';
import { bytesOf, type Part, scenarioFrom, scenariosOf, sometimes } from '../scenario/around.js';
import type { Tape } from '../scenario/tape.js';
import { capability, parameters } from '../scenario/values.js';
import { writePlan } from './plans.js';

/** A `raw` step that sends these bytes, cut somehow. */
export function cutStep(tape: Tape, bytes: string): Step {
  const { plan } = writePlan(tape, Buffer.from(bytes, 'latin1'));
  const how = plan === undefined ? {} : 'every' in plan ? { every: plan.every } : { cuts: plan.at };
  return { do: 'raw', at: 'source', bytes, ...how };
}

/** Some commands together, cut as chance has it. */
const pieces =
  (dialect: Dialect): Part =>
  (tape, number) => {
    const command = (execute: string, id: number, args?: unknown) =>
      JSON.stringify({ execute, ...(args === undefined ? {} : { arguments: args }), id: `€ ${number}.${id}` });
    const together = Array.from({ length: 1 + tape.number(5) }, (_, id) =>
      tape.pick([
        () => command('query-migrate', id),
        () => command('query-status', id),
        () => command('migrate-set-parameters', id, parameters(tape)),
        () => command('migrate-set-capabilities', id, { capabilities: [capability(tape, dialect)] }),
        () => command('query-migrate-capabilities', id),
      ])(),
    );
    const text = together.join(tape.pick(['\n', '', ' ', '\r\n', '\n\n\t']));
    const sent = cutStep(tape, bytesOf(`${text}${tape.pick(['\n', ' '])}`));
    return sometimes(tape, 40) ? [sent, { do: 'fence', at: 'source' }] : [sent];
  };

/** The scenario that a tape stands for. */
export const timingScenario = (decisions: readonly number[], dialect: Dialect): Scenario =>
  scenarioFrom(decisions, pieces(dialect));

/** Scenarios of good commands in unusual writes, for fast-check. */
export const timingScenarios = (dialect: Dialect): fc.Arbitrary<Scenario> => scenariosOf(pieces(dialect), 50);
