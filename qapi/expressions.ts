/** A schema text as the list of its definitions, still unchecked: includes are followed, pragmas applied. */
import { posix } from 'node:path';
import { type DocBlock, parseDoc } from './docs.js';
import { tokens } from './lexer.js';
import { NodeReader, type ObjectNode } from './nodes.js';
import { fail, type Position, Source } from './source.js';

const expressionKinds = ['enum', 'struct', 'union', 'alternate', 'command', 'event'] as const;
export type ExpressionKind = (typeof expressionKinds)[number];

/** One definition as written. */
export interface Expression {
  readonly kind: ExpressionKind;
  readonly name: string;
  readonly node: ObjectNode;
  readonly doc?: DocBlock;
  /** Where the name stands. */
  readonly at: Position;
}

export interface ReadOptions {
  /** Name of the text in error messages, and the place that includes are relative to. */
  readonly file?: string;
  /** Gives the text of an included file; its path is already resolved against the including file. */
  readonly include?: (path: string) => string;
}

/** Definitions of a text and of all that it includes, in order. Throws QapiError. */
export function readExpressions(text: string, options: ReadOptions = {}): Expression[] {
  const file = options.file ?? '<schema>';
  const reading = new Reading(options.include);
  reading.read(new Source(file, text), [posix.normalize(file)]);
  return reading.found;
}

class Reading {
  readonly found: Expression[] = [];
  readonly #done = new Set<string>();
  #docRequired = false;

  constructor(private readonly include: ((path: string) => string) | undefined) {}

  /** `chain`: the files that are being read right now, outermost first. */
  read(source: Source, chain: readonly string[]): void {
    const reader = new NodeReader(source, tokens(source));
    let doc: DocBlock | undefined;
    for (let item = reader.next(); item; item = reader.next()) {
      if (item.kind === 'doc') {
        if (doc) orphan(doc);
        doc = parseDoc(source, item);
        continue;
      }
      if (item.entries.has('include') || item.entries.has('pragma')) {
        if (doc) orphan(doc);
        if (item.entries.has('include')) this.#include(item, chain);
        else this.#pragma(item);
        continue;
      }
      this.#define(item, doc);
      doc = undefined;
    }
    if (doc) orphan(doc);
  }

  #define(node: ObjectNode, doc: DocBlock | undefined): void {
    const present = expressionKinds.filter((kind) => node.entries.has(kind));
    const [kind, second] = present;
    if (kind === undefined) {
      const keys = [...node.entries.keys()].map((key) => `'${key}'`).join(', ');
      fail(node.at, `no definition: one of the keys ${expressionKinds.join(', ')} is needed, found ${keys || 'none'}`);
    }
    if (second !== undefined) fail(node.entries.get(second)!.at, `'${second}' cannot stand beside '${kind}'`);
    const name = node.entries.get(kind)!.value;
    if (name.kind !== 'string') fail(name.at, `the name of this ${kind} must be a string`);
    if (doc && doc.name !== name.value)
      fail(doc.at, `this doc block describes '@${doc.name}', but '${name.value}' follows it`);
    if (!doc && this.#docRequired)
      fail(node.at, `${kind} '${name.value}' has no doc block, and the schema demands one`);
    this.found.push({ kind, name: name.value, node, at: name.at, ...(doc && { doc }) });
  }

  #include(node: ObjectNode, chain: readonly string[]): void {
    const { value } = node.entries.get('include')!;
    for (const entry of node.entries.values())
      if (entry.key !== 'include') fail(entry.at, `unknown key '${entry.key}' beside 'include'`);
    if (value.kind !== 'string' || value.value === '') fail(value.at, "'include' must be followed by a file name");
    const path = posix.normalize(posix.join(posix.dirname(chain.at(-1)!), value.value));
    const resolved = posix.isAbsolute(value.value) ? posix.normalize(value.value) : path;
    if (chain.includes(resolved))
      fail(value.at, `files include each other in a circle: ${[...chain, resolved].join(' -> ')}`);
    if (this.#done.has(resolved)) return;
    this.#done.add(resolved);
    if (!this.include) fail(value.at, `cannot include '${value.value}': no way to read other files was given`);
    let text: string;
    try {
      text = this.include(resolved);
    } catch (error) {
      fail(value.at, `cannot include '${resolved}': ${error instanceof Error ? error.message : String(error)}`);
    }
    this.read(new Source(resolved, text), [...chain, resolved]);
  }

  /**
   * `doc-required` is obeyed. The lists of exceptions only concern conventions (naming, result types) that this parser
   * does not enforce, so they are checked for form and otherwise ignored.
   */
  #pragma(node: ObjectNode): void {
    const { value } = node.entries.get('pragma')!;
    for (const entry of node.entries.values())
      if (entry.key !== 'pragma') fail(entry.at, `unknown key '${entry.key}' beside 'pragma'`);
    if (value.kind !== 'object') fail(value.at, "'pragma' must be followed by an object");
    for (const { key, at, value: setting } of value.entries.values()) {
      if (key === 'doc-required') {
        if (setting.kind !== 'bool') fail(setting.at, "'doc-required' must be true or false");
        this.#docRequired = setting.value;
      } else if (listPragmas.has(key)) {
        if (setting.kind !== 'list' || setting.items.some((item) => item.kind !== 'string'))
          fail(setting.at, `'${key}' must be a list of strings`);
      } else {
        fail(at, `unknown pragma '${key}'`);
      }
    }
  }
}

const listPragmas: ReadonlySet<string> = new Set([
  'returns-whitelist',
  'name-case-whitelist',
  'command-name-exceptions',
  'command-returns-exceptions',
  'member-name-exceptions',
  'documentation-exceptions',
]);

function orphan(doc: DocBlock): never {
  return fail(doc.at, `the doc block of '@${doc.name}' is not followed by its definition`);
}
