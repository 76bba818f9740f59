/** Malformed and odd input with the replies of each rule set (qmp-protocol.md §7.6). */

const CMD = '{"execute":"query-name"}';

/** One code for each reply: see {@link expand}. */
export interface ReplyVector {
  /** Bytes, one character each. */
  readonly input: string;
  readonly baseline: readonly string[];
  readonly strict: readonly string[];
}

const texts: Readonly<Record<string, string>> = {
  S: 'Invalid JSON syntax',
  V: 'JSON parse error, expecting value',
  Y: 'JSON parse error, key is not a string in object',
  C: 'JSON parse error, missing : in object pair',
  M: 'JSON parse error, Missing value in dict',
  D: 'JSON parse error, expected separator in dict',
  L: 'JSON parse error, expected separator in list',
  U: 'JSON parse error, duplicate key',
  B: 'JSON parse error, invalid UTF-8 sequence in string',
  Q: 'JSON parse error, invalid escape sequence in string',
  O: 'QMP input must be a JSON object',
};

/** The reply that a code stands for; `K(w)` and `T(t)` carry a word and the stray text, `X` is CommandNotFound. */
export function expand(code: string): string {
  const match = /^([A-Z])(?:\((.*)\))?$/s.exec(code)!;
  if (match[1] === 'K') return `JSON parse error, invalid keyword '${match[2]}'`;
  if (match[1] === 'T') return `JSON parse error, stray '${match[2]}'`;
  return texts[match[1]!] ?? code;
}

const repeat = (code: string, times: number): string[] => Array.from({ length: times }, () => code);
const named = (id: string) => `{"execute":"query-name","id":${id}}`;
const bad = 'T(\ufffd)';

function row(input: string, baseline: string | readonly string[], strict: string | readonly string[] = baseline) {
  const list = (codes: string | readonly string[]) => (typeof codes === 'string' ? codes.split(' ') : codes);
  return { input, baseline: list(baseline), strict: list(strict) };
}

export const replyVectors: readonly ReplyVector[] = [
  row(`${CMD} ${CMD}`, 'R R'),
  row('1 2 ', 'O O'),
  row('hello world\n', 'K(hello) K(world)'),
  row('HELLO\n', 'S S S S S', 'T(H)'),
  row('GET / HTTP/1.0\r\n\r\n', [...repeat('S', 9), 'O'], 'T(G)'),
  row(`\0${CMD}`, 'S R', 'T() R'),
  row(`\xff${CMD}`, 'S R', [bad, 'R']),
  row(`\xff\xff${CMD}`, 'S S R', [bad, bad, 'R']),
  row(`{"execute":\xff${CMD}`, 'S R', [bad, 'R']),
  row(`{"execute":"que\xff${CMD}`, 'S R', ['T("que\ufffd)', 'R']),
  row(`\xef\xbb\xbf${CMD}`, 'S S S R', [bad, 'R']),
  row(`// hi\n${CMD}`, 'S S K(hi) R', 'T(/) R'),
  row(`/* hi */${CMD}`, 'S S K(hi) S S R', 'T(/) R'),
  row('{"execute": @ "query-name"}', 'S O V', 'T(@) V'),
  row(named('NaN'), 'S K(a) S V', 'T(N) V'),
  row(named('nan'), 'M', 'K(nan)'),
  row(named('-Infinity'), 'S K(nfinity) V', 'T(-I) V'),
  row(named('01'), 'S V', 'T(01) V'),
  row(named('+1'), 'S O V', 'T(+) V'),
  row(named('5.'), 'S', 'T(5.})'),
  row(named('1_000'), 'S S O V', 'T(_) V'),
  row(named('0x10'), 'D'),
  row(named('TRUE'), 'S S S S V', 'T(T) V'),
  row('{"execute":"query-name",}', 'Y', 'V'),
  row(named('[1,]'), 'M', 'V'),
  row(named('[1:2]'), 'M', 'L'),
  row('{"execute":"query-name" "id":1}', 'D'),
  row('{"execute" "query-name"}', 'C'),
  row('{"execute"}', 'C'),
  row('{"execute":}', 'M', 'V'),
  row('{execute:"query-name"}', 'Y', 'K(execute)'),
  row('{1:2}', 'Y'),
  row('{null:1}', 'Y'),
  row('{"execute":"query-name","execute":"query-version"}', 'R', 'U'),
  row('{"execute":"query-name"]', 'D'),
  row('[}', 'V'),
  row('}', 'V'),
  row(']', 'V'),
  row(':', 'V'),
  row(',', 'V'),
  row('[}]', 'V V'),
  row('[{]}', 'V'),
  row('{[}]', 'Y', 'V'),
  row('{]', 'Y', 'V'),
  row('{"a":[}', []),
  row('{"a":[}]', 'M', 'V'),
  row(`${CMD}}}`, 'R V V'),
  row('{"execute":"query\nname"}', 'X', ['T("query\n)', 'V']),
  row(named('"a\\qb"'), ['S', 'K(b)'], 'Q'),
  row(named('"\xe9"'), 'R', 'B'),
  row(named('"a\xc0\x80b"'), 'S S K(b)', 'R'),
  row('%d', 'S', 'T(%)'),
  row('{"execute":%s}', 'M', 'T(%) V'),
  row('1.5.5 ', 'O S O', 'O T(.)'),
  row('12a ', 'O K(a)'),
  row('1.e5 ', 'S O', 'T(1.e)'),
  row('5\x80 ', 'S', ['O', bad]),
];
