/** Scenarios of valid commands with every value that the schema permits. */
import type fc from 'fast-check';
import { stringifyJson } from '../../protocol/json.js';
import type { Schema } from '../../qapi/schema.js';
import type { Dialect } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import type { Scenario, Step } from '../../targets/scenario.js';
import { mayBeExecuted } from '../harmless-commands.js';
import { bytesOf, type Part, scenarioFrom, scenariosOf, sometimes } from '../scenario/around.js';
import { ValidValues } from './valid.js';

/** They start or end something: walks send them, with addresses that lead nowhere. */
const leftToWalks = /^(migrate|migrate-incoming|migrate-recover|quit|system_.*|qmp_capabilities)$/;

const settings = ['migrate-set-parameters', 'migrate-set-capabilities'];
const shown: Step = { do: 'command', at: 'source', execute: 'query-migrate-parameters' };

const known = new WeakMap<Schema, { values: ValidValues; commands: readonly string[] }>();

function sourceOf(schema: Schema, dialect: Dialect): { values: ValidValues; commands: readonly string[] } {
  let source = known.get(schema);
  if (source === undefined) {
    const twin = schema.origin === 'introspection' ? loadSchema(dialect.name) : undefined;
    const values = new ValidValues(schema, twin);
    const commands = [...schema.commands.values()]
      .filter(({ name, gen }) => gen && mayBeExecuted(name) && !leftToWalks.test(name))
      .filter(({ arguments: type }) => type === undefined || values.heights.of({ name: type, list: false }) < 100)
      .map(({ name }) => name);
    source = { values, commands };
    known.set(schema, source);
  }
  return source;
}

/** One valid command, as text: a scenario's file cannot hold every integer as a value. */
const valid =
  (dialect: Dialect, schema: Schema): Part =>
  (tape, number) => {
    const { values, commands } = sourceOf(schema, dialect);
    const command = sometimes(tape, 40) ? tape.pick(commands) : tape.pick(settings);
    const text = stringifyJson({ execute: command, arguments: values.arguments(tape, command), id: `value-${number}` });
    const sent: Step = { do: 'raw', at: 'source', bytes: bytesOf(`${text}\n`) };
    return sometimes(tape, 30) ? [sent, shown] : [sent];
  };

/** The scenario that a tape stands for. */
export const valueScenario = (decisions: readonly number[], dialect: Dialect, schema: Schema): Scenario =>
  scenarioFrom(decisions, valid(dialect, schema));

/** Scenarios of valid commands, for fast-check. */
export const valueScenarios = (dialect: Dialect, schema: Schema): fc.Arbitrary<Scenario> =>
  scenariosOf(valid(dialect, schema), 60);
