/** The lexer of 7.2 and 10.0 (QMP-D-20..24): after an error it skips to a byte at which a message may start anew. */
import { addNumbersAndWords, type ByteSet, commonRules, emit, type LexerTable, restart } from './lexer-table.js';
import { Token } from './token.js';

const text: ByteSet = [[0x20, 0xfd]];

function build(): LexerTable {
  const table = addNumbersAndWords(commonRules(), [[0x00, 0xff]]);
  for (const [state, quote] of [
    ['double quoted', '"'],
    ['single quoted', "'"],
  ] as const) {
    table
      .on(state, text, state)
      .on(state, ['\\'], `${state} escape`)
      .on(state, [quote], emit + Token.string)
      .on(`${state} escape`, text, state);
  }
  table
    .on('recovery', [[0x00, 0xff]], 'recovery')
    .on('recovery', [[0x00, 0x1f], [0xfe, 0xff], '{}[]:,'], restart)
    .on('recovery', ['\t'], 'recovery');
  return table.build('recovery');
}

export const strictLexer: LexerTable = build();
