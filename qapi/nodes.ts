/** Expressions of the schema language as a tree that remembers where everything stands. */
import type { DocToken, Token } from './lexer.js';
import { fail, type Position, type Source } from './source.js';

export type Node = StringNode | BoolNode | ListNode | ObjectNode;

export interface StringNode {
  readonly kind: 'string';
  readonly value: string;
  readonly at: Position;
}

export interface BoolNode {
  readonly kind: 'bool';
  readonly value: boolean;
  readonly at: Position;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly Node[];
  readonly at: Position;
}

export interface Entry {
  readonly key: string;
  /** Where the key stands. */
  readonly at: Position;
  readonly value: Node;
}

export interface ObjectNode {
  readonly kind: 'object';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly at: Position;
}

/** Schemas nest four deep; the limit only keeps hostile text from exhausting the stack. */
const maximumDepth = 100;

/** Reads the top-level objects of a file one after the other, each with the doc block right before it. */
export class NodeReader {
  #next = 0;

  constructor(
    readonly source: Source,
    private readonly tokens: readonly Token[],
  ) {}

  /** The next top-level object, or doc block, or undefined at the end. */
  next(): ObjectNode | DocToken | undefined {
    const token = this.#peek();
    if (token.kind === 'end') return undefined;
    if (token.kind === 'doc') {
      this.#next += 1;
      return token;
    }
    if (token.kind !== '{') return this.#unexpected("'{', which starts every definition");
    return this.#object(0);
  }

  #peek(): Token {
    return this.tokens[this.#next]!;
  }

  #at(token: Token): Position {
    return { source: this.source, offset: token.offset };
  }

  #unexpected(wanted: string): never {
    const token = this.#peek();
    const found =
      token.kind === 'string'
        ? `'${token.value}'`
        : token.kind === 'end'
          ? 'the end of the file'
          : token.kind === 'doc'
            ? 'a doc block'
            : `'${token.kind}'`;
    return fail(this.#at(token), `expected ${wanted}, found ${found}`);
  }

  /** Consumes a token of that kind if it comes next. */
  #accept(kind: Token['kind']): boolean {
    if (this.#peek().kind !== kind) return false;
    this.#next += 1;
    return true;
  }

  #node(depth: number): Node {
    const token = this.#peek();
    if (depth > maximumDepth) fail(this.#at(token), `nested more than ${maximumDepth} deep`);
    if (token.kind === '{') return this.#object(depth);
    if (token.kind === '[') return this.#list(depth);
    if (token.kind === 'string') {
      this.#next += 1;
      return { kind: 'string', value: token.value, at: this.#at(token) };
    }
    if (token.kind === 'true' || token.kind === 'false') {
      this.#next += 1;
      return { kind: 'bool', value: token.kind === 'true', at: this.#at(token) };
    }
    return this.#unexpected("a string, 'true', 'false', '{' or '['");
  }

  #object(depth: number): ObjectNode {
    const at = this.#at(this.#peek());
    this.#next += 1;
    const entries = new Map<string, Entry>();
    if (this.#accept('}')) return { kind: 'object', entries, at };
    for (;;) {
      const key = this.#peek();
      if (key.kind !== 'string') return this.#unexpected(entries.size === 0 ? "a string or '}'" : 'a string');
      this.#next += 1;
      if (!this.#accept(':')) this.#unexpected("':'");
      if (entries.has(key.value)) fail(this.#at(key), `'${key.value}' is given twice`);
      entries.set(key.value, { key: key.value, at: this.#at(key), value: this.#node(depth + 1) });
      if (this.#accept('}')) return { kind: 'object', entries, at };
      if (!this.#accept(',')) this.#unexpected("',' or '}'");
    }
  }

  #list(depth: number): ListNode {
    const at = this.#at(this.#peek());
    this.#next += 1;
    const items: Node[] = [];
    if (this.#accept(']')) return { kind: 'list', items, at };
    for (;;) {
      items.push(this.#node(depth + 1));
      if (this.#accept(']')) return { kind: 'list', items, at };
      if (!this.#accept(',')) this.#unexpected("',' or ']'");
    }
  }
}
