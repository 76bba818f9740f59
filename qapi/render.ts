/** Definitions as text for people. */
import { describeRef } from './describe.js';
import type { Definition, Doc, Feature, Member, Schema, TypeRef } from './schema.js';

/** All commands and events, one line each, in alphabetical order. */
export function renderOverview(schema: Schema): string {
  const commands = sorted(schema.commands.values()).map((command) => {
    const returns = command.returns ? ` -> ${describeRef(schema, command.returns)}` : '';
    return `  ${command.name}(${signature(schema, command.arguments)})${returns}`;
  });
  const events = sorted(schema.events.values()).map((event) => {
    const data = signature(schema, event.data);
    return `  ${event.name}${data === '' ? '' : `(${data})`}`;
  });
  return [`Commands (${commands.length})`, ...commands, '', `Events (${events.length})`, ...events, ''].join('\n');
}

/** One definition in full. Types that have no names of their own are spelled out where they are used. */
export function renderDefinition(schema: Schema, definition: Definition): string {
  const lines = [`${definition.kind} ${definition.name}${marks(definition.features)}`];
  const { doc } = definition;
  if (doc && doc.text !== '') lines.push(...doc.text.split('\n').map((line) => `  ${line}`.trimEnd()));
  lines.push(...body(schema, definition));
  for (const { name, text } of doc?.sections ?? []) lines.push(`  ${name}: ${text.replaceAll('\n', ' ')}`);
  return `${lines.join('\n')}\n`;
}

const sorted = <T extends { readonly name: string }>(definitions: Iterable<T>): T[] =>
  [...definitions].sort((a, b) => (a.name < b.name ? -1 : 1));

const marks = (features: readonly Feature[]): string =>
  features.length === 0 ? '' : ` [${features.map(({ name }) => name).join(', ')}]`;

function signature(schema: Schema, name: string | undefined): string {
  return schema
    .membersOf(name)
    .map((member) => `${member.name}${member.optional ? '?' : ''}: ${describeRef(schema, member.type)}`)
    .join(', ');
}

function body(schema: Schema, definition: Definition): string[] {
  const { doc } = definition;
  switch (definition.kind) {
    case 'enum':
      return table(
        definition.values.map((value) => ({
          indent: 2,
          left: `${value.name}${marks(value.features)}`,
          middle: '',
          right: docOf(doc, value.name),
        })),
      );
    case 'alternate':
      return table(
        definition.branches.map((branch) => ({
          indent: 2,
          left: describeRef(schema, branch.type),
          middle: '',
          right: docOf(doc, branch.name),
        })),
      );
    case 'struct':
    case 'union':
      return table(objectRows(schema, definition.name, 2, doc, []));
    case 'event':
      return definition.data === undefined
        ? ['  without data']
        : ['  data', ...table(objectRows(schema, definition.data, 4, doc, []))];
    case 'command': {
      const lines =
        definition.arguments === undefined
          ? ['  without arguments']
          : ['  arguments', ...table(objectRows(schema, definition.arguments, 4, doc, []))];
      lines.push(`  returns ${definition.returns ? describeRef(schema, definition.returns) : 'nothing'}`);
      if (definition.returns) lines.push(...table(nestedRows(schema, definition.returns, 4, [])));
      if (definition.allowOob) lines.push('  may be executed out of band');
      return lines;
    }
  }
}

interface Row {
  readonly indent: number;
  readonly left: string;
  readonly middle: string;
  readonly right: string;
}

/** Members of an object, and what its branches add. `within` ends circles. */
function objectRows(
  schema: Schema,
  name: string,
  indent: number,
  doc: Doc | undefined,
  within: readonly string[],
): Row[] {
  const type = schema.types.get(name);
  if (type?.kind !== 'struct' && type?.kind !== 'union') return [];
  if (within.includes(name)) return [{ indent, left: '(as above)', middle: '', right: '' }];
  const inside = [...within, name];
  const texts = doc ?? type.doc;
  const rows = schema.members(type).flatMap((member) => memberRows(schema, member, indent, texts, inside));
  if (type.kind === 'struct') return rows;
  return [
    ...rows,
    ...type.branches.flatMap((branch) => [
      { indent, left: `if ${type.discriminator} is ${branch.value}`, middle: '', right: '' },
      ...objectRows(schema, branch.type.name, indent + 2, undefined, inside),
    ]),
  ];
}

function memberRows(
  schema: Schema,
  member: Member,
  indent: number,
  doc: Doc | undefined,
  within: readonly string[],
): Row[] {
  const left = `${member.name}${member.optional ? '?' : ''}${marks(member.features)}`;
  const row = {
    indent,
    left,
    middle: describeRef(schema, member.type, Number.POSITIVE_INFINITY),
    right: docOf(doc, member.name),
  };
  return [row, ...nestedRows(schema, member.type, indent + 2, within)];
}

/** What is within a type that only has a number for a name; nothing for those that can be looked up. */
function nestedRows(schema: Schema, ref: TypeRef, indent: number, within: readonly string[]): Row[] {
  return schema.origin === 'text' ? [] : objectRows(schema, ref.name, indent, undefined, within);
}

/** Own entries only: a member may be called `constructor`. */
function docOf(doc: Doc | undefined, name: string): string {
  const text = doc && Object.hasOwn(doc.members, name) ? doc.members[name] : undefined;
  return (text ?? '').replaceAll('\n', ' ');
}

/** Widest column that the next one is still aligned behind. */
const maximumWidth = 32;

function table(rows: readonly Row[]): string[] {
  const width = (lengths: readonly number[]) => Math.max(0, ...lengths.filter((length) => length <= maximumWidth));
  // Headings stand alone on their line, so they push nothing aside.
  const cells = rows.filter((row) => row.middle !== '' || row.right !== '');
  const left = width(cells.map((row) => row.indent + row.left.length));
  const middle = width(rows.map((row) => row.middle.length));
  return rows.map((row) => {
    const start = `${' '.repeat(row.indent)}${row.left}`.padEnd(left);
    const rest = row.middle === '' ? row.right : `${row.middle.padEnd(middle)}  ${row.right}`;
    return `${start}  ${rest}`.trimEnd();
  });
}
