/** The reply vectors of qmp-protocol.md §7.6, in its order. New ones go to the end: ids must not move. */
import { isObject } from '../../protocol/json.js';
import { done, refused } from './shapes.js';
import { notFound } from './texts.js';
import { B, BAD, C, CMD, D, echo, K, L, M, O, Q, R, S, T, times, U, V, type Vector, withId, Y } from './vector.js';

type Row = Omit<Vector, 'id' | 'title'>;

const version = done({
  words: 'a version',
  holds: (value) => isObject(value) && isObject(value.qemu) && typeof value.qemu.major === 'number',
});

/** Not before the bracket that the list lacks. */
const endsLate = { id: 'QMP-BUG-08', input: '[}]', replies: [V] };

const table: readonly Row[] = [
  { input: `${CMD} ${CMD}`, baseline: [R, R], rows: ['QMP-TRANS-10'] },
  { input: '1 2 ', baseline: [O, O], rows: ['QMP-GRP-01'] },
  { input: 'hello world\n', baseline: [K('hello'), K('world')] },
  { input: 'HELLO\n', baseline: times(5, S), strict: [T('H')], rows: ['QMP-LEX-01', 'QMP-D-20'] },
  {
    input: 'GET / HTTP/1.0\r\n\r\n',
    baseline: [...times(9, S), O],
    strict: [T('G')],
    rows: ['QMP-LEX-01', 'QMP-D-21'],
  },
  { input: `\x00${CMD}`, baseline: [S, R], strict: [T(''), R], rows: ['QMP-LEX-05'] },
  { input: `\xff${CMD}`, baseline: [S, R], strict: [T(BAD), R], rows: ['QMP-LEX-04'] },
  { input: `\xff\xff${CMD}`, baseline: [S, S, R], strict: [T(BAD), T(BAD), R], rows: ['QMP-LEX-04', 'QMP-D-21'] },
  { input: `{"execute":\xff${CMD}`, baseline: [S, R], strict: [T(BAD), R], rows: ['QMP-LEX-04'] },
  {
    input: `{"execute":"que\xff${CMD}`,
    baseline: [S, R],
    strict: [T(`"que${BAD}`), R],
    rows: ['QMP-LEX-04', 'QMP-D-22'],
  },
  { input: `\xef\xbb\xbf${CMD}`, baseline: [S, S, S, R], strict: [T(BAD), R], rows: ['QMP-LEX-06'] },
  { input: `// hi\n${CMD}`, baseline: [S, S, K('hi'), R], strict: [T('/'), R], rows: ['QMP-LEX-08', 'QMP-D-21'] },
  { input: `/* hi */${CMD}`, baseline: [S, S, K('hi'), S, S, R], strict: [T('/'), R], rows: ['QMP-LEX-08'] },
  { input: '{"execute": @ "query-version"}', baseline: [S, O, V], strict: [T('@'), V], rows: ['QMP-LEX-02'] },
  { input: withId('NaN'), baseline: [S, K('a'), S, V], strict: [T('N'), V], rows: ['QMP-LEX-15'] },
  { input: withId('nan'), baseline: [M], strict: [K('nan')], rows: ['QMP-LEX-15', 'QMP-PARSE-02'] },
  { input: withId('-Infinity'), baseline: [S, K('nfinity'), V], strict: [T('-I'), V], rows: ['QMP-LEX-15'] },
  { input: withId('01'), baseline: [S, V], strict: [T('01'), V], rows: ['QMP-LEX-12'] },
  { input: withId('+1'), baseline: [S, O, V], strict: [T('+'), V], rows: ['QMP-LEX-14'] },
  { input: withId('5.'), baseline: [S], strict: [T('5.}')], rows: ['QMP-LEX-14'] },
  { input: withId('1_000'), baseline: [S, S, O, V], strict: [T('_'), V], rows: ['QMP-LEX-12'] },
  { input: withId('0x10'), baseline: [D], rows: ['QMP-LEX-13'] },
  { input: withId('TRUE'), baseline: [...times(4, S), V], strict: [T('T'), V], rows: ['QMP-LEX-15'] },
  { input: '{"execute":"query-version",}', baseline: [Y], strict: [V], rows: ['QMP-PARSE-03', 'QMP-D-25'] },
  { input: withId('[1,]'), baseline: [M], strict: [V], rows: ['QMP-PARSE-02', 'QMP-D-25'] },
  { input: withId('[1:2]'), baseline: [M], strict: [L], rows: ['QMP-PARSE-02', 'QMP-D-25'] },
  { input: '{"execute":"query-version" "id":1}', baseline: [D], rows: ['QMP-PARSE-01'] },
  { input: '{"execute" "query-version"}', baseline: [C] },
  { input: '{"execute"}', baseline: [C] },
  { input: '{"execute":}', baseline: [M], strict: [V], rows: ['QMP-D-25'] },
  { input: '{execute:"query-version"}', baseline: [Y], strict: [K('execute')], rows: ['QMP-PARSE-04'] },
  { input: '{1:2}', baseline: [Y], rows: ['QMP-PARSE-04'] },
  { input: '{null:1}', baseline: [Y], rows: ['QMP-PARSE-04'] },
  {
    input: '{"execute":"query-name","execute":"query-version"}',
    baseline: [version],
    strict: [U],
    rows: ['QMP-PARSE-05', 'QMP-D-26'],
  },
  { input: '{"execute":"query-version"]', baseline: [D], rows: ['QMP-GRP-02'] },
  ...[...'}]:,'].map((input) => ({ input, baseline: [V], rows: ['QMP-GRP-01'] })),
  { input: '[}', baseline: [V], rows: ['QMP-GRP-02'], defect: endsLate },
  { input: '[}]', baseline: [V, V], rows: ['QMP-GRP-02'], defect: endsLate },
  { input: '[{]}', baseline: [V], rows: ['QMP-GRP-02'] },
  { input: '{[}]', baseline: [Y], strict: [V], rows: ['QMP-GRP-02'] },
  { input: '{]', baseline: [Y], strict: [V], rows: ['QMP-GRP-02'] },
  // It waits; the byte that no state accepts shows that nothing came before it.
  { input: '{"a":[}\xff', baseline: [S], strict: [T(BAD)], rows: ['QMP-GRP-02', 'QMP-GRP-04'] },
  { input: '{"a":[}]', baseline: [M], strict: [V], rows: ['QMP-GRP-02'] },
  { input: `${CMD}}}`, baseline: [R, V, V], rows: ['QMP-GRP-03'] },
  {
    input: '{"execute":"query\nname"}',
    baseline: [refused('CommandNotFound', notFound('query\nname'))],
    strict: [T('"query\n'), V],
    rows: ['QMP-LEX-10', 'QMP-D-22'],
  },
  // The last byte ends the string that the fault has opened.
  {
    input: `${withId('"a\\qb"')}\xff`,
    baseline: [S, K('b'), S],
    strict: [Q, T(BAD)],
    rows: ['QMP-LEX-11', 'QMP-D-27'],
  },
  { input: withId('"\xe9"'), baseline: [echo('"\\uFFFD"')], strict: [B], rows: ['QMP-STR-04', 'QMP-D-28'] },
  {
    input: `${withId('"a\xc0\x80b"')}\xff`,
    baseline: [S, S, K('b'), S],
    strict: [echo('"a\\u0000b"'), T(BAD)],
    rows: ['QMP-LEX-04', 'QMP-D-28'],
  },
  { input: '%d\n', baseline: [S], strict: [T('%')], rows: ['QMP-PARSE-07', 'QMP-D-24'] },
  { input: '{"execute":%s}', baseline: [M], strict: [T('%'), V], rows: ['QMP-PARSE-07', 'QMP-D-24'] },
  { input: '1.5.5 ', baseline: [O, S, O], strict: [O, T('.')] },
  { input: '12a ', baseline: [O, K('a')] },
  { input: '1.e5 ', baseline: [S, O], strict: [T('1.e')], rows: ['QMP-LEX-14'] },
  { input: '5\x80 ', baseline: [S], strict: [O, T(BAD)], rows: ['QMP-LEX-16', 'QMP-D-23'] },
  {
    input: `"abc\n${CMD}\xff`,
    baseline: [O, K('execute'), O, K('query'), S, K('ersion'), S],
    strict: [T('"abc\n'), R, T(BAD)],
    rows: ['QMP-LEX-03', 'QMP-D-22'],
  },
];

/** Input bytes as one sees them in C. */
const shown = (input: string): string =>
  JSON.stringify(input)
    .slice(1, -1)
    .replaceAll('\\"', '"')
    .replaceAll(/[\x7f-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);

export const vectorTable: readonly Vector[] = table.map((row, index) => ({
  id: `QMP-VEC-${String(index + 1).padStart(2, '0')}`,
  title: `replies to ${shown(row.input)}`,
  ...row,
}));
