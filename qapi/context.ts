/** What the checker carries about: the definitions so far, and the questions that wait until all are known. */

import { article } from './article.js';
import type { Expression } from './expressions.js';
import { builtinNames, type Definition, type Doc, type Location, type TypeDefinition } from './schema.js';
import { fail, LazyLocation, locate, type Position } from './source.js';

/** Defined names live in one namespace, types beside commands and events. */
export class Context {
  readonly definitions = new Map<string, Definition>();
  readonly #places = new Map<string, Position>();
  readonly #questions: (() => void)[] = [];

  /** Adds a definition, implicit ones included; a second one of that name is refused. */
  add(definition: Definition, at: Position): void {
    const { name } = definition;
    if (builtinNames.has(name)) fail(at, `'${name}' is a builtin type and cannot be defined`);
    const before = this.#places.get(name);
    if (before) {
      const { file, line } = locate(before);
      const what = this.definitions.get(name)!.kind;
      fail(at, `'${name}' is already defined, as ${article(what)} at ${file}:${line}`);
    }
    this.definitions.set(name, definition);
    this.#places.set(name, at);
  }

  /** Asks a question once every name is defined. */
  later(question: () => void): void {
    this.#questions.push(question);
  }

  settle(): void {
    for (const question of this.#questions) question();
  }

  /** A defined type; undefined for names of commands and events, and for builtins. */
  type(name: string): TypeDefinition | undefined {
    const found = this.definitions.get(name);
    return found && found.kind !== 'command' && found.kind !== 'event' ? found : undefined;
  }

  /** A defined type, or the text of why there is none of that name. */
  requireType(name: string, at: Position): TypeDefinition {
    const found = this.type(name);
    if (found) return found;
    const other = this.definitions.get(name);
    return fail(at, other ? `'${name}' is ${article(other.kind)}, not a type` : `unknown type '${name}'`);
  }
}

/** Doc and place of a definition, as its Definition carries them. */
export function provenance({ doc, at }: Expression): { location: Location; doc?: Doc } {
  return { location: new LazyLocation(at), ...(doc && { doc }) };
}
