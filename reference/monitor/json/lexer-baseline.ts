/** The baseline's lexer (qmp-protocol.md §7.1): after an error it goes on with the very next byte (QMP-LEX-01). */
import { addNumbersAndWords, commonRules, emit, hexDigit, type LexerTable } from './lexer-table.js';
import { Token } from './token.js';

function build(): LexerTable {
  const table = addNumbersAndWords(commonRules(), [[0x00, 0x7f]]);
  for (const [state, quote] of [
    ['double quoted', '"'],
    ['single quoted', "'"],
  ] as const) {
    table
      .on(state, [[0x01, 0xbf]], state)
      .on(state, [[0xc2, 0xf4]], state)
      .on(state, ['\\'], `${state} escape`)
      .on(state, [quote], emit + Token.string)
      .on(`${state} escape`, ['bfnrt/\\\'"'], state)
      .on(`${state} escape`, ['u'], `${state} u1`)
      .on(`${state} u1`, hexDigit, `${state} u2`)
      .on(`${state} u2`, hexDigit, `${state} u3`)
      .on(`${state} u3`, hexDigit, `${state} u4`)
      .on(`${state} u4`, hexDigit, state);
  }
  // Directives: d i p s u f, ld lu, lld llu, I64d I64u.
  table
    .on('start', ['%'], 'directive')
    .on('directive', ['dipsuf'], emit + Token.directive)
    .on('directive', ['l'], 'directive l')
    .on('directive l', ['du'], emit + Token.directive)
    .on('directive l', ['l'], 'directive long')
    .on('directive', ['I'], 'directive I')
    .on('directive I', ['6'], 'directive I6')
    .on('directive I6', ['4'], 'directive long')
    .on('directive long', ['du'], emit + Token.directive);
  return table.build();
}

export const baselineLexer: LexerTable = build();
