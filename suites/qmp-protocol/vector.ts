/** A reply vector: some bytes, and every reply that each rule set gives to them (qmp-protocol.md §7.6). */
import type { Pattern } from '../../oracle/patterns.js';
import { withoutBlanks, withPlainStrings } from '../../protocol/json.js';
import { done, faulty } from './shapes.js';
import { lacksExecute, notAnObject } from './texts.js';

export interface Vector {
  /** `QMP-VEC-…` for the rows of the table, else the row whose evidence it is. */
  readonly id: string;
  readonly title: string;
  /** One character a byte. */
  readonly input: string;
  readonly baseline: readonly Pattern[];
  /** Under the rules of 7.2 and later; absent: as baseline. */
  readonly strict?: readonly Pattern[];
  /** Rows that it is evidence for, besides its own. */
  readonly rows?: readonly string[];
  /** What releases with a known defect answer to an input of its own. */
  readonly defect?: { readonly id: string; readonly input: string; readonly replies: readonly Pattern[] };
}

const parse = (text: string): Pattern => faulty(`JSON parse error, ${text}`);

/** The command of the vectors, and the same with an id written as given. */
export const CMD = '{"execute":"query-version"}';
export const withId = (text: string): string => `{"execute":"query-version","id":${text}}`;

export const R = done();
export const S = faulty('Invalid JSON syntax');
export const O = faulty(notAnObject);
/** An empty object, or one without `execute`. */
export const E = faulty(lacksExecute);
export const V = parse('expecting value');
export const Y = parse('key is not a string in object');
export const C = parse('missing : in object pair');
export const M = parse('Missing value in dict');
export const D = parse('expected separator in dict');
export const L = parse('expected separator in list');
export const U = parse('duplicate key');
export const B = parse('invalid UTF-8 sequence in string');
export const Q = parse('invalid escape sequence in string');
export const K = (word: string): Pattern => parse(`invalid keyword '${word}'`);
export const T = (text: string): Pattern => parse(`stray '${text}'`);
/** The escapes `source`, which make no character. */
export const N = (source: string): Pattern => parse(`${source} is not a valid Unicode character`);

/** What is quoted of a byte that is no text. */
export const BAD = '\uFFFD';

export const times = (count: number, pattern: Pattern): Pattern[] => Array.from({ length: count }, () => pattern);

/** A success whose id stands there as `id` does, once both are read by `reading`. Blanks between tokens are free. */
const echoing = (id: string, reading: (text: string) => string): Pattern => ({
  words: `success with "id": ${id}`,
  test: ({ text, kind }) => {
    // Two members, in either order: what remains around the id must be the rest of the reply.
    const written = withoutBlanks(reading(text));
    const at = written.indexOf('"id":');
    const after = written.slice(at + 5);
    const own = withoutBlanks(reading(id));
    return kind === 'success' && at >= 0 && [`${own}}`, `${own},"return":`].some((tail) => after.startsWith(tail));
  },
});
/** Success, with an id of just these tokens. */
export const echoAsWritten = (id: string): Pattern => echoing(id, (text) => text);
/** Success, with this id: its numbers as they are written, its strings as they are read. */
export const echo = (id: string): Pattern => echoing(id, withPlainStrings);
