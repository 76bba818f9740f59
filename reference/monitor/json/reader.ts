import type { ProtocolRules } from '../../dialects/protocol.js';
import { type Exceeded, Grouper } from './grouper.js';
import { Lexer } from './lexer.js';
import { baselineLexer } from './lexer-baseline.js';
import { strictLexer } from './lexer-strict.js';
import type { LexerTable } from './lexer-table.js';
import { type Limits, limits } from './limits.js';
import { LineMemory } from './line-memory.js';
import { Fault, Parser, type ParserRules } from './parser.js';
import { baselineParser } from './parser-baseline.js';
import { strictParser } from './parser-strict.js';
import { decodeText } from './text.js';
import { Token } from './token.js';
import type { Message } from './value.js';

interface Rules {
  readonly lexer: LexerTable;
  readonly parser: ParserRules;
  /** Reply to a lexical error whose partial token, offending byte included, was `text`. */
  readonly lexicalError: (text: string) => string;
  readonly limitError: (limit: Exceeded) => string;
  readonly memory: LineMemory;
}

const invalidSyntax = 'Invalid JSON syntax';

const ruleSets: Readonly<Record<ProtocolRules['json'], Rules>> = {
  baseline: {
    lexer: baselineLexer,
    parser: baselineParser,
    lexicalError: () => invalidSyntax,
    limitError: () => invalidSyntax,
    memory: new LineMemory(),
  },
  strict: {
    lexer: strictLexer,
    parser: strictParser,
    lexicalError: (text) => `JSON parse error, stray '${decodeText(text.split('\0', 1)[0]!)}'`,
    limitError: (limit) => `JSON ${limit} limit exceeded`,
    memory: new LineMemory(),
  },
};

// The text after the prefix goes through a buffer of this many bytes (QMP-ERR-06).
const maxFaultBytes = 1023;

function describe(fault: Fault): string {
  return fault.text === '' ? invalidSyntax : `JSON parse error, ${decodeText(fault.text.slice(0, maxFaultBytes))}`;
}

/** Bytes in, messages out: lexer, grouper and parser of one connection, with their recovery from bad input. */
export class JsonReader {
  /** The message that the last {@link read} completed, if it did. */
  message: Message | undefined;

  readonly #rules: Rules;
  readonly #lexer: Lexer;
  readonly #grouper: Grouper;
  /** With other bounds a line may mean something else. */
  readonly #memory: LineMemory | undefined;

  constructor(json: ProtocolRules['json'], bounds: Limits = limits) {
    this.#rules = ruleSets[json];
    this.#lexer = new Lexer(this.#rules.lexer, bounds.tokenBytes);
    this.#grouper = new Grouper(bounds);
    this.#memory = bounds === limits ? this.#rules.memory : undefined;
  }

  /** Nothing of what has come has a bearing on what comes next. */
  get resting(): boolean {
    return this.#lexer.resting && this.#grouper.kinds.length === 0;
  }

  /**
   * Reads `chunk` from `from` up to the end of the next message and returns where to go on: the same byte, where it ended
   * a number or word (QMP-TRANS-08). `message` is left undefined if the chunk ended first.
   */
  read(chunk: Buffer, from: number): number {
    const whole = from === 0 && LineMemory.fits(chunk.length) && this.resting;
    if (!whole || this.#memory === undefined) return this.#readOn(chunk, from);
    const text = chunk.toString('latin1');
    const known = this.#memory.get(text);
    if (known !== undefined) {
      this.message = known.message;
      return known.end;
    }
    const end = this.#readOn(chunk, from);
    if (this.message !== undefined && this.resting) this.#memory.set(text, this.message, end);
    return end;
  }

  /** The message of a line that was read before, of one character a byte; `undefined` where it is to be read. */
  recall(line: string): Message | undefined {
    if (this.#memory === undefined || !LineMemory.fits(line.length) || !this.resting) return undefined;
    const known = this.#memory.get(line);
    return known?.alone === true ? known.message : undefined;
  }

  #readOn(chunk: Buffer, from: number): number {
    this.message = undefined;
    let at = from;
    while (this.message === undefined) {
      at = this.#lexer.next(chunk, at);
      if (this.#lexer.kind === 0) break;
      this.message = this.#token(this.#lexer.kind, this.#lexer.text);
    }
    return at;
  }

  /** The message that the token completes, if it does. */
  #token(kind: number, text: string): Message | undefined {
    if (kind === Token.error) return this.#refuse(this.#rules.lexicalError(text));
    if (kind === Token.tooLong) return this.#refuse(this.#rules.limitError('token size'));
    const added = this.#grouper.add(kind, text);
    if (added === false) return undefined;
    if (added !== true) return this.#refuse(this.#rules.limitError(added));
    const value = new Parser(this.#rules.parser, this.#grouper.kinds, this.#grouper.texts).parse();
    this.#grouper.clear();
    return value instanceof Fault ? { ok: false, desc: describe(value) } : { ok: true, value };
  }

  #refuse(desc: string): Message {
    this.#grouper.clear();
    return { ok: false, desc };
  }
}
