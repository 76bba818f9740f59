import { expect } from 'chai';
import { type DialectName, dialects } from '../../../reference/dialects/dialect.js';
import { CommandError } from '../../../reference/migration/host.js';
import { checkArguments } from '../../../reference/monitor/arguments.js';
import type { JsonObject, JsonValue } from '../../../reference/monitor/json/value.js';
import { loadSchema } from '../../../reference/schema/index.js';

/** What becomes of these arguments of a command of a dialect. */
function checked(dialect: DialectName, name: string, given: JsonObject): unknown {
  const schema = loadSchema(dialect);
  const command = schema.commands.get(name);
  if (command === undefined) throw new Error(`dialect ${dialect} has no command ${name}`);
  try {
    return { ...checkArguments(schema, command, given, dialects[dialect].protocol) };
  } catch (error) {
    if (error instanceof CommandError) return error.desc;
    throw error;
  }
}

const map = (members: Record<string, JsonValue>): JsonObject => new Map(Object.entries(members));

describe('arguments that are checked again', () => {
  const dialectNames: readonly DialectName[] = ['3.0', '7.2'];
  const cases: readonly (readonly [string, () => JsonObject])[] = [
    ['migrate', () => map({ uri: 'unix:x', resume: true })],
    ['migrate', () => map({ uri: 'unix:x', nothing: 1n })],
    ['migrate-set-parameters', () => map({ 'max-bandwidth': 5n, 'cpu-throttle-initial': 'x' })],
    ['migrate-set-parameters', () => map({ 'multifd-channels': 2n })],
    ['migrate-incoming', () => map({ resume: true })],
  ];

  it('have the same outcome each time, whatever else checked them in between', () => {
    for (const [name, make] of cases) {
      const given = make();
      for (let round = 0; round < 3; round++) {
        for (const dialect of dialectNames) {
          for (const command of [name, 'migrate-incoming']) {
            expect(checked(dialect, command, given), `${dialect} ${command}`).to.deep.equal(
              checked(dialect, command, make()),
            );
          }
        }
      }
    }
  });

  it('are not the same for every dialect and command', () => {
    const given = map({ 'multifd-channels': 2n });
    const outcomes = dialectNames.map((dialect) => checked(dialect, 'migrate-set-parameters', given));
    expect(outcomes[0]).not.to.deep.equal(outcomes[1]);
    expect(checked('3.0', 'migrate', given)).to.equal("Parameter 'uri' is missing");
  });
});
