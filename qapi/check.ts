/** Turns the definitions of a text into a Schema, or refuses them. */
import { Context } from './context.js';
import { defineCommand, defineEvent } from './define-calls.js';
import { defineAlternate, defineEnum, defineStruct } from './define-types.js';
import { defineUnion } from './define-union.js';
import type { Expression, ExpressionKind } from './expressions.js';
import { unique } from './fields.js';
import { type Definition, Schema, type StructType, type UnionType } from './schema.js';
import { fail, type Position } from './source.js';

const define: Readonly<Record<ExpressionKind, (context: Context, expression: Expression) => void>> = {
  enum: defineEnum,
  struct: defineStruct,
  union: defineUnion,
  alternate: defineAlternate,
  command: defineCommand,
  event: defineEvent,
};

/**
 * Checks each definition, then everything that needs to know the others. Throws QapiError. `trusted` leaves out the second
 * half and the doc blocks, for a text that a test has seen to be right: it saves half the time.
 */
export function buildSchema(expressions: readonly Expression[], { trusted = false } = {}): Schema {
  const context = new Context();
  for (const expression of expressions) define[expression.kind](context, expression);
  const schema = new Schema(context.definitions.values());
  if (!trusted) checkWhole(context, schema, expressions);
  return schema;
}

function checkWhole(context: Context, schema: Schema, expressions: readonly Expression[]): void {
  context.settle();
  for (const { name, at } of expressions) {
    const definition = context.definitions.get(name)!;
    if (definition.kind === 'struct' || definition.kind === 'union') checkContents(context, definition, at);
  }
  for (const expression of expressions) checkDoc(schema, context.definitions.get(expression.name)!, expression);
}

/** A struct or union must be finite and name each of its members once, those of bases and branches included. */
function checkContents(context: Context, type: StructType | UnionType, at: Position): void {
  collect(context, type, at, [], []);
}

type Named = { readonly name: string; readonly at: Position };

function collect(
  context: Context,
  type: StructType | UnionType,
  at: Position,
  inherited: readonly Named[],
  chain: readonly string[],
): readonly Named[] {
  if (chain.includes(type.name)) fail(at, `'${type.name}' contains itself: ${[...chain, type.name].join(' -> ')}`);
  const within = [...chain, type.name];
  const base = type.base === undefined ? undefined : context.type(type.base);
  const above = base?.kind === 'struct' ? collect(context, base, at, inherited, within) : inherited;
  const own = [...above, ...type.members.map(({ name }) => ({ name, at }))];
  unique(own, `in '${chain[0] ?? type.name}', member`);
  if (type.kind === 'union') {
    for (const branch of type.branches) {
      const variant = context.type(branch.type.name);
      if (variant?.kind === 'struct' || variant?.kind === 'union') collect(context, variant, at, own, within);
    }
  }
  return own;
}

/** Every documented member and feature must exist. */
function checkDoc(schema: Schema, definition: Definition, { doc }: Expression): void {
  if (!doc) return;
  const known = documentable(schema, definition);
  for (const name of Object.keys(doc.members))
    if (!known.has(name)) fail(doc.at, `the doc block of '${doc.name}' describes '@${name}', which it does not have`);
  const features = new Set(featureNames(definition));
  for (const name of doc.parts.featureNames)
    if (!features.has(name))
      fail(doc.at, `the doc block of '${doc.name}' describes a feature '@${name}', which it does not have`);
}

function documentable(schema: Schema, definition: Definition): ReadonlySet<string> {
  switch (definition.kind) {
    case 'enum':
      return new Set(definition.values.map(({ name }) => name));
    case 'alternate':
      return new Set(definition.branches.map(({ name }) => name));
    case 'struct':
      return new Set(schema.members(definition).map(({ name }) => name));
    case 'union':
      return new Set([
        ...schema.members(definition).map(({ name }) => name),
        ...definition.branches.map(({ value }) => value),
      ]);
    case 'command':
      return new Set(schema.membersOf(definition.arguments).map(({ name }) => name));
    case 'event':
      return new Set(schema.membersOf(definition.data).map(({ name }) => name));
  }
}

/** Features of a definition and of its members: a doc block may describe either. */
function featureNames(definition: Definition): string[] {
  const own = definition.features.map(({ name }) => name);
  if (definition.kind === 'enum')
    return [...own, ...definition.values.flatMap(({ features }) => features.map(({ name }) => name))];
  if (definition.kind === 'struct' || definition.kind === 'union')
    return [...own, ...definition.members.flatMap(({ features }) => features.map(({ name }) => name))];
  return own;
}
