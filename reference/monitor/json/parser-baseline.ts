import { simpleEscapes } from './escapes.js';
import type { ParserRules } from './parser.js';
import { encodeCodePoint } from './text.js';

/** The lexer has vouched for every escape; each `\uXXXX` stands alone (QMP-STR-02) and `\u0000` vanishes (QMP-STR-03). */
function unquote(token: string): string {
  const body = token.slice(1, -1);
  if (!body.includes('\\')) return body;
  return body.replace(/\\(?:u(....)|(.))/gs, (_escape, hex: string | undefined, letter: string) => {
    if (hex === undefined) return simpleEscapes[letter]!;
    const codePoint = Number.parseInt(hex, 16);
    return codePoint === 0 ? '' : encodeCodePoint(codePoint);
  });
}

/** The baseline's parser (qmp-protocol.md §7.3, §7.4). */
export const baselineParser: ParserRules = { blame: 'outermost', duplicateKeys: 'last-wins', unquote };
