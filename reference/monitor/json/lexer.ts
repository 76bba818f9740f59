import { emit, emitBefore, error, firstAction, type LexerTable, restart, start } from './lexer-table.js';
import { Token } from './token.js';

/** Longest token in bytes; the opening quote counts (QMP-LIM-05). */
export const maxTokenBytes = 64 * 1024 * 1024;

/** Runs a {@link LexerTable} over chunks of input; a token may span any number of chunks. */
export class Lexer {
  /** Kind of the token that {@link next} found; 0 if the chunk ended first. */
  kind = 0;
  /** Its bytes, one character each. Of an error: the partial token with the offending byte. Empty for punctuation. */
  text = '';

  readonly #entries: Uint8Array;
  readonly #afterError: number;
  readonly #maxTokenBytes: number;
  #state = start;
  // Bytes of the present token that came in earlier chunks.
  #carry = Buffer.alloc(0);
  #carried = 0;

  constructor(table: LexerTable, limit = maxTokenBytes) {
    this.#entries = table.entries;
    this.#afterError = table.afterError;
    this.#maxTokenBytes = limit;
  }

  /** No token has begun, and no error is being recovered from. */
  get resting(): boolean {
    return this.#state === start;
  }

  /** Reads on at `from`, up to the end of the next token; returns where to go on. */
  next(chunk: Buffer, from: number): number {
    const entries = this.#entries;
    let state = this.#state;
    let begin = from;
    let at = from;
    // Position of the byte that would make the token too long.
    let tooLong = from + this.#maxTokenBytes - this.#carried;
    while (at < chunk.length) {
      const entry = entries[(state << 8) | chunk[at]!]!;
      if (entry < firstAction) {
        at++;
        if (state === start || state === this.#afterError) {
          if (entry === start || entry === this.#afterError) begin = at;
          tooLong = begin + this.#maxTokenBytes;
        } else if (at > tooLong) {
          return this.#found(Token.tooLong, '', start, at);
        } else if (entry === state) {
          // Long strings spend their time here.
          const end = Math.min(chunk.length, tooLong);
          const row = state << 8;
          while (at < end && entries[row | chunk[at]!] === state) at++;
        }
        state = entry;
        continue;
      }
      if (entry === restart) {
        state = start;
        begin = at;
        tooLong = begin + this.#maxTokenBytes;
        continue;
      }
      if (entry === error) return this.#found(Token.error, this.#take(chunk, begin, at + 1), this.#afterError, at + 1);
      if (entry >= emitBefore) return this.#found(entry - emitBefore, this.#take(chunk, begin, at), start, at);
      const kind = entry - emit;
      at++;
      if (kind < Token.string) return this.#found(kind, '', start, at);
      if (at > tooLong) return this.#found(Token.tooLong, '', start, at);
      return this.#found(kind, this.#take(chunk, begin, at), start, at);
    }
    if (state !== start && state !== this.#afterError) this.#keep(chunk, begin);
    this.#state = state;
    this.kind = 0;
    return at;
  }

  #found(kind: number, text: string, state: number, at: number): number {
    this.kind = kind;
    this.text = text;
    this.#state = state;
    this.#carried = 0;
    if (this.#carry.length > 1 << 20) this.#carry = Buffer.alloc(0);
    return at;
  }

  #take(chunk: Buffer, begin: number, end: number): string {
    const text = chunk.toString('latin1', begin, end);
    return this.#carried === 0 ? text : this.#carry.toString('latin1', 0, this.#carried) + text;
  }

  #keep(chunk: Buffer, begin: number): void {
    const size = this.#carried + chunk.length - begin;
    if (size > this.#carry.length) {
      const larger = Buffer.allocUnsafe(Math.max(4096, size * 2));
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    chunk.copy(this.#carry, this.#carried, begin);
    this.#carried = size;
  }
}
