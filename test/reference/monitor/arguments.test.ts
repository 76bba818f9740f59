import { expect } from 'chai';
import { type Definition, type Member, Schema } from '../../../qapi/schema.js';
import { protocolRules } from '../../../reference/dialects/protocol.js';
import { CommandError } from '../../../reference/migration/host.js';
import { checkArguments } from '../../../reference/monitor/arguments.js';
import { JsonReader } from '../../../reference/monitor/json/reader.js';
import type { JsonObject } from '../../../reference/monitor/json/value.js';

const member = (name: string, type: string, { optional = true, list = false } = {}): Member => ({
  name,
  type: { name: type, list },
  optional,
  features: [],
});
const common = { features: [] };
const definitions: Definition[] = [
  { ...common, kind: 'enum', name: 'Kind', values: ['a', 'b'].map((name) => ({ name, features: [] })) },
  { ...common, kind: 'struct', name: 'Inner', members: [member('x', 'int'), member('deep', 'Deep')] },
  { ...common, kind: 'struct', name: 'Deep', members: [member('y', 'bool', { optional: false })] },
  {
    ...common,
    kind: 'alternate',
    name: 'StrOrNull',
    branches: [
      { name: 's', type: { name: 'str', list: false } },
      { name: 'n', type: { name: 'null', list: false } },
    ],
  },
  { ...common, kind: 'struct', name: 'OfA', members: [member('for-a', 'str', { optional: false })] },
  {
    ...common,
    kind: 'union',
    name: 'Choice',
    members: [member('type', 'Kind', { optional: false })],
    discriminator: 'type',
    branches: [{ value: 'a', type: { name: 'OfA', list: false } }],
  },
  {
    ...common,
    kind: 'struct',
    name: 'Args',
    members: [
      member('need', 'str', { optional: false }),
      ...['int', 'uint64', 'size', 'uint8', 'uint16', 'uint32', 'int8', 'number', 'bool', 'str', 'any'].map((type) =>
        member(type, type),
      ),
      member('kind', 'Kind'),
      member('kinds', 'Kind', { list: true }),
      member('bytes', 'uint8', { list: true }),
      member('inner', 'Inner'),
      member('inners', 'Inner', { list: true }),
      member('either', 'StrOrNull'),
      member('choice', 'Choice'),
      member('last', 'int'),
    ],
  },
];
const schema = new Schema(definitions);
const command = {
  ...common,
  kind: 'command',
  name: 'c',
  arguments: 'Args',
  boxed: false,
  allowOob: false,
  allowPreconfig: false,
  successResponse: true,
  gen: true,
} as const;

function check(json: string, dialect: '3.0' | '7.2' = '3.0'): Record<string, unknown> | string {
  const reader = new JsonReader('baseline');
  reader.read(Buffer.from(json), 0);
  if (!reader.message?.ok) throw new Error(`bad test input ${json}`);
  try {
    return checkArguments(schema, command, reader.message.value as JsonObject, protocolRules[dialect]);
  } catch (error) {
    if (error instanceof CommandError) return error.desc;
    throw error;
  }
}

/** The checked value of one member, or the fault. */
const one = (name: string, json: string) => {
  const result = check(`{"need":"", "${name}": ${json}}`);
  return typeof result === 'string' ? result : result[name];
};

describe('QMP-ARG: argument validation', () => {
  const integer = "Invalid parameter type for 'int', expected: integer";
  const rows: [row: string, name: string, json: string, expected: unknown][] = [
    ['03', 'int', '9223372036854775807', 2n ** 63n - 1n],
    ['04', 'int', '9223372036854775808', integer],
    ['04', 'int', '-9223372036854775809', integer],
    ['05', 'int', '1.0', integer],
    ['05', 'int', '1e3', integer],
    ['06', 'int', '"5"', integer],
    ['22', 'int', 'null', integer],
    ['07', 'uint64', '18446744073709551615', 2n ** 64n - 1n],
    ['07', 'size', '-1', 2n ** 64n - 1n],
    ['07', 'size', '18446744073709551616', "Parameter 'size' expects uint64"],
    ['07', 'size', 'null', "Parameter 'size' expects uint64"],
    ['08', 'size', '"1M"', "Parameter 'size' expects uint64"],
    ['09', 'uint8', '255', 255n],
    ['09', 'uint8', '256', "Parameter 'uint8' expects uint8_t"],
    ['09', 'uint16', '-1', "Parameter 'uint16' expects uint16_t"],
    ['10', 'uint32', '4294967296', "Parameter 'uint32' expects uint32_t"],
    ['10', 'uint32', '-4294967296', "Parameter 'uint32' expects uint32_t"],
    ['11', 'uint32', '-18446744073709551615', "Parameter 'uint32' expects uint64"],
    ['12', 'int8', '-129', "Parameter 'int8' expects int8_t"],
    ['12', 'int8', '"x"', "Invalid parameter type for 'int8', expected: integer"],
    ['13', 'number', '5', 5],
    ['13', 'number', '1.0e400', Number.POSITIVE_INFINITY],
    ['13', 'number', '"5"', "Invalid parameter type for 'number', expected: number"],
    ['14', 'bool', '1', "Invalid parameter type for 'bool', expected: boolean"],
    ['15', 'str', '""', ''],
    ['15', 'str', '5', "Invalid parameter type for 'str', expected: string"],
    ['16', 'kind', '5', "Invalid parameter type for 'kind', expected: string"],
    ['17', 'kind', '"A"', "Invalid parameter 'A'"],
    ['18', 'kinds', '{}', "Invalid parameter type for 'kinds', expected: array"],
    ['18', 'kinds', '[]', []],
    ['09', 'bytes', '[1,256]', "Parameter 'null' expects uint8_t"],
    ['19', 'inner', '[]', "Invalid parameter type for 'inner', expected: object"],
    ['20', 'either', 'null', null],
    ['20', 'either', '5', "Invalid parameter type for 'either', expected: StrOrNull"],
    ['21', 'any', 'null', null],
    ['24', 'choice', '{"type":"nope"}', "Invalid parameter 'nope'"],
    ['24', 'choice', '{}', "Parameter 'choice.type' is missing"],
    ['24', 'choice', '{"type":"a"}', "Parameter 'choice.for-a' is missing"],
    ['24', 'choice', '{"type":"b","for-a":""}', "Parameter 'choice.for-a' is unexpected"],
    ['33', 'inners', '[5]', "Invalid parameter type for 'inners[0]', expected: object"],
    ['33', 'inners', '[{},{"deep":{"y":5}}]', "Invalid parameter type for 'inners[1].deep.y', expected: boolean"],
    ['33', 'inners', '[{"deep":{}}]', "Parameter 'inners[0].deep.y' is missing"],
    ['33', 'inners', '[{"extra":1}]', "Parameter 'inners[0].extra' is unexpected"],
  ];
  for (const [row, name, json, expected] of rows) {
    it(`QMP-ARG-${row}: ${name} ${json}`, () => expect(one(name, json)).to.deep.equal(expected));
  }

  it('QMP-ARG-01, QMP-ARG-30: a required absence beats later faults', () =>
    expect(check('{"foo":1,"int":"x"}')).to.equal("Parameter 'need' is missing"));
  it('QMP-ARG-31: the order is the schema, not the input', () =>
    expect(check('{"last":"x","bool":1,"int":"x","need":""}')).to.equal(integer));
  it('QMP-ARG-32: a type error beats an unexpected member', () =>
    expect(check('{"zz":1,"last":"x","need":""}')).to.contain("'last'"));
  it("an inner object's left-overs come before faults of later outer members", () =>
    expect(check('{"need":"","last":"x","inner":{"zz":1}}')).to.equal("Parameter 'inner.zz' is unexpected"));
  it('QMP-D-40: later dialects name the member', () => {
    expect(check('{"need":"","kind":"A"}', '7.2')).to.equal("Parameter 'kind' does not accept value 'A'");
    expect(check('{"need":"","kinds":["A"]}', '7.2')).to.equal("Parameter 'null' does not accept value 'A'");
  });
  it('members may have any name', () =>
    expect(Object.entries(one('any', '{"__proto__":1}') as object)).to.deep.equal([['__proto__', 1n]]));
});
