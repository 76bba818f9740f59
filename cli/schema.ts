/** `qmpspec schema`: look at the definitions of a dialect or a target, and at what a target changes. */
import { Command, Option } from 'commander';
import { closest, distance } from 'fastest-levenshtein';
import { compareSchemas, isCompatible } from '../qapi/compare.js';
import { fromIntrospection } from '../qapi/introspection.js';
import { toJsonSchema } from '../qapi/json-schema.js';
import { renderDefinition, renderOverview } from '../qapi/render.js';
import { renderDifferences } from '../qapi/render-differences.js';
import type { Definition, Schema } from '../qapi/schema.js';
import { type DialectName, dialectNames } from '../reference/dialects/dialect.js';
import { loadSchema, migrationEntities } from '../reference/schema/index.js';

/** Asks a target, named as on the command line, for its `query-qmp-schema` reply. */
export type Introspect = (target: string) => Promise<unknown>;

interface ShowOptions {
  readonly target?: string;
  readonly dialect: DialectName;
  readonly json?: true;
}

interface DiffOptions extends ShowOptions {
  readonly all?: true;
}

/**
 * The command with its subcommands. `diff` sets exit status 1 if the target breaks a client of the dialect; an unknown
 * name is a usage error, exit status 2. What `introspect` throws passes through.
 */
export function schemaCommand(
  introspect: Introspect,
  write: (text: string) => void = (text) => process.stdout.write(text),
): Command {
  const command = new Command('schema').description('show and compare the definitions of commands, events and types');
  const dialect = () =>
    new Option('--dialect <name>', 'definitions to use').choices(dialectNames).default(dialectNames[0]);

  const show = command
    .command('show')
    .description('show definitions: an overview, or the named commands, events and types in full')
    .argument('[name...]', 'commands, events and types')
    .option('-t, --target <name>', "show the target's own definitions and not those of a dialect")
    .addOption(dialect())
    .option('--json', 'JSON Schema instead of text')
    .action(async (names: string[], options: ShowOptions) => {
      const schema = options.target ? fromIntrospection(await introspect(options.target)) : loadSchema(options.dialect);
      const found = names.map((name) => lookUp(schema, name) ?? show.error(unknown(schema, name), { exitCode: 2 }));
      if (options.json) {
        const chosen = names.length > 0 ? found : [...schema.commands.values(), ...schema.events.values()];
        write(
          `${JSON.stringify(
            chosen.map((definition) => toJson(schema, definition)),
            null,
            2,
          )}\n`,
        );
      } else if (names.length === 0) {
        write(renderOverview(schema));
      } else {
        write(found.map((definition) => renderDefinition(schema, definition)).join('\n'));
      }
    });

  command
    .command('diff')
    .description('show what a target changes for a client of a dialect; exit status 1 if something breaks')
    .option('-t, --target <name>', 'target to compare', 'reference')
    .addOption(dialect())
    .option('--all', 'compare all commands and events, not just those of migration')
    .option('--json', 'JSON instead of text')
    .action(async (options: Required<Pick<DiffOptions, 'target'>> & DiffOptions) => {
      const other = fromIntrospection(await introspect(options.target));
      const base = loadSchema(options.dialect);
      const differences = compareSchemas(base, other, options.all ? {} : { only: migrationEntities() });
      if (options.json) write(`${JSON.stringify(differences, null, 2)}\n`);
      else write(renderDifferences(differences, `dialect ${options.dialect}`, options.target));
      if (!isCompatible(differences)) process.exitCode = 1;
    });
  return command;
}

const lookUp = (schema: Schema, name: string): Definition | undefined =>
  schema.commands.get(name) ?? schema.events.get(name) ?? schema.types.get(name);

/** Names farther than this from what was typed are no help. */
const maximumDistance = 4;

function unknown(schema: Schema, name: string): string {
  const types = schema.origin === 'text' ? [...schema.types.keys()] : [];
  const nearest = closest(name, [...schema.commands.keys(), ...schema.events.keys(), ...types]);
  const hint = nearest !== undefined && distance(name, nearest) <= maximumDistance ? ` Did you mean '${nearest}'?` : '';
  return `error: there is no command, event or type '${name}'.${hint}`;
}

function toJson(schema: Schema, definition: Definition): object {
  const { kind, name } = definition;
  const json = (type: string | undefined) =>
    type === undefined ? null : toJsonSchema(schema, { name: type, list: false });
  switch (definition.kind) {
    case 'command': {
      const { returns, allowOob } = definition;
      return {
        kind,
        name,
        arguments: json(definition.arguments),
        returns: returns ? toJsonSchema(schema, returns) : null,
        allowOob,
      };
    }
    case 'event':
      return { kind, name, data: json(definition.data) };
    default:
      return { kind, name, schema: json(name) };
  }
}
