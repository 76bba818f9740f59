/** What is declared of an argument. Introspection does not show how wide an integer is; releases of an age agree on that. */
import type { Member, Schema } from '../../qapi/schema.js';
import { type Dialect, type DialectName, dialectNames } from '../dialects/dialect.js';
import { loadSchema } from './index.js';

/** An argument of a command, and the schema that its type stands in. */
export interface Declared {
  readonly member: Member;
  readonly schema: Schema;
}

/** Names of the dialects whose types hold for a release of this dialect, the best first. */
function sourcesOf({ name, migration }: Dialect): readonly DialectName[] {
  const [oldest, ...later] = dialectNames;
  if (migration.parametersWrap) return [oldest];
  return [name, ...later].filter((one) => one !== oldest);
}

/** An argument of a command as the dialect declares it; where it has none of that name, as a newer one that has. */
export function declaredMember(dialect: Dialect, command: string, name: string): Declared | undefined {
  for (const source of sourcesOf(dialect)) {
    const schema = loadSchema(source);
    const member = schema.membersOf(schema.commands.get(command)?.arguments).find((one) => one.name === name);
    if (member !== undefined) return { member, schema };
  }
  return undefined;
}
