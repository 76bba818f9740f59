/** Names that a target's schema lists for the enums of migration; introspection hides the names of the types. */
import type { Schema } from './schema.js';

/** Values of the enum that a member of a command's argument has, in order; of a list, those of the element's member. */
export function enumOf(schema: Schema, command: string, member: string, inner?: string): readonly string[] {
  const found = schema.membersOf(schema.commands.get(command)?.arguments).find(({ name }) => name === member);
  let type = schema.types.get(found?.type.name ?? '');
  if (inner !== undefined) {
    const members = type?.kind === 'struct' || type?.kind === 'union' ? schema.members(type) : [];
    type = schema.types.get(members.find(({ name }) => name === inner)?.type.name ?? '');
  }
  return type?.kind === 'enum' ? type.values.map(({ name }) => name) : [];
}

export const statusesOf = (schema: Schema): readonly string[] => enumOf(schema, 'migrate-continue', 'state');
export const capabilitiesOf = (schema: Schema): readonly string[] =>
  enumOf(schema, 'migrate-set-capabilities', 'capabilities', 'capability');
