/** Bytes that a monitor would rather not get: pieces of JSON, of commands and of nothing in particular, thrown together. */
import fc from 'fast-check';

const pieces = [
  ...'{}[]:,"\'\\ \t\n\r%-+.0159eEaznuTN/#@',
  ...['\0', '\x01', '\x7f', '\x80', '\xbf', '\xc0', '\xc1', '\xc3\xa9', '\xe2\x82\xac', '\xf0\x9f\x98\x80', '\xf4\x90'],
  ...['\xed\xa0\x80', '\xef\xbf\xbf', '\xe0\x80\x80', '\xc0\x80', '\xf5', '\xfe', '\xff', '\xef\xbb\xbf'],
  ...['true', 'false', 'null', 'nan', '1.5', '0e1', '-0', '1e3', '1e-7', '18446744073709551616', '0.1', '12345678901'],
  ...['""', "''", '"a"', '"a":1', '"\\u00e9"', '"\\ud83d\\ude00"', '"\\ud83d\\u0041"', '"\\u12"', '"\\q"', '"\\u0000"'],
  ...['"\\ufffe"', '"\\udc00"', "'\\''", '"\\x41"'],
  ...['[1,2]', '[1 2]', '{"a":1,"a":2}', '{"a" 1}', '{"a":1 "b":2}', '[,]', '{,}', '[[[', '}}'],
  ...[
    '{"execute":"query-name"}',
    '{"execute":"query-name","id":',
    '"arguments":',
    '{"execute":',
    '"id":1',
    '"execute"',
  ],
  ...['{"execute":"nosuch"}', '{"execute":"query-name","arguments":{"k":1}}', '{"execute":1}', '{"foo":1}', '{}'],
  ...['{"execute":"qmp_capabilities","arguments":{"enable":', '"oob"', '{"exec-oob":"query-name"}', 'query-name'],
];

/** Byte strings of up to about a hundred bytes. */
export const hostileBytes: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { arbitrary: fc.constantFrom(...pieces), weight: 9 },
      { arbitrary: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)), weight: 1 },
    ),
    { minLength: 1, maxLength: 24 },
  )
  .map((parts) => parts.join(''));
