import { expect } from 'chai';
import { fromIntrospection, toIntrospection } from '../../qapi/introspection.js';
import { parseQapi } from '../../qapi/parse.js';
import { renderDefinition, renderOverview } from '../../qapi/render.js';

const schema = parseQapi(`
##
# @Kind:
#
# What it is.
#
# @small: fits
#     in a hand
##
{ 'enum': 'Kind', 'data': [ 'small', { 'name': 'large', 'features': [ 'deprecated' ] } ] }
{ 'struct': 'Large', 'data': { 'parts': [ 'Thing' ] } }
{ 'union': 'Thing', 'base': { 'kind': 'Kind', '*note': 'str' }, 'discriminator': 'kind', 'data': { 'large': 'Large' } }
##
# @put:
#
# Puts a thing
# somewhere.
#
# @thing: the thing
# @where: the place
#
# Since: 2.0
##
{ 'command': 'put', 'data': { 'thing': 'Thing', '*where': 'uint8' }, 'returns': [ 'Thing' ],
  'allow-oob': true, 'features': [ 'unstable' ] }
{ 'command': 'idle' }
{ 'event': 'PUT', 'data': { 'n': 'int' } }
{ 'event': 'IDLE' }
`);
const introspected = fromIntrospection(toIntrospection(schema));

describe('qapi: rendering', () => {
  it('an overview of commands and events', () => {
    expect(renderOverview(schema)).to.equal(
      [
        'Commands (2)',
        '  idle()',
        '  put(thing: Thing, where?: uint8) -> list of Thing',
        '',
        'Events (2)',
        '  IDLE',
        '  PUT(n: int)',
        '',
      ].join('\n'),
    );
  });

  it('a command with its doc block', () => {
    expect(renderDefinition(schema, schema.commands.get('put')!)).to.equal(
      [
        'command put [unstable]',
        '  Puts a thing',
        '  somewhere.',
        '  arguments',
        '    thing   Thing  the thing',
        '    where?  uint8  the place',
        '  returns list of Thing',
        '  may be executed out of band',
        '  Since: 2.0',
        '',
      ].join('\n'),
    );
  });

  it('a command of a target: types are spelled out, and circles end', () => {
    expect(renderDefinition(introspected, introspected.commands.get('put')!)).to.equal(
      [
        'command put',
        '  arguments',
        '    thing      object',
        '      kind     one of "small", "large"',
        '      note?    str',
        '      if kind is small',
        '      if kind is large',
        '        parts  list of object',
        '          (as above)',
        '    where?     int',
        '  returns list of object',
        '    kind     one of "small", "large"',
        '    note?    str',
        '    if kind is small',
        '    if kind is large',
        '      parts  list of object',
        '        (as above)',
        '  may be executed out of band',
        '',
      ].join('\n'),
    );
  });

  it('types and events', () => {
    expect(renderDefinition(schema, schema.types.get('Kind')!)).to.equal(
      ['enum Kind', '  What it is.', '  small  fits in a hand', '  large [deprecated]', ''].join('\n'),
    );
    expect(renderDefinition(schema, schema.types.get('Thing')!)).to.equal(
      ['union Thing', '  kind     Kind', '  note?    str', '  if kind is large', '    parts  list of Thing', ''].join(
        '\n',
      ),
    );
    expect(renderDefinition(schema, schema.events.get('PUT')!)).to.equal('event PUT\n  data\n    n  int\n');
    expect(renderDefinition(schema, schema.events.get('IDLE')!)).to.equal('event IDLE\n  without data\n');
    expect(renderDefinition(schema, schema.commands.get('idle')!)).to.equal(
      'command idle\n  without arguments\n  returns nothing\n',
    );
  });
});
