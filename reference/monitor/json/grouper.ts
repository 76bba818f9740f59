import type { Limits } from './limits.js';
import { Token } from './token.js';

export type Exceeded = 'nesting depth' | 'token count' | 'token size';

/** Collects tokens until the brackets balance (qmp-protocol.md §7.2). Braces and square brackets are counted apart. */
export class Grouper {
  /** Tokens collected so far: kind and text at the same index. */
  readonly kinds: number[] = [];
  readonly texts: string[] = [];
  #braces = 0;
  #brackets = 0;
  #bytes = 0;

  constructor(readonly limits: Limits) {}

  /** Adds a token. `true`: the tokens make a message now (QMP-GRP-01); a text: the limit that the token exceeds. */
  add(kind: number, text: string): boolean | Exceeded {
    if (kind === Token.leftBrace) this.#braces++;
    else if (kind === Token.rightBrace) this.#braces--;
    else if (kind === Token.leftBracket) this.#brackets++;
    else if (kind === Token.rightBracket) this.#brackets--;
    this.#bytes += text.length || 1;
    if (this.#bytes > this.limits.tokenBytes) return 'token size';
    if (this.kinds.length >= this.limits.tokens) return 'token count';
    if (this.#braces + this.#brackets > this.limits.nesting) return 'nesting depth';
    this.kinds.push(kind);
    this.texts.push(text);
    return this.#braces < 0 || this.#brackets < 0 || (this.#braces === 0 && this.#brackets === 0);
  }

  /** Forgets the tokens and the counts. */
  clear(): void {
    this.kinds.length = 0;
    this.texts.length = 0;
    this.#braces = 0;
    this.#brackets = 0;
    this.#bytes = 0;
  }
}
