/**
 * Tokens of the schema language: JSON's punctuation, strings in single quotes, `true` and `false`, comments from `#` to
 * the end of the line. A comment that is just `##` opens a doc block, which the next such line closes.
 */
import { fail, type Source } from './source.js';

export type Token = Punctuation | StringToken | DocToken;

interface Punctuation {
  readonly kind: '{' | '}' | '[' | ']' | ':' | ',' | 'true' | 'false' | 'end';
  readonly offset: number;
}

export interface StringToken {
  readonly kind: 'string';
  readonly value: string;
  readonly offset: number;
}

export interface DocToken {
  readonly kind: 'doc';
  /** The lines between the two `##`, as they stand; {@link docLines} takes the `#` off. */
  readonly text: string;
  readonly offset: number;
}

const blank = /(?:[ \t\r\n]+|#(?!#)[^\n]*)+/y;
const plainString = /'([^'\\\n]*)'/y;
const word = /[A-Za-z0-9_.+-]+/y;
const wholeBlock = /##[ \t\r]*\n((?:[ \t]*#(?!#)[^\n]*\n)*)[ \t]*##[ \t\r]*(?=\n|$)/y;
const unprintable = /[^\x20-\x7e]/;

/** All tokens of a source; the last one is `end`. */
export function tokens(source: Source): Token[] {
  const { text } = source;
  const found: Token[] = [];
  let offset = 0;
  for (;;) {
    blank.lastIndex = offset;
    if (blank.test(text)) offset = blank.lastIndex;
    const char = text[offset];
    if (char === undefined) {
      found.push({ kind: 'end', offset });
      return found;
    }
    if (char === "'") {
      const [value, next] = string(source, offset);
      found.push({ kind: 'string', value, offset });
      offset = next;
    } else if (char === '#') {
      const [block, next] = docBlock(source, offset);
      found.push({ kind: 'doc', text: block, offset });
      offset = next;
    } else if (isPunctuation(char)) {
      found.push({ kind: char, offset });
      offset += 1;
    } else {
      const kind = keyword(source, offset);
      found.push({ kind, offset });
      offset += kind.length;
    }
  }
}

const isPunctuation = (char: string): char is '{' | '}' | '[' | ']' | ':' | ',' => '{}[]:,'.includes(char);

function keyword(source: Source, offset: number): 'true' | 'false' {
  word.lastIndex = offset;
  const text = word.exec(source.text)?.[0];
  if (text === 'true' || text === 'false') return text;
  if (source.text[offset] === '"') fail({ source, offset }, 'strings stand in single quotes here, not in double ones');
  const shown = text ?? String.fromCodePoint(source.text.codePointAt(offset)!);
  return fail({ source, offset }, `unexpected ${JSON.stringify(shown)}`);
}

/** The value of the string that starts at `offset`, and the offset behind it. */
function string(source: Source, offset: number): [string, number] {
  plainString.lastIndex = offset;
  const plain = plainString.exec(source.text);
  if (plain) {
    const bad = plain[1]!.search(unprintable);
    if (bad !== -1) fail({ source, offset: offset + 1 + bad }, 'only printable ASCII characters may stand in a string');
    return [plain[1]!, plainString.lastIndex];
  }
  return escapedString(source, offset);
}

const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  '/': '/',
  "'": "'",
  '"': '"',
};

function escapedString(source: Source, start: number): [string, number] {
  const { text } = source;
  let value = '';
  for (let offset = start + 1; ; ) {
    const char = text[offset];
    if (char === undefined || char === '\n') return fail({ source, offset: start }, 'this string has no closing quote');
    if (char === "'") return [value, offset + 1];
    if (char !== '\\') {
      if (unprintable.test(char)) fail({ source, offset }, 'only printable ASCII characters may stand in a string');
      value += char;
      offset += 1;
      continue;
    }
    const next = text[offset + 1] ?? '';
    const code = next === 'u' ? /^[0-9a-fA-F]{4}/.exec(text.slice(offset + 2, offset + 6))?.[0] : undefined;
    if (code !== undefined) {
      const number = Number.parseInt(code, 16);
      if (number === 0 || number > 0x7f) fail({ source, offset }, `\\u${code} is not an ASCII character`);
      value += String.fromCharCode(number);
      offset += 6;
    } else {
      const escaped = Object.hasOwn(escapes, next) ? escapes[next] : undefined;
      if (escaped === undefined) return fail({ source, offset }, `unknown escape '\\${next.trim()}' in a string`);
      value += escaped;
      offset += 2;
    }
  }
}

/** The text of the doc block that starts at `start`, and the offset behind its closing `##`. */
function docBlock(source: Source, start: number): [string, number] {
  wholeBlock.lastIndex = start;
  const whole = wholeBlock.exec(source.text);
  return whole ? [whole[1]!, wholeBlock.lastIndex] : badDocBlock(source, start);
}

/** Says what is wrong with the doc block that starts at `start`. */
function badDocBlock(source: Source, start: number): never {
  const { text } = source;
  for (let offset = start; ; ) {
    const newline = text.indexOf('\n', offset);
    const line = text.slice(offset, newline === -1 ? text.length : newline).trim();
    if (offset === start && line !== '##')
      fail({ source, offset }, "'##' opens a doc block, nothing may follow it on its line");
    if (offset > start && line.startsWith('##'))
      fail({ source, offset }, "'##' closes a doc block, nothing may follow it on its line");
    if (newline === -1 || !line.startsWith('#'))
      fail({ source, offset: start }, "this doc block is not closed by a line '##'");
    offset = newline + 1;
  }
}

/** The lines of a doc block without their `#` and the blank after it. */
export function docLines(token: DocToken): string[] {
  return token.text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.trim().replace(/^# ?/, ''));
}
