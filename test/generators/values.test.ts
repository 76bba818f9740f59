import { expect } from 'chai';
import fc from 'fast-check';
import { Tape, tapes } from '../../generators/scenario/tape.js';
import { ValidValues, validArguments, validValues } from '../../generators/values/valid.js';
import { fromIntrospection, toIntrospection } from '../../qapi/introspection.js';
import { parseQapi } from '../../qapi/parse.js';
import type { Schema } from '../../qapi/schema.js';
import { type Validators, validatorsFor } from '../../qapi/validators.js';
import { dialectNames } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import { schemaText } from '../qapi/arbitrary-schema.js';
import { provingTargets } from './targets.js';

/**
 * Faults that the validators find in one value of each type and each command's arguments, for one tape; with `step`, of
 * every so-manieth of them.
 */
function faultsIn(schema: Schema, validators: Validators, decisions: readonly number[], twin?: Schema, step = 1) {
  const values = new ValidValues(schema, twin);
  const faults: string[] = [];
  const note = (what: string, found: readonly unknown[]) => {
    if (found.length > 0) faults.push(`${what}: ${JSON.stringify(found)}`);
  };
  const some = <T>(all: Iterable<T>) => [...all].filter((_, index) => index % step === 0);
  for (const { name } of some(schema.types.values())) {
    for (const list of step === 1 ? [false] : [false, true]) {
      const type = { name, list };
      if (values.heights.of(type) === Number.POSITIVE_INFINITY) continue;
      note(name, validators.type(type)(values.value(new Tape(decisions), { type })));
    }
  }
  for (const { name, arguments: type } of some(schema.commands.values())) {
    if (type !== undefined && values.heights.of({ name: type, list: false }) === Number.POSITIVE_INFINITY) continue;
    note(name, validators.arguments(name)(values.arguments(new Tape(decisions), name)));
  }
  return faults;
}

describe('valid values', () => {
  for (const name of dialectNames) {
    it(`pass the validators of dialect ${name}, and of its introspection`, function () {
      this.timeout(60_000);
      const schema = loadSchema(name);
      const introspected = fromIntrospection(toIntrospection(schema));
      const [own, hidden] = [validatorsFor(schema), validatorsFor(introspected)];
      fc.assert(
        fc.property(tapes(60), (decisions) => {
          expect(faultsIn(schema, own, decisions)).to.deep.equal([]);
          expect(faultsIn(introspected, hidden, decisions, schema)).to.deep.equal([]);
        }),
        { numRuns: 12 },
      );
    });
  }

  it('pass the validators of any schema', function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(schemaText, tapes(60), (text, decisions) => {
        const schema = parseQapi(text);
        expect(faultsIn(schema, validatorsFor(schema), decisions)).to.deep.equal([]);
      }),
      { numRuns: 6 },
    );
  });

  for (const { name, open } of provingTargets.slice(-2)) {
    it(`pass the validators of what ${name} says of itself`, async function () {
      this.timeout(60_000);
      const { target, instance, facts } = await open(this);
      await instance.dispose();
      await target.close();
      const validators = validatorsFor(facts.schema);
      fc.assert(
        fc.property(tapes(60), (decisions) => {
          expect(faultsIn(facts.schema, validators, decisions, undefined, 9)).to.deep.equal([]);
        }),
        { numRuns: 10 },
      );
    });
  }

  it('reach both ends of every integer type, to the last bit', () => {
    const schema = loadSchema('7.2');
    const seen = new Set<string>();
    for (const { 'max-bandwidth': size, 'multifd-channels': byte } of fc.sample(
      validArguments(schema, 'migrate-set-parameters'),
      { numRuns: 4000, seed: 3 },
    )) {
      seen.add(`${String(size)}`);
      if (byte !== undefined) seen.add(`byte ${String(byte)}`);
    }
    expect([...seen]).to.include.members(['0', '18446744073709551615', '18446744073709551614', 'byte 0', 'byte 255']);
  });

  it('are empty where nothing is required and nothing is decided', () => {
    const schema = loadSchema('3.0');
    const zeroes = new Tape([]);
    const values = new ValidValues(schema);
    expect(values.arguments(new Tape([99, 99, 99]), 'query-migrate')).to.deep.equal({});
    expect(values.value(zeroes, { type: { name: 'int', list: false } })).to.equal(0);
    expect(values.value(zeroes, { type: { name: 'MigrationCapability', list: false } })).to.equal('xbzrle');
    expect(fc.sample(validValues(schema, { name: 'str', list: true }), 1)[0]).to.be.an('array');
  });
});
