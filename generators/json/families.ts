/** Texts around a command, by what is peculiar in them. Every one is a string of bytes, one character each. */
import type { Tape } from '../scenario/tape.js';
import { safeCommands } from './expected.js';

export type Family = (typeof families)[number]['name'];

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const command = (tape: Tape): string => `{"execute":"${tape.pick(safeCommands)}"}`;
const withId = (tape: Tape, id: string): string => `{"execute":"${tape.pick(safeCommands)}","id":${id}}`;
const spaces = (tape: Tape): string => ' \t\r\n'.charAt(tape.number(4)).repeat(tape.number(4));

/** A value of some depth, well-formed. */
function value(tape: Tape, depth: number): string {
  const scalar = () =>
    tape.pick([
      'null',
      'true',
      'false',
      '0',
      '-1',
      '1.5',
      '1e3',
      '18446744073709551615',
      '""',
      '"a"',
      '"\\u00e9"',
      utf8('"€😀"'),
    ]);
  if (depth === 0) return scalar();
  return tape.pick<() => string>([
    scalar,
    () => `[${Array.from({ length: tape.number(3) }, () => value(tape, depth - 1)).join(',')}]`,
    () => `{${Array.from({ length: tape.number(3) }, (_, n) => `"m${n}":${value(tape, depth - 1)}`).join(',')}}`,
  ])();
}

/** A string with something in it, as an id. */
const inString = (tape: Tape, inside: string): string => withId(tape, `"a${inside}b"`);

const invalidUtf8 = ['\x80', '\xbf', '\xc3', '\xe2\x82', '\xf0\x9f\x98', '\xf4\x90\x80\x80', '\xc3\x28', '\xe9'];
const overlong = ['\xc0\x80', '\xc1\xbf', '\xe0\x80\x80', '\xe0\x9f\xbf', '\xf0\x80\x80\x80', '\xf0\x8f\xbf\xbf'];
const surrogates = [
  '\xed\xa0\x80',
  '\xed\xbf\xbf',
  '\\ud83d',
  '\\ude00',
  '\\ud83d\\ude00',
  '\\ude00\\ud83d',
  '\\ud83dx',
];
const escapes = [
  '\\"',
  '\\\\',
  '\\/',
  '\\b',
  '\\f',
  '\\n',
  '\\r',
  '\\t',
  "\\'",
  '\\u0041',
  '\\u00E9',
  '\\u20ac',
  '\\u0000',
];
const badEscapes = ['\\q', '\\x41', '\\U', '\\u12', '\\u12g4', '\\u', '\\0', '\\ufffe', '\\ufdd0'];
const numbers = [
  '01',
  '-01',
  '+1',
  '.5',
  '5.',
  '1e',
  '-',
  '0e1',
  '0x10',
  '1_000',
  'NaN',
  '-Infinity',
  'TRUE',
  'nan',
  '-0',
  '-0.0',
];
const punctuation = [',', ':', '{', '}', '[', ']', '[}', '[{]}', '{]', '[}]', '{"a":[}', '}}', '""', "'", '"'];

export const families = [
  { name: 'well-formed', make: (tape: Tape) => spaces(tape) + withId(tape, value(tape, 3)) + spaces(tape) },
  { name: 'invalid UTF-8', make: (tape: Tape) => inString(tape, tape.pick(invalidUtf8)) },
  { name: 'overlong', make: (tape: Tape) => inString(tape, tape.pick(overlong)) },
  { name: 'surrogates', make: (tape: Tape) => inString(tape, tape.pick(surrogates)) },
  { name: 'NUL', make: (tape: Tape) => tape.pick([`\0${command(tape)}`, `${command(tape)}\0`, inString(tape, '\0')]) },
  { name: 'byte order mark', make: (tape: Tape) => `\xef\xbb\xbf${command(tape)}` },
  {
    name: 'control characters',
    make: (tape: Tape) => {
      const control = String.fromCharCode(1 + tape.number(31));
      return tape.pick([inString(tape, control), control + command(tape), inString(tape, '\x7f')]);
    },
  },
  { name: 'single quotes', make: (tape: Tape) => command(tape).replaceAll('"', "'") },
  { name: 'escapes', make: (tape: Tape) => inString(tape, tape.pick(escapes)) },
  { name: 'bad escapes', make: (tape: Tape) => inString(tape, tape.pick(badEscapes)) },
  { name: 'numbers', make: (tape: Tape) => withId(tape, tape.pick(numbers)) },
  { name: 'punctuation', make: (tape: Tape) => tape.pick(punctuation) + tape.pick(['', command(tape)]) },
  { name: 'keywords', make: (tape: Tape) => tape.pick(['hello', 'nul', 'truE', '// x', '/* x */', '# x', '%d', '%s']) },
  {
    name: 'depth',
    make: (tape: Tape) => {
      const depth = tape.pick([1, 10, 500, 1022, 1023, 1024, 1500]);
      const [open, close] = tape.pick([
        ['[', ']'],
        ['{"a":', '}'],
      ] as const);
      return withId(tape, open.repeat(depth) + (open === '[' ? '' : '1') + close.repeat(depth));
    },
  },
  { name: 'size', make: (tape: Tape) => withId(tape, `"${'x'.repeat(2 ** tape.number(17))}"`) },
  {
    name: 'many members',
    make: (tape: Tape) => {
      const members = Array.from({ length: 2 ** tape.number(11) }, (_, n) => `"m${n}":${n}`);
      return withId(tape, `{${members.join(',')}}`);
    },
  },
  {
    name: 'doubled members',
    make: (tape: Tape) =>
      tape.pick([
        '{"execute":"query-name","execute":"query-version"}',
        withId(tape, '1,"id":2'),
        withId(tape, '{"a":1,"a":2}'),
        '{"execute":"query-name","arguments":{"a":1},"arguments":{}}',
      ]),
  },
  { name: 'cut off', make: (tape: Tape) => command(tape).slice(0, tape.number(24)) },
  {
    name: 'several at once',
    make: (tape: Tape) =>
      Array.from({ length: 1 + tape.number(8) }, () => command(tape)).join(tape.pick(['', ' ', '\r\n'])),
  },
] as const;
