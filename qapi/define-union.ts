/** Unions: flat ones as they are; simple ones, the older style, as the flat union that they stand for. */
import { article } from './article.js';
import { type Context, provenance } from './context.js';
import type { Expression } from './expressions.js';
import {
  checkKeys,
  condition,
  features,
  members,
  requireEntry,
  stringAt,
  structName,
  typeRef,
  unique,
  withoutPlaces,
} from './fields.js';
import { checkEnumValue, checkTypeName } from './names.js';
import type { Entry } from './nodes.js';
import { builtinNames, type Member, type TypeRef, type UnionBranch } from './schema.js';
import { fail, type Position } from './source.js';

interface PlacedBranch extends UnionBranch {
  readonly at: Position;
}

export function defineUnion(context: Context, expression: Expression): void {
  const { name, node, at } = expression;
  const owner = `union '${name}'`;
  checkTypeName(name, at, 'a union');
  checkKeys(node, ['union', 'data', 'base', 'discriminator', 'if', 'features'], owner);
  const { value: data } = requireEntry(node, 'data', owner);
  if (data.kind !== 'object') fail(data.at, `'data' of ${owner} must be an object`);
  if (data.entries.size === 0) fail(data.at, `${owner} needs at least one branch`);
  const branches = [...data.entries.values()].map((entry) => branch(context, entry, owner));
  unique(
    branches.map(({ value, at }) => ({ name: value, at })),
    'branch',
  );
  const base = node.entries.get('base');
  const discriminator = node.entries.get('discriminator');
  if (base && !discriminator) fail(base.at, `${owner} has a base but lacks a 'discriminator'`);
  if (!discriminator) {
    defineSimple(context, expression, branches);
    return;
  }
  if (!base) fail(discriminator.at, `${owner} has a discriminator but lacks the 'base' that contains it`);
  const tag = stringAt(discriminator.value, "'discriminator'");
  const common: { base?: string; members: Member[] } =
    base.value.kind === 'object'
      ? { members: withoutPlaces(members(context, base.value, `the base of ${owner}`)) }
      : { base: structName(context, base.value, `the base of ${owner}`), members: [] };
  for (const { type, at, value } of branches)
    context.later(() => checkBranchType(context, type, at, `branch '${value}' of ${owner}`));
  context.later(() => checkTag(context, { ...common, tag, at: discriminator.value.at, branches, owner }));
  context.add(
    {
      kind: 'union',
      name,
      ...common,
      discriminator: tag,
      branches: withoutBranchPlaces(branches),
      ...condition(node),
      features: features(node),
      ...provenance(expression),
    },
    at,
  );
}

function branch(context: Context, { key, at, value }: Entry, owner: string): PlacedBranch {
  checkEnumValue(key, at);
  const what = `the type of branch '${key}'`;
  if (value.kind !== 'object') return { value: key, at, type: typeRef(context, value, what) };
  checkKeys(value, ['type', 'if'], `branch '${key}' of ${owner}`);
  const type = typeRef(context, requireEntry(value, 'type', `branch '${key}' of ${owner}`).value, what);
  return { value: key, at, type, ...condition(value) };
}

const withoutBranchPlaces = (branches: readonly PlacedBranch[]): UnionBranch[] =>
  branches.map(({ at, ...rest }) => rest);

function checkBranchType(context: Context, type: TypeRef, at: Position, what: string): void {
  if (type.list || builtinNames.has(type.name)) fail(at, `${what} must have a struct or union type`);
  const { kind } = context.requireType(type.name, at);
  if (kind !== 'struct' && kind !== 'union') fail(at, `${what} must have a struct or union type, not ${article(kind)}`);
}

interface TagQuestion {
  readonly base?: string;
  readonly members: readonly Member[];
  readonly tag: string;
  readonly at: Position;
  readonly branches: readonly PlacedBranch[];
  readonly owner: string;
}

/** The discriminator is a plain, unconditional member of the base whose type is an enum that knows every branch. */
function checkTag(context: Context, { base, members, tag, at, branches, owner }: TagQuestion): void {
  const found = [...baseMembers(context, base), ...members].find((member) => member.name === tag);
  if (!found) fail(at, `discriminator '${tag}' is not a member of the base of ${owner}`);
  if (found.optional) fail(at, `discriminator '${tag}' of ${owner} is optional`);
  if (found.if !== undefined) fail(at, `discriminator '${tag}' of ${owner} is conditional`);
  const type = found.type.list ? undefined : context.type(found.type.name);
  if (type?.kind !== 'enum') fail(at, `discriminator '${tag}' of ${owner} must have an enum type`);
  const values = new Set(type.values.map((value) => value.name));
  for (const { value, at } of branches)
    if (!values.has(value)) fail(at, `branch '${value}' of ${owner} is not a value of '${type.name}'`);
}

/** Members of a struct and its bases. A circle of bases ends the walk: it is reported elsewhere. */
function baseMembers(context: Context, name: string | undefined): Member[] {
  const found: Member[] = [];
  const seen = new Set<string>();
  for (let next = name; next !== undefined && !seen.has(next); ) {
    seen.add(next);
    const type = context.type(next);
    if (type?.kind !== 'struct') return found;
    found.unshift(...type.members);
    next = type.base;
  }
  return found;
}

/** `{type: BRANCH, data: …}` on the wire: an implicit enum, and a wrapper around the type of each branch. */
function defineSimple(context: Context, expression: Expression, branches: readonly PlacedBranch[]): void {
  const { name, node, at } = expression;
  const kindName = `${name}Kind`;
  const values = branches.map((branch) => ({
    name: branch.value,
    ...(branch.if !== undefined && { if: branch.if }),
    features: [],
  }));
  context.add({ kind: 'enum', name: kindName, values, features: [] }, at);
  const wrapped = branches.map((branch) => {
    const wrapper = `q_obj_${branch.type.name}${branch.type.list ? 'List' : ''}-wrapper`;
    if (!context.definitions.has(wrapper)) {
      const data: Member = { name: 'data', type: branch.type, optional: false, features: [] };
      context.add({ kind: 'struct', name: wrapper, members: [data], features: [] }, branch.at);
    }
    return { ...branch, type: { name: wrapper, list: false } };
  });
  context.add(
    {
      kind: 'union',
      name,
      members: [{ name: 'type', type: { name: kindName, list: false }, optional: false, features: [] }],
      discriminator: 'type',
      branches: withoutBranchPlaces(wrapped),
      ...condition(node),
      features: features(node),
      ...provenance(expression),
    },
    at,
  );
}
