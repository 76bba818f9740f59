import { expect } from 'chai';
import { QapiError } from '../../qapi/errors.js';
import { parseQapi } from '../../qapi/parse.js';

/** Text, place `line:column`, and what the message must say. */
const cases: readonly (readonly [string, string, string])[] = [
  // Lexer and grammar.
  [`{ 'enum': 'E`, '1:11', 'no closing quote'],
  [`{ 'enum': 'E\n', 'data': [] }`, '1:11', 'no closing quote'],
  [`{ "enum": 'E' }`, '1:3', 'single quotes'],
  [`{ 'enum': 'E\u00e9' }`, '1:13', 'printable ASCII'],
  [`{ 'enum': 'E\\q' }`, '1:13', "unknown escape '\\q'"],
  [`{ 'enum': '\\u00e9' }`, '1:12', 'not an ASCII character'],
  [`{ 'enum': 'E', 'data': null }`, '1:24', 'unexpected "null"'],
  [`{ 'enum': 'E', 'data': 12 }`, '1:24', 'unexpected "12"'],
  ['\n  %', '2:3', 'unexpected "%"'],
  [`[ 'a' ]`, '1:1', "expected '{'"],
  [`{ 'enum' 'E' }`, '1:10', "expected ':', found 'E'"],
  [`{ 'enum': 'E' 'data': [] }`, '1:15', "expected ',' or '}'"],
  [`{ 'enum': 'E', }`, '1:16', 'expected a string'],
  [`{ 'enum': 'E', 'data': [ 'a' 'b' ] }`, '1:30', "expected ',' or ']'"],
  [`{ 'enum': 'E', 'data': [ 'a'`, '1:29', 'found the end of the file'],
  [`{ 'enum': 'E', 'enum': 'F', 'data': [] }`, '1:16', "'enum' is given twice"],
  [`{ 'enum': 'E', 'data': ${'['.repeat(200)}`, '1:124', 'nested more than 100 deep'],
  // Definitions in general.
  [`{ }`, '1:1', 'no definition'],
  [`{ 'data': [] }`, '1:1', "found 'data'"],
  [`{ 'enum': 'E', 'struct': 'E', 'data': [] }`, '1:16', "'struct' cannot stand beside 'enum'"],
  [`{ 'enum': [], 'data': [] }`, '1:11', 'must be a string'],
  [`{ 'enum': 'E', 'data': [], 'dta': 1 }`, '1:35', 'unexpected "1"'],
  [`{ 'enum': 'E', 'data': [], 'dta': true }`, '1:28', "unknown key 'dta' in enum 'E'"],
  [`{ 'enum': 'E' }`, '1:1', "enum 'E' lacks the key 'data'"],
  [`{ 'enum': 'E', 'data': [] }\n{ 'struct': 'E', 'data': {} }`, '2:13', "'E' is already defined, as an enum at"],
  [`{ 'struct': 'int', 'data': {} }`, '1:13', 'builtin'],
  [`{ 'struct': '1x', 'data': {} }`, '1:13', 'not a valid name'],
  [`{ 'struct': 'a b', 'data': {} }`, '1:13', 'not a valid name'],
  [`{ 'struct': 'q_x', 'data': {} }`, '1:13', "'q_' is reserved"],
  [`{ 'struct': 'XList', 'data': {} }`, '1:13', "'List' are reserved"],
  [`{ 'struct': 'S', 'data': [] }`, '1:26', 'must be an object'],
  [`{ 'struct': 'S', 'data': { 'a': 'Nope' } }`, '1:33', "unknown type 'Nope'"],
  [`{ 'struct': 'S', 'data': { 'a': [ 'int', 'int' ] } }`, '1:33', 'exactly one element type'],
  [`{ 'struct': 'S', 'data': { 'a': { 'b': 'int' } } }`, '1:35', "unknown key 'b' in member 'a'"],
  [`{ 'struct': 'S', 'data': { 'a': true } }`, '1:33', 'must name a type'],
  [`{ 'struct': 'S', 'data': { 'a': 'int', '*a': 'int' } }`, '1:40', "member 'a' is given twice"],
  [`{ 'struct': 'S', 'data': { 'a-b': 'int', 'a_b': 'int' } }`, '1:42', "cannot be told from 'a-b'"],
  [`{ 'struct': 'S', 'data': { 'has-x': 'int' } }`, '1:28', 'reserved'],
  [`{ 'command': 'c' }{ 'struct': 'S', 'data': { 'a': 'c' } }`, '1:51', "'c' is a command, not a type"],
  [`{ 'struct': 'S', 'data': { 'a': 'int' }, 'if': [] }`, '1:48', 'empty'],
  [`{ 'struct': 'S', 'data': { }, 'if': { 'all': ['a'], 'any': ['b'] } }`, '1:37', "exactly one of 'all'"],
  [`{ 'struct': 'S', 'data': { }, 'if': { 'none': ['a'] } }`, '1:39', "unknown key 'none'"],
  [`{ 'struct': 'S', 'data': { }, 'features': [ 'a', 'a' ] }`, '1:50', "feature 'a' is given twice"],
  // Bases.
  [`{ 'struct': 'S', 'base': 'int', 'data': {} }`, '1:26', 'must be a struct'],
  [`{ 'struct': 'S', 'base': 'S', 'data': {} }`, '1:13', 'contains itself: S -> S'],
  [
    `{ 'struct': 'B', 'data': { 'a': 'int' } }\n{ 'struct': 'S', 'base': 'B', 'data': { 'a': 'str' } }`,
    '2:13',
    "member 'a' is given twice",
  ],
  // Enums.
  [`{ 'enum': 'E', 'data': [ 'a', 'b', 'a' ] }`, '1:36', "value 'a' is given twice"],
  [`{ 'enum': 'E', 'data': [ { 'if': 'X' } ] }`, '1:26', "lacks the key 'name'"],
  [`{ 'enum': 'E', 'data': [ '' ] }`, '1:26', 'not a valid name'],
  [`{ 'enum': 'E', 'data': { } }`, '1:24', 'must be a list'],
  // Unions.
  [`{ 'union': 'U', 'base': { 'k': 'int' }, 'data': { 'a': 'int' } }`, '1:17', "lacks a 'discriminator'"],
  [`{ 'union': 'U', 'discriminator': 'k', 'data': { 'a': 'int' } }`, '1:17', "lacks the 'base'"],
  [`{ 'union': 'U', 'data': { } }`, '1:25', 'at least one branch'],
  [
    `{ 'enum': 'E', 'data': [ 'a' ] } { 'struct': 'S', 'data': { } }
{ 'union': 'U', 'base': { 'k': 'E' }, 'discriminator': 'x', 'data': { 'a': 'S' } }`,
    '2:56',
    "discriminator 'x' is not a member",
  ],
  [
    `{ 'enum': 'E', 'data': [ 'a' ] } { 'struct': 'S', 'data': { } }
{ 'union': 'U', 'base': { '*k': 'E' }, 'discriminator': 'k', 'data': { 'a': 'S' } }`,
    '2:57',
    'is optional',
  ],
  [
    `{ 'struct': 'S', 'data': { } }
{ 'union': 'U', 'base': { 'k': 'str' }, 'discriminator': 'k', 'data': { 'a': 'S' } }`,
    '2:58',
    'must have an enum type',
  ],
  [
    `{ 'enum': 'E', 'data': [ 'a' ] } { 'struct': 'S', 'data': { } }
{ 'union': 'U', 'base': { 'k': 'E' }, 'discriminator': 'k', 'data': { 'b': 'S' } }`,
    '2:71',
    "branch 'b' of union 'U' is not a value of 'E'",
  ],
  [
    `{ 'enum': 'E', 'data': [ 'a' ] }
{ 'union': 'U', 'base': { 'k': 'E' }, 'discriminator': 'k', 'data': { 'a': 'int' } }`,
    '2:71',
    'must have a struct or union type',
  ],
  [
    `{ 'enum': 'E', 'data': [ 'a' ] } { 'struct': 'S', 'data': { 'k': 'int' } }
{ 'union': 'U', 'base': { 'k': 'E' }, 'discriminator': 'k', 'data': { 'a': 'S' } }`,
    '2:12',
    "member 'k' is given twice",
  ],
  [
    `{ 'enum': 'E', 'data': [ 'a' ] }
{ 'union': 'U', 'base': { 'k': 'E' }, 'discriminator': 'k', 'data': { 'a': 'U' } }`,
    '2:12',
    'contains itself: U -> U',
  ],
  // Alternates.
  [`{ 'alternate': 'A', 'data': { } }`, '1:29', 'at least one branch'],
  [
    `{ 'alternate': 'A', 'data': { 'a': 'int', 'b': 'number' } }`,
    '1:43',
    "cannot be told from 'a': both are JSON numbers",
  ],
  [`{ 'alternate': 'A', 'data': { 'a': 'any' } }`, '1:31', "cannot have a builtin type, 'any'"],
  // Commands and events.
  [`{ 'command': 'c', 'data': 'int' }`, '1:27', 'must be an object type'],
  [`{ 'command': 'c', 'data': [ 'S' ] }`, '1:27', 'must be a string'],
  [`{ 'command': 'c', 'data': { 'a': 'int' }, 'boxed': true }`, '1:27', "its 'data' must name a type"],
  [`{ 'command': 'c', 'boxed': true }`, '1:19', "is boxed but has no 'data'"],
  [`{ 'command': 'c', 'allow-oob': 'yes' }`, '1:32', 'must be true or false'],
  [`{ 'command': 'c', 'allow-oob': true, 'coroutine': true }`, '1:38', 'cannot be a coroutine'],
  [`{ 'command': 'c', 'returns': 'Nope' }`, '1:30', "unknown type 'Nope'"],
  [`{ 'event': 'E', 'returns': 'int' }`, '1:17', "unknown key 'returns' in event 'E'"],
  [`{ 'union': 'U', 'data': { 'a': 'int' } }\n{ 'command': 'c', 'data': 'U' }`, '2:27', "a union needs 'boxed': true"],
  // Pragmas and includes.
  [`{ 'pragma': { 'doc-required': 'x' } }`, '1:31', 'must be true or false'],
  [`{ 'pragma': { 'nope': true } }`, '1:15', "unknown pragma 'nope'"],
  [`{ 'pragma': { 'returns-whitelist': 'x' } }`, '1:36', 'must be a list of strings'],
  [`{ 'pragma': { 'doc-required': true } }\n{ 'command': 'c' }`, '2:1', 'has no doc block'],
  [`{ 'include': 'x', 'data': 'y' }`, '1:19', "unknown key 'data' beside 'include'"],
  // Doc blocks.
  ['## x\n##\n', '1:1', 'nothing may follow it'],
  ['##\n# @a:\n', '1:1', "not closed by a line '##'"],
  ["##\n# @a:\n{ 'command': 'a' }\n", '1:1', "not closed by a line '##'"],
  ['##\n# @a:\n##\n', '1:1', "the doc block of '@a' is not followed"],
  ["##\n# @a:\n##\n{ 'command': 'b' }", '1:1', "describes '@a', but 'b' follows"],
  ["##\n# @a: text\n##\n{ 'command': 'a' }", '1:1', 'nothing else on it'],
  ["##\n# @a:\n# @x: no\n##\n{ 'command': 'a' }", '1:1', "describes '@x', which it does not have"],
  ["##\n# @a:\n# Features:\n# @x: no\n##\n{ 'command': 'a' }", '1:1', "a feature '@x'"],
  ["##\n# @a:\n# @x: 1\n# @x: 2\n##\n{ 'command': 'a', 'data': { 'x': 'int' } }", '1:1', "describes '@x' twice"],
];

describe('qapi: errors', () => {
  for (const [text, place, reason] of cases) {
    it(`${JSON.stringify(text.length > 70 ? `${text.slice(0, 67)}...` : text)}: ${reason}`, () => {
      let caught: unknown;
      try {
        parseQapi(text, { file: 'f' });
      } catch (error) {
        caught = error;
      }
      expect(caught).to.be.instanceOf(QapiError);
      const error = caught as QapiError;
      expect(error.reason).to.include(reason);
      expect(`${error.line}:${error.column}`).to.equal(place);
      expect(error.message).to.equal(`f:${place}: ${error.reason}`);
    });
  }
});
