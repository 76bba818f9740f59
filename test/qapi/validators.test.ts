import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { fromIntrospection, toIntrospection } from '../../qapi/introspection.js';
import { parseQapi } from '../../qapi/parse.js';
import { type IntegerName, integerRanges } from '../../qapi/schema.js';
import { type Fault, toJsonSchema, validatorsFor } from '../../qapi/validators.js';

const schema = parseQapi(`
{ 'enum': 'Kind', 'data': [ 'plain', 'deep', 'none' ] }
{ 'struct': 'Plain', 'data': { 'n': 'uint8' } }
{ 'struct': 'Deep', 'data': { 'list': [ 'Thing' ], '*text': 'str' } }
{ 'union': 'Thing', 'base': { 'kind': 'Kind', '*id': 'any' }, 'discriminator': 'kind',
  'data': { 'plain': 'Plain', 'deep': 'Deep' } }
{ 'alternate': 'Either', 'data': { 's': 'str', 'n': 'null', 'o': 'Plain', 'l': [ 'uint8' ] } }
{ 'struct': 'Loop', 'data': { '*next': 'Loop', '*constructor': 'int' } }
{ 'command': 'none' }
{ 'command': 'thing', 'boxed': true, 'data': 'Thing' }
{ 'command': 'either', 'data': { 'e': 'Either', '*f': 'number', '*b': 'bool' }, 'returns': [ 'Plain' ] }
{ 'command': 'loop', 'data': 'Loop' }
{ 'event': 'EMPTY' }
{ 'event': 'FULL', 'data': { 'a': 'int' } }
`);
const validators = validatorsFor(schema);
const short = (faults: Fault[]): string[] => faults.map(({ path, expected, got }) => `${path}: ${expected}: ${got}`);

describe('qapi: validators', () => {
  it('no arguments are an object without members', () => {
    const none = validators.arguments('none');
    expect(none({})).to.deep.equal([]);
    expect(none(undefined)).to.deep.equal([]);
    expect(short(none({ a: 1 }))).to.deep.equal(['a: no such member: 1']);
    expect(short(none([]))).to.deep.equal([': object: []']);
  });

  it('unions are judged by their branch', () => {
    const thing = validators.arguments('thing');
    expect(thing({ kind: 'none' })).to.deep.equal([]);
    expect(thing({ kind: 'plain', n: 255, id: { any: ['thing'] } })).to.deep.equal([]);
    expect(thing({ kind: 'deep', list: [{ kind: 'deep', list: [], text: '' }] })).to.deep.equal([]);
    expect(short(thing({ kind: 'plain' }))).to.deep.equal(['n: to be present: nothing']);
    expect(short(thing({ kind: 'none', n: 1 }))).to.deep.equal(['n: no such member: 1']);
    expect(short(thing({ kind: 'plain', n: 1, text: 'x' }))).to.deep.equal(['text: no such member: "x"']);
    expect(short(thing({ kind: 'other' }))).to.deep.equal(['kind: one of "plain", "deep", "none": "other"']);
    expect(short(thing({ n: 1 }))).to.deep.equal(['kind: to be present: nothing']);
    expect(short(thing({ kind: 'deep', list: [{ kind: 'none' }, { kind: 'plain', n: 256 }] }))).to.deep.equal([
      'list[1].n: uint8 from 0 to 255: 256',
    ]);
  });

  it('alternates are judged by the JSON type of the value', () => {
    const either = validators.arguments('either');
    for (const e of ['', null, { n: 0 }, [], [255]]) expect(either({ e }), JSON.stringify(e)).to.deep.equal([]);
    expect(short(either({ e: 5 }))).to.deep.equal(['e: Either (str or null or Plain or list of uint8): 5']);
    expect(short(either({ e: [256] }))).to.deep.equal(['e[0]: uint8 from 0 to 255: 256']);
    expect(short(either({ e: { n: 0, m: 1 } }))).to.deep.equal(['e.m: no such member: 1']);
  });

  it('tells several faults at once', () => {
    expect(short(validators.arguments('either')({ f: '1', b: 0, zz: null }))).to.have.members([
      'e: to be present: nothing',
      'f: number: "1"',
      'b: boolean: 0',
      'zz: no such member: null',
    ]);
  });

  it('types that contain themselves, and members named like those of every object', () => {
    const loop = validators.arguments('loop');
    expect(loop({ next: { next: { next: {} } } })).to.deep.equal([]);
    expect(loop({ constructor: 5 })).to.deep.equal([]);
    expect(short(loop({ next: { next: { constructor: 'x' } } }))).to.have.lengthOf(1);
    expect(short(loop({ toString: 1 }))).to.deep.equal(['toString: no such member: 1']);
  });

  it('results may have further members only if that is asked for', () => {
    const value = [{ n: 1 }, { n: 2, later: true }];
    expect(short(validators.returns('either')(value))).to.deep.equal(['[1].later: no such member: true']);
    expect(validators.returns('either', { additional: true })(value)).to.deep.equal([]);
    expect(short(validators.returns('either', { additional: true })([{ n: '1' }]))).to.deep.equal([
      '[0].n: uint8 from 0 to 255: "1"',
    ]);
    expect(validators.returns('none')({})).to.deep.equal([]);
    expect(validators.returns('none')(undefined)).to.have.lengthOf(1);
  });

  it('events with and without data', () => {
    expect(validators.event('EMPTY')(undefined)).to.deep.equal([]);
    expect(short(validators.event('FULL')(undefined))).to.deep.equal([': object: nothing']);
    expect(validators.event('FULL')({ a: -1 })).to.deep.equal([]);
  });

  it('unknown commands and events are a mistake of the caller', () => {
    expect(() => validators.arguments('nope')).to.throw("the schema has no command 'nope'");
    expect(() => validators.event('nope')).to.throw("the schema has no event 'nope'");
  });

  for (const [name, [low, high]] of Object.entries(integerRanges)) {
    it(`${name} takes exactly ${low} to ${high}, as number or bigint`, () => {
      const validate = validators.type({ name: name as IntegerName, list: false });
      const accepts = (value: unknown) => validate(value).length === 0;
      for (const edge of [low, high]) expect(accepts(edge), `${edge}`).to.equal(true);
      for (const edge of [low - 1n, high + 1n]) expect(accepts(edge), `${edge}`).to.equal(false);
      for (const other of [0.5, '1', true, null, [], {}, Number.NaN, Number.POSITIVE_INFINITY])
        expect(accepts(other), String(other)).to.equal(false);
      fc.assert(
        fc.property(fc.bigInt({ min: low - 300n, max: high + 300n }), (value) => {
          const within = low <= value && value <= high;
          expect(accepts(value)).to.equal(within);
          if (BigInt(Number(value)) === value) expect(accepts(Number(value))).to.equal(within);
        }),
        { seed: 42 },
      );
    });
  }

  it('integers of an introspected schema may be of any width', () => {
    const introspected = validatorsFor(fromIntrospection(toIntrospection(schema)));
    const full = introspected.event('FULL');
    expect(full({ a: 2n ** 64n - 1n })).to.deep.equal([]);
    expect(full({ a: -(2n ** 63n) })).to.deep.equal([]);
    expect(short(full({ a: 2n ** 64n }))).to.deep.equal([
      'a: integer from -9223372036854775808 to 18446744073709551615: 18446744073709551616',
    ]);
  });

  it('long values are cut in messages', () => {
    const [fault] = validators.arguments('either')({ e: true, f: 'x'.repeat(500) });
    expect(fault?.got.length).to.be.at.most(101);
  });

  it('the plain JSON Schema is valid for any validator of the draft', () => {
    const ajv = new Ajv2020({ strictTypes: false });
    const thing = ajv.compile(toJsonSchema(schema, { name: 'Thing', list: false }) as object);
    expect(thing({ kind: 'plain', n: 255 })).to.equal(true);
    expect(thing({ kind: 'plain', n: 256 })).to.equal(false);
    expect(thing({ kind: 'none', n: 1 })).to.equal(false);
    const size = ajv.compile(toJsonSchema(schema, { name: 'size', list: true }) as object);
    expect(size([0, 2 ** 63])).to.equal(true);
    expect(size([2 ** 64])).to.equal(false);
    expect(size([-1])).to.equal(false);
    expect(toJsonSchema(schema, { name: 'uint8', list: false })).to.deep.equal({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'integer',
      minimum: 0,
      exclusiveMaximum: 256,
      $defs: {},
    });
  });
});
