import { expect } from 'chai';
import { fromIntrospection, IntrospectionError, toIntrospection } from '../../qapi/introspection.js';
import { parseQapi } from '../../qapi/parse.js';

const text = `
{ 'enum': 'Kind', 'data': [ 'a', { 'name': 'b', 'features': [ 'deprecated' ] } ] }
{ 'struct': 'Branch', 'data': { 'n': 'uint32' } }
{ 'union': 'U', 'base': { 'kind': 'Kind' }, 'discriminator': 'kind', 'data': { 'a': 'Branch' } }
{ 'alternate': 'Alt', 'data': { 's': 'str', 'n': 'null' } }
{ 'struct': 'Unreachable', 'data': { 'x': 'int' } }
{ 'command': 'get', 'returns': [ 'U' ], 'allow-oob': true, 'features': [ 'unstable' ] }
{ 'command': 'set', 'data': { '*alt': 'Alt', 'size': 'size', 'more': [ 'str' ], 'rest': 'any' } }
{ 'event': 'DONE' }
`;
const schema = parseQapi(text);

describe('qapi: to introspection', () => {
  it('has the shape that monitors give it (QMP-BASE-05)', () => {
    expect(toIntrospection(schema)).to.deep.equal([
      { name: '[1]', 'meta-type': 'array', 'element-type': '1' },
      { name: 'get', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '[1]', 'allow-oob': true },
      { name: 'set', 'meta-type': 'command', 'arg-type': '2', 'ret-type': '0' },
      { name: 'DONE', 'meta-type': 'event', 'arg-type': '0' },
      { name: '0', 'meta-type': 'object', members: [] },
      {
        name: '1',
        'meta-type': 'object',
        members: [{ name: 'kind', type: '3' }],
        tag: 'kind',
        variants: [
          { case: 'a', type: '4' },
          { case: 'b', type: '0' },
        ],
      },
      { name: 'int', 'meta-type': 'builtin', 'json-type': 'int' },
      { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' },
      { name: '[str]', 'meta-type': 'array', 'element-type': 'str' },
      { name: 'any', 'meta-type': 'builtin', 'json-type': 'value' },
      {
        name: '2',
        'meta-type': 'object',
        members: [
          { name: 'alt', default: null, type: '5' },
          { name: 'size', type: 'int' },
          { name: 'more', type: '[str]' },
          { name: 'rest', type: 'any' },
        ],
      },
      { name: '3', 'meta-type': 'enum', values: ['a', 'b'] },
      { name: '4', 'meta-type': 'object', members: [{ name: 'n', type: 'int' }] },
      { name: 'null', 'meta-type': 'builtin', 'json-type': 'null' },
      { name: '5', 'meta-type': 'alternate', members: [{ type: 'str' }, { type: 'null' }] },
    ]);
  });

  it('tells features and enum members only when asked (QMP-D-45)', () => {
    const entities = toIntrospection(schema, { features: true });
    expect(entities).to.deep.include({
      name: '3',
      'meta-type': 'enum',
      members: [{ name: 'a' }, { name: 'b', features: ['deprecated'] }],
      values: ['a', 'b'],
    });
    expect(entities.find((entity) => 'name' in entity && entity.name === 'get')).to.deep.include({
      features: ['unstable'],
    });
  });
});

describe('qapi: from introspection', () => {
  const reply = (...entities: object[]) => [
    { name: 'int', 'meta-type': 'builtin', 'json-type': 'int' },
    { name: '0', 'meta-type': 'object', members: [] },
    ...entities,
  ];

  it('reads commands, arguments and results', () => {
    const read = fromIntrospection({ return: toIntrospection(schema, { features: true }) });
    expect(read.origin).to.equal('introspection');
    expect([...read.commands.keys(), ...read.events.keys()]).to.deep.equal(['get', 'set', 'DONE']);
    expect(read.commands.get('get')).to.deep.include({
      allowOob: true,
      returns: { name: '1', list: true },
      features: [{ name: 'unstable' }],
    });
    expect(read.commands.get('get')).to.not.have.property('arguments');
    expect(read.commands.get('set')).to.not.have.property('returns');
    expect(read.events.get('DONE')).to.not.have.property('data');
    expect(read.membersOf('2').map(({ name, optional, type }) => ({ name, optional, type }))).to.deep.equal([
      { name: 'alt', optional: true, type: { name: '5', list: false } },
      { name: 'size', optional: false, type: { name: 'int', list: false } },
      { name: 'more', optional: false, type: { name: 'str', list: true } },
      { name: 'rest', optional: false, type: { name: 'any', list: false } },
    ]);
  });

  it('takes enums with values, with members, or with both, and ignores what it does not know', () => {
    const read = fromIntrospection(
      reply(
        { name: '1', 'meta-type': 'enum', values: ['a'], shape: 'round' },
        { name: '2', 'meta-type': 'enum', members: [{ name: 'a', features: ['unstable'], since: 1 }] },
        { name: '3', 'meta-type': 'enum', values: ['a'], members: [{ name: 'a' }] },
      ),
    );
    expect(read.types.get('1')).to.deep.include({ values: [{ name: 'a', features: [] }] });
    expect(read.types.get('2')).to.deep.include({ values: [{ name: 'a', features: [{ name: 'unstable' }] }] });
    expect(read.types.get('3')).to.deep.include({ values: [{ name: 'a', features: [] }] });
  });

  const enumAB = { name: '1', 'meta-type': 'enum', values: ['a', 'b'] };
  const tagged = { name: '2', 'meta-type': 'object', members: [{ name: 'k', type: '1' }], tag: 'k' };
  const faults: readonly (readonly [string, unknown])[] = [
    ['query-qmp-schema: the reply is not a list of entities', {}],
    ['query-qmp-schema: the reply is not a list of entities', { return: 5 }],
    ['query-qmp-schema: entity 0 is not an object', [5]],
    ['query-qmp-schema: entity 0 has no name', [{ 'meta-type': 'enum' }]],
    ["query-qmp-schema: entity 0, 'x', has no meta-type", [{ name: 'x' }]],
    ["query-qmp-schema: entity 0, 'x', has the unknown meta-type 'y'", [{ name: 'x', 'meta-type': 'y' }]],
    ["query-qmp-schema: enum '1' is defined twice", reply(enumAB, enumAB)],
    ["query-qmp-schema: enum '1' lacks 'values'", reply({ name: '1', 'meta-type': 'enum' })],
    ["query-qmp-schema: enum '1' names 'a' twice", reply({ name: '1', 'meta-type': 'enum', values: ['a', 'a'] })],
    [
      "query-qmp-schema: enum '1' has no list of strings as 'values'",
      reply({ name: '1', 'meta-type': 'enum', values: [5] }),
    ],
    [
      "query-qmp-schema: builtin 'b' has the unknown json-type 'date'",
      reply({ name: 'b', 'meta-type': 'builtin', 'json-type': 'date' }),
    ],
    ["query-qmp-schema: array '[9]' refers to '9'", reply({ name: '[9]', 'meta-type': 'array', 'element-type': '9' })],
    [
      "query-qmp-schema: array '[[0]]' is an array of arrays",
      reply(
        { name: '[0]', 'meta-type': 'array', 'element-type': '0' },
        { name: '[[0]]', 'meta-type': 'array', 'element-type': '[0]' },
        { name: 'c', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '[[0]]' },
      ),
    ],
    ["query-qmp-schema: command 'c' lacks 'ret-type'", reply({ name: 'c', 'meta-type': 'command', 'arg-type': '0' })],
    [
      "query-qmp-schema: command 'c' has an 'arg-type' that is not an object",
      reply({ name: 'c', 'meta-type': 'command', 'arg-type': 'int', 'ret-type': '0' }),
    ],
    [
      "query-qmp-schema: command 'c' has neither true nor false as 'allow-oob'",
      reply({ name: 'c', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '0', 'allow-oob': 1 }),
    ],
    [
      "query-qmp-schema: event 'E' refers to 'F' as a type, but that is an event",
      reply({ name: 'E', 'meta-type': 'event', 'arg-type': 'F' }, { name: 'F', 'meta-type': 'event', 'arg-type': '0' }),
    ],
    [
      "query-qmp-schema: object '2' lacks 'type' in members[0]",
      reply({ name: '2', 'meta-type': 'object', members: [{ name: 'x' }] }),
    ],
    ["query-qmp-schema: object '2' lacks 'variants'", reply(enumAB, tagged)],
    [
      "query-qmp-schema: object '2' has the tag 'x', which is not one of its members",
      reply(enumAB, { ...tagged, tag: 'x', variants: [] }),
    ],
    [
      "query-qmp-schema: object '2' has a variant for 'c', which its tag cannot be",
      reply(enumAB, { ...tagged, variants: [{ case: 'c', type: '0' }] }),
    ],
    [
      "query-qmp-schema: object '2' has a variant 'a' that is not an object",
      reply(enumAB, { ...tagged, variants: [{ case: 'a', type: 'int' }] }),
    ],
    [
      "query-qmp-schema: object '2' has 'variants' but no 'tag'",
      reply({ name: '2', 'meta-type': 'object', members: [], variants: [] }),
    ],
  ];
  for (const [message, broken] of faults) {
    it(`refuses: ${message}`, () => {
      expect(() => fromIntrospection(broken)).to.throw(IntrospectionError, message);
    });
  }
});
