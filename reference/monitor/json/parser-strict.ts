import { simpleEscapes } from './escapes.js';
import { Fault, type ParserRules } from './parser.js';
import { decodeSequence, encodeCodePoint, isNoncharacter } from './text.js';

/** U+0000 inside a string is kept in its two-byte form, so that no lookup finds such a name (QMP-D-31). */
const nul = '\xc0\x80';

/** Four hex digits at `at`, or -1. */
function hex4(text: string, at: number): number {
  const digits = text.slice(at, at + 4);
  return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
}

/** One `\u` escape, or a proper pair of them, whose backslash is at `at` (QMP-D-27). */
function unicodeEscape(token: string, at: number): { readonly text: string; readonly length: number } | Fault {
  let codePoint = hex4(token, at + 2);
  let length = 6;
  if (codePoint >= 0xd800 && codePoint <= 0xdbff && token.startsWith('\\u', at + 6)) {
    const trailing = hex4(token, at + 8);
    if (trailing >= 0xdc00 && trailing <= 0xdfff) {
      codePoint = 0x10000 + ((codePoint & 0x3ff) << 10) + (trailing & 0x3ff);
      length = 12;
    }
  }
  const surrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  if (codePoint < 0 || surrogate || isNoncharacter(codePoint))
    return new Fault(`${token.slice(at, at + length)} is not a valid Unicode character`);
  return { text: codePoint === 0 ? nul : encodeCodePoint(codePoint), length };
}

/** Raw text must be modified UTF-8 (QMP-D-28). */
function wellFormed(bytes: string): boolean {
  if (!/[\x80-\xff]/.test(bytes)) return true;
  for (let at = 0; at < bytes.length; ) {
    const { codePoint, length } = decodeSequence(bytes, at);
    if (codePoint < 0) return false;
    at += length;
  }
  return true;
}

function unquote(token: string): string | Fault {
  const end = token.length - 1;
  let text = '';
  for (let at = 1; at < end; ) {
    let backslash = token.indexOf('\\', at);
    if (backslash < 0) backslash = end;
    const plain = token.slice(at, backslash);
    if (!wellFormed(plain)) return new Fault('invalid UTF-8 sequence in string');
    text += plain;
    at = backslash;
    if (at >= end) break;
    const letter = token[at + 1]!;
    if (letter === 'u') {
      const decoded = unicodeEscape(token, at);
      if (decoded instanceof Fault) return decoded;
      text += decoded.text;
      at += decoded.length;
    } else {
      const simple = simpleEscapes[letter];
      if (simple === undefined) return new Fault('invalid escape sequence in string');
      text += simple;
      at += 2;
    }
  }
  return text;
}

/** The parser of 7.2 and 10.0 (QMP-D-25..28). */
export const strictParser: ParserRules = { blame: 'innermost', duplicateKeys: 'fault', unquote };
