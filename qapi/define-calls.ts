/** Commands and events: from expression to definition. */
import { article } from './article.js';
import { type Context, provenance } from './context.js';
import type { Expression } from './expressions.js';
import { checkKeys, condition, features, flag, members, stringAt, typeRef, withoutPlaces } from './fields.js';
import { checkName } from './names.js';
import { builtinNames } from './schema.js';
import { fail } from './source.js';

const commandKeys = [
  'command',
  'data',
  'boxed',
  'returns',
  'gen',
  'success-response',
  'allow-oob',
  'allow-preconfig',
  'coroutine',
  'if',
  'features',
];

export function defineCommand(context: Context, expression: Expression): void {
  const { name, node, at } = expression;
  const owner = `command '${name}'`;
  checkName(name, at, 'a command');
  checkKeys(node, commandKeys, owner);
  const data = argumentsName(context, expression, owner);
  const returns = node.entries.get('returns');
  // Only says how the command is compiled, so nothing keeps it; it cannot be combined with out-of-band execution.
  if (flag(node, 'coroutine', false) && flag(node, 'allow-oob', false))
    fail(node.entries.get('coroutine')!.at, `${owner} cannot be a coroutine and allowed out of band`);
  context.add(
    {
      kind: 'command',
      name,
      ...(data !== undefined && { arguments: data }),
      ...(returns && { returns: typeRef(context, returns.value, `the result of ${owner}`) }),
      boxed: flag(node, 'boxed', false),
      gen: flag(node, 'gen', true),
      successResponse: flag(node, 'success-response', true),
      allowOob: flag(node, 'allow-oob', false),
      allowPreconfig: flag(node, 'allow-preconfig', false),
      ...condition(node),
      features: features(node),
      ...provenance(expression),
    },
    at,
  );
}

export function defineEvent(context: Context, expression: Expression): void {
  const { name, node, at } = expression;
  const owner = `event '${name}'`;
  checkName(name, at, 'an event');
  checkKeys(node, ['event', 'data', 'boxed', 'if', 'features'], owner);
  const data = argumentsName(context, expression, owner);
  context.add(
    {
      kind: 'event',
      name,
      ...(data !== undefined && { data }),
      boxed: flag(node, 'boxed', false),
      ...condition(node),
      features: features(node),
      ...provenance(expression),
    },
    at,
  );
}

/** Name of the type that holds the `data`: the one given, or an implicit struct of the inline members. */
function argumentsName(context: Context, { name, node, at }: Expression, owner: string): string | undefined {
  const entry = node.entries.get('data');
  const boxed = flag(node, 'boxed', false);
  if (!entry) {
    if (boxed) fail(node.entries.get('boxed')!.at, `${owner} is boxed but has no 'data'`);
    return undefined;
  }
  const { value } = entry;
  if (value.kind === 'object') {
    if (boxed) fail(value.at, `${owner} is boxed, so its 'data' must name a type`);
    const own = members(context, value, owner);
    if (own.length === 0) return undefined;
    const implicit = `q_obj_${name}-arg`;
    context.add({ kind: 'struct', name: implicit, members: withoutPlaces(own), ...condition(node), features: [] }, at);
    return implicit;
  }
  const type = stringAt(value, `'data' of ${owner}, if it is not an object,`);
  context.later(() => {
    if (builtinNames.has(type)) fail(value.at, `'data' of ${owner} must be an object type, '${type}' is a builtin`);
    const { kind } = context.requireType(type, value.at);
    if (kind !== 'struct' && !(kind === 'union' && boxed)) {
      const wanted = boxed ? 'a struct or union' : "a struct (a union needs 'boxed': true)";
      fail(value.at, `'data' of ${owner} must be ${wanted}, '${type}' is ${article(kind)}`);
    }
  });
  return type;
}
