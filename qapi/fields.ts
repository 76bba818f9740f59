/** Reading the keys that definitions share: conditions, features, flags, references to types, lists of members. */
import { article } from './article.js';
import type { Context } from './context.js';
import { checkMemberName, checkName, sameName } from './names.js';
import type { Entry, Node, ObjectNode } from './nodes.js';
import { builtinNames, type Feature, type Member, type TypeRef } from './schema.js';
import { fail, type Position } from './source.js';

/** Refuses every key that is not listed. */
export function checkKeys(node: ObjectNode, known: readonly string[], owner: string): void {
  for (const { key, at } of node.entries.values())
    if (!known.includes(key)) fail(at, `unknown key '${key}' in ${owner}; it may have ${known.join(', ')}`);
}

export function requireEntry(node: ObjectNode, key: string, owner: string): Entry {
  return node.entries.get(key) ?? fail(node.at, `${owner} lacks the key '${key}'`);
}

export function stringAt(node: Node, what: string): string {
  return node.kind === 'string' ? node.value : fail(node.at, `${what} must be a string`);
}

/** A key that holds true or false; `fallback` where it is absent. */
export function flag(node: ObjectNode, key: string, fallback: boolean): boolean {
  const entry = node.entries.get(key);
  if (!entry) return fallback;
  return entry.value.kind === 'bool' ? entry.value.value : fail(entry.value.at, `'${key}' must be true or false`);
}

/** The `if` of a node as one expression text: lists and `all` become `A && B`, `any` `A || B`, `not` `!A`. */
export function condition(node: ObjectNode): { if?: string } {
  const entry = node.entries.get('if');
  return entry ? { if: conditionText(entry.value, false) } : {};
}

function conditionText(node: Node, nested: boolean): string {
  if (node.kind === 'string') {
    if (node.value.trim() === '') fail(node.at, "the condition of 'if' is empty");
    return node.value;
  }
  if (node.kind === 'list') return joined(node, ' && ', nested);
  if (node.kind !== 'object')
    return fail(node.at, "'if' needs a string, a list, or an object with 'all', 'any' or 'not'");
  const [only, second] = node.entries.values();
  if (!only || second) return fail(node.at, "a condition has exactly one of 'all', 'any' and 'not'");
  if (only.key === 'all') return joined(only.value, ' && ', nested);
  if (only.key === 'any') return joined(only.value, ' || ', nested);
  if (only.key === 'not') return `!${conditionText(only.value, true)}`;
  return fail(only.at, `unknown key '${only.key}' in a condition; it may have all, any, not`);
}

function joined(node: Node, operator: string, nested: boolean): string {
  if (node.kind !== 'list') return fail(node.at, 'a list of conditions is needed here');
  if (node.items.length === 0) return fail(node.at, 'this list of conditions is empty');
  const parts = node.items.map((item) => conditionText(item, node.items.length > 1));
  const text = parts.join(operator);
  return nested && parts.length > 1 ? `(${text})` : text;
}

/** The `features` of a node: names, or objects of name and condition. */
export function features(node: ObjectNode): Feature[] {
  const entry = node.entries.get('features');
  if (!entry) return [];
  if (entry.value.kind !== 'list') return fail(entry.value.at, "'features' must be a list");
  const found = entry.value.items.map((item): Feature => {
    const feature = namedItem(item, ['name', 'if'], 'a feature');
    checkName(feature.name, item.at, 'a feature');
    return { name: feature.name, ...(feature.node ? condition(feature.node) : {}) };
  });
  unique(
    found.map(({ name }, index) => ({ name, at: (entry.value as { items: readonly Node[] }).items[index]!.at })),
    'feature',
  );
  return found;
}

/** An item that is a plain string, or an object with `name` and more. */
export function namedItem(
  item: Node,
  keys: readonly string[],
  what: string,
): { readonly name: string; readonly node?: ObjectNode } {
  if (item.kind === 'string') return { name: item.value };
  if (item.kind !== 'object') return fail(item.at, `${what} is a string, or an object with 'name'`);
  checkKeys(item, keys, what);
  return { name: stringAt(requireEntry(item, 'name', what).value, "'name'"), node: item };
}

/** Refuses names that are equal, or would be after translation into an identifier. */
export function unique(items: readonly { readonly name: string; readonly at: Position }[], what: string): void {
  const seen = new Map<string, string>();
  for (const { name, at } of items) {
    const before = seen.get(sameName(name));
    if (before === name) fail(at, `${what} '${name}' is given twice`);
    if (before !== undefined) fail(at, `${what} '${name}' cannot be told from '${before}'`);
    seen.set(sameName(name), name);
  }
}

/** A reference: `'T'` or `['T']`. That `T` exists is asked later. */
export function typeRef(context: Context, node: Node, what: string): TypeRef {
  const list = node.kind === 'list';
  const item = list ? node.items[0] : node;
  if (list && node.items.length !== 1) return fail(node.at, `${what}: a list type names exactly one element type`);
  if (item?.kind !== 'string') return fail(node.at, `${what} must name a type, as 'T' or ['T']`);
  const name = item.value;
  context.later(() => {
    if (!builtinNames.has(name)) context.requireType(name, item.at);
  });
  return { name, list };
}

/** A member with the place of its name, for later complaints. */
export interface PlacedMember extends Member {
  readonly at: Position;
}

/** The members of an inline object. */
export function members(context: Context, node: ObjectNode, owner: string): PlacedMember[] {
  const found = [...node.entries.values()].map(({ key, at, value }): PlacedMember => {
    const optional = key.startsWith('*');
    const name = optional ? key.slice(1) : key;
    checkMemberName(name, at, `a member of ${owner}`);
    const what = `the type of member '${name}'`;
    if (value.kind !== 'object') return { name, at, optional, type: typeRef(context, value, what), features: [] };
    checkKeys(value, ['type', 'if', 'features'], `member '${name}' of ${owner}`);
    const type = typeRef(context, requireEntry(value, 'type', `member '${name}' of ${owner}`).value, what);
    return { name, at, optional, type, ...condition(value), features: features(value) };
  });
  unique(found, 'member');
  return found;
}

/** The members as the Schema keeps them. */
export const withoutPlaces = (placed: readonly PlacedMember[]): Member[] => placed.map(({ at, ...member }) => member);

/** Inline members, refusing anything but an object. */
export function inlineMembers(context: Context, entry: Entry, owner: string): PlacedMember[] {
  if (entry.value.kind !== 'object') return fail(entry.value.at, `'${entry.key}' of ${owner} must be an object`);
  return members(context, entry.value, owner);
}

/** Name of a struct, asked for later; `role` says what it is needed for. */
export function structName(context: Context, node: Node, role: string): string {
  const name = stringAt(node, role);
  context.later(() => {
    if (builtinNames.has(name)) fail(node.at, `${role} must be a struct, '${name}' is a builtin type`);
    const { kind } = context.requireType(name, node.at);
    if (kind !== 'struct') fail(node.at, `${role} must be a struct, '${name}' is ${article(kind)}`);
  });
  return name;
}
