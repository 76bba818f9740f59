/** A schema that uses every construct of the language once. */
export const sample = `
# A comment, then a free-form block.

##
# = A chapter
##

{ 'pragma': { 'doc-required': false,
              'command-returns-exceptions': [ 'plain' ] } }

##
# @Colour:
#
# What light does.
#
# @red: like a tomato,
#     a ripe one
#
# @blue: like the sky
#
# Since: 1.0
##
{ 'enum': 'Colour', 'prefix': 'COLOUR',
  'data': [ 'red', { 'name': 'blue', 'if': 'SKY', 'features': [ 'unstable' ] }, '3d' ] }

{ 'struct': 'Base', 'data': { 'kind': 'Colour', '*note': 'str' } }
{ 'struct': 'Derived', 'base': 'Base',
  'data': { 'count': 'uint8', '*list': [ 'Base' ],
            'loud': { 'type': 'bool', 'if': { 'all': [ 'A', { 'not': { 'any': [ 'B', 'C' ] } } ] },
                      'features': [ { 'name': 'new', 'if': 'N' } ] } },
  'features': [ 'f' ], 'if': [ 'X', 'Y' ] }
{ 'struct': 'Empty', 'data': { } }

{ 'union': 'Flat', 'base': 'Base', 'discriminator': 'kind',
  'data': { 'red': 'Empty', 'blue': { 'type': 'Other', 'if': 'SKY' } } }
{ 'struct': 'Other', 'data': { 'next': [ 'Flat' ] } }
{ 'union': 'Inline', 'base': { 'c': 'Colour' }, 'discriminator': 'c', 'data': { 'red': 'Other' } }
{ 'union': 'Simple', 'data': { 'number': 'int', 'texts': [ 'str' ] } }
{ 'alternate': 'Either', 'data': { 'a': 'str', 'b': 'Base', 'c': [ 'int' ], 'd': 'null' } }

{ 'command': 'plain', 'returns': 'int' }
{ 'command': 'args', 'data': { 'a': 'int', '*b': 'Either' }, 'returns': [ 'Flat' ],
  'gen': false, 'success-response': false, 'allow-oob': true, 'allow-preconfig': true }
{ 'command': 'boxed', 'boxed': true, 'data': 'Flat', 'coroutine': true }
{ 'command': 'by-name', 'data': 'Derived', 'features': [ 'deprecated' ], 'if': 'Z' }
{ 'event': 'SILENT' }
{ 'event': 'LOUD', 'data': { 'simple': 'Simple', 'inline': 'Inline' } }
{ 'event': 'BOXED', 'boxed': true, 'data': 'Derived' }
`;
