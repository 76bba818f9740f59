/** Enums, structs and alternates: from expression to definition. Unions have a file of their own. */
import { article } from './article.js';
import { type Context, provenance } from './context.js';
import type { Expression } from './expressions.js';
import {
  checkKeys,
  condition,
  features,
  inlineMembers,
  namedItem,
  requireEntry,
  stringAt,
  structName,
  typeRef,
  unique,
  withoutPlaces,
} from './fields.js';
import { checkEnumValue, checkMemberName, checkName, checkTypeName } from './names.js';
import { type EnumValue, integerRanges, type TypeRef } from './schema.js';
import { fail } from './source.js';

export function defineEnum(context: Context, expression: Expression): void {
  const { name, node, at } = expression;
  const owner = `enum '${name}'`;
  checkTypeName(name, at, 'an enum');
  checkKeys(node, ['enum', 'data', 'prefix', 'if', 'features'], owner);
  const { value: data } = requireEntry(node, 'data', owner);
  if (data.kind !== 'list') fail(data.at, `'data' of ${owner} must be a list`);
  const values = data.items.map((item): EnumValue => {
    const value = namedItem(item, ['name', 'if', 'features'], `a value of ${owner}`);
    checkEnumValue(value.name, item.at);
    return {
      name: value.name,
      ...(value.node && condition(value.node)),
      features: value.node ? features(value.node) : [],
    };
  });
  unique(
    values.map((value, index) => ({ name: value.name, at: data.items[index]!.at })),
    'value',
  );
  const prefix = node.entries.get('prefix');
  if (prefix) checkName(stringAt(prefix.value, "'prefix'"), prefix.value.at, 'a prefix');
  context.add(
    {
      kind: 'enum',
      name,
      values,
      ...(prefix && { prefix: stringAt(prefix.value, "'prefix'") }),
      ...condition(node),
      features: features(node),
      ...provenance(expression),
    },
    at,
  );
}

export function defineStruct(context: Context, expression: Expression): void {
  const { name, node, at } = expression;
  const owner = `struct '${name}'`;
  checkTypeName(name, at, 'a struct');
  checkKeys(node, ['struct', 'data', 'base', 'if', 'features'], owner);
  const members = inlineMembers(context, requireEntry(node, 'data', owner), owner);
  const base = node.entries.get('base');
  context.add(
    {
      kind: 'struct',
      name,
      ...(base && { base: structName(context, base.value, `the base of ${owner}`) }),
      members: withoutPlaces(members),
      ...condition(node),
      features: features(node),
      ...provenance(expression),
    },
    at,
  );
}

export function defineAlternate(context: Context, expression: Expression): void {
  const { name, node, at } = expression;
  const owner = `alternate '${name}'`;
  checkTypeName(name, at, 'an alternate');
  checkKeys(node, ['alternate', 'data', 'if', 'features'], owner);
  const { value: data } = requireEntry(node, 'data', owner);
  if (data.kind !== 'object') fail(data.at, `'data' of ${owner} must be an object`);
  if (data.entries.size === 0) fail(data.at, `${owner} needs at least one branch`);
  const branches = [...data.entries.values()].map((entry) => {
    checkMemberName(entry.key, entry.at, `a branch of ${owner}`);
    const { value } = entry;
    const what = `the type of branch '${entry.key}'`;
    if (value.kind !== 'object') return { name: entry.key, at: entry.at, type: typeRef(context, value, what) };
    checkKeys(value, ['type', 'if'], `branch '${entry.key}' of ${owner}`);
    const type = typeRef(context, requireEntry(value, 'type', `branch '${entry.key}'`).value, what);
    return { name: entry.key, at: entry.at, type, ...condition(value) };
  });
  unique(branches, 'branch');
  context.later(() => {
    const seen = new Map<string, string>();
    for (const branch of branches) {
      const kind = jsonKind(context, branch.type);
      if (kind === undefined) {
        const { kind: what } = context.type(branch.type.name) ?? { kind: 'builtin' };
        const shown = `${article(what)} type, '${branch.type.name}'`;
        return fail(branch.at, `branch '${branch.name}' of ${owner} cannot have ${shown}`);
      }
      const before = seen.get(kind);
      if (before !== undefined)
        fail(branch.at, `branch '${branch.name}' of ${owner} cannot be told from '${before}': both are JSON ${kind}s`);
      seen.set(kind, branch.name);
    }
  });
  context.add(
    {
      kind: 'alternate',
      name,
      branches: branches.map(({ at, ...branch }) => branch),
      ...condition(node),
      features: features(node),
      ...provenance(expression),
    },
    at,
  );
}

/** JSON type that values of a type have; undefined where it is not just one. */
function jsonKind(context: Context, { name, list }: TypeRef): string | undefined {
  if (list) return 'array';
  if (name === 'number' || Object.hasOwn(integerRanges, name)) return 'number';
  if (name === 'str' || name === 'QType') return 'string';
  if (name === 'bool') return 'boolean';
  if (name === 'null') return 'null';
  const type = context.type(name);
  if (type === undefined || type.kind === 'alternate') return undefined;
  return type.kind === 'enum' ? 'string' : 'object';
}
