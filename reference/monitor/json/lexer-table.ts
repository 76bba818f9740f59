/**
 * A lexer is a table: for each state and byte, the next state or an action. The tables of both rule sets are written down
 * with {@link LexerTableBuilder}; the engine that runs them is in lexer.ts.
 */
import { Token } from './token.js';

/** State in which a token may begin. */
export const start = 0;
/** Entries below this are states: the byte is consumed. */
export const firstAction = 64;
/** Plus a token kind: the byte ends the token and belongs to it. */
export const emit = 64;
/** Plus a token kind: the token ended before this byte, which is looked at again from the start state. */
export const emitBefore = 96;
/** The byte is a lexical error, and consumed. */
export const error = 128;
/** No token; the byte is looked at again from the start state. */
export const restart = 129;

export interface LexerTable {
  /** Entry at `state * 256 + byte`. */
  readonly entries: Uint8Array;
  /** State after a lexical error. */
  readonly afterError: number;
}

/** Inclusive ranges of bytes, and strings of single bytes. */
export type ByteSet = readonly (string | readonly [first: number, last: number])[];

export const digit: ByteSet = ['0123456789'];
export const hexDigit: ByteSet = ['0123456789abcdefABCDEF'];

function* bytesOf(set: ByteSet): Generator<number> {
  for (const item of set) {
    if (typeof item === 'string') yield* Buffer.from(item, 'latin1');
    else for (let byte = item[0]; byte <= item[1]; byte++) yield byte;
  }
}

/** Names states on first use; bytes that no rule mentions are lexical errors. */
export class LexerTableBuilder {
  readonly #states = new Map<string, number>([['start', start]]);
  readonly #entries = new Uint8Array(firstAction * 256).fill(error);

  state(name: string): number {
    const state = this.#states.get(name) ?? this.#states.size;
    this.#states.set(name, state);
    return state;
  }

  /** In state `name`, each byte of `set` leads to `entry`: a state's name or an action. Later rules win. */
  on(name: string, set: ByteSet, entry: string | number): this {
    const row = this.state(name) * 256;
    const value = typeof entry === 'string' ? this.state(entry) : entry;
    for (const byte of bytesOf(set)) this.#entries[row + byte] = value;
    return this;
  }

  build(afterError = 'start'): LexerTable {
    return { entries: this.#entries.slice(0, this.#states.size * 256), afterError: this.state(afterError) };
  }
}

/** The rules that both sets share: punctuation, blanks, and where strings, numbers and words begin (qmp-protocol.md §7.1). */
export function commonRules(): LexerTableBuilder {
  const table = new LexerTableBuilder()
    .on('start', [' \t\n\r'], start)
    .on('start', ['{'], emit + Token.leftBrace)
    .on('start', ['}'], emit + Token.rightBrace)
    .on('start', ['['], emit + Token.leftBracket)
    .on('start', [']'], emit + Token.rightBracket)
    .on('start', [':'], emit + Token.colon)
    .on('start', [','], emit + Token.comma)
    .on('start', ['"'], 'double quoted')
    .on('start', ["'"], 'single quoted')
    .on('start', ['0'], 'zero')
    .on('start', ['123456789'], 'digits')
    .on('start', ['-'], 'minus')
    .on('start', [[0x61, 0x7a]], 'word')
    .on('minus', ['0'], 'zero')
    .on('minus', ['123456789'], 'digits');
  return table;
}

/** Numbers and words, which end before the first byte of `ends` that does not belong to them. */
export function addNumbersAndWords(table: LexerTableBuilder, ends: ByteSet): LexerTableBuilder {
  return table
    .on('zero', ends, emitBefore + Token.integer)
    .on('zero', digit, error)
    .on('zero', ['.'], 'point')
    .on('digits', ends, emitBefore + Token.integer)
    .on('digits', digit, 'digits')
    .on('digits', ['.'], 'point')
    .on('digits', ['eE'], 'exponent')
    .on('point', digit, 'fraction')
    .on('fraction', ends, emitBefore + Token.float)
    .on('fraction', digit, 'fraction')
    .on('fraction', ['eE'], 'exponent')
    .on('exponent', ['+-'], 'exponent sign')
    .on('exponent', digit, 'exponent digits')
    .on('exponent sign', digit, 'exponent digits')
    .on('exponent digits', ends, emitBefore + Token.float)
    .on('exponent digits', digit, 'exponent digits')
    .on('word', ends, emitBefore + Token.word)
    .on('word', [[0x61, 0x7a]], 'word');
}
