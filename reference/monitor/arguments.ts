/** Checks a command's arguments in QEMU's order and words (qmp-protocol.md §8), and gives them the form handlers get. */
import type { AlternateType, CommandDefinition, Member, Schema, TypeDefinition, TypeRef } from '../../qapi/schema.js';
import type { ProtocolRules } from '../dialects/protocol.js';
import { CommandError } from '../migration/host.js';
import { checkBuiltin, isBeyondSigned, plainValue, wrongType } from './builtin-arguments.js';
import { decodeText } from './json/text.js';
import type { JsonObject, JsonValue } from './json/value.js';

export type Arguments = Record<string, unknown>;

/** A record in which a member may have any name. */
const emptyRecord = (): Arguments => Object.create(null) as Arguments;

/** What became of arguments that were checked. */
interface Checked {
  readonly schema: Schema;
  readonly command: CommandDefinition;
  readonly rules: ProtocolRules;
  readonly result: Readonly<Arguments> | CommandError;
}

/** A line that is read again has the same arguments: who judges a conversation checks what the monitor has checked. */
const checkedLast = new WeakMap<JsonObject, Checked>();

/**
 * The arguments of a call of `command`, checked: integers as bigint, numbers as number, strings as text.
 * @throws CommandError naming the first fault.
 */
export function checkArguments(
  schema: Schema,
  command: CommandDefinition,
  given: JsonObject | undefined,
  rules: ProtocolRules,
): Readonly<Arguments> {
  if (given === undefined) return check(schema, command, new Map<string, JsonValue>(), rules);
  const last = checkedLast.get(given);
  const same = last?.schema === schema && last.command === command && last.rules === rules;
  const result = same ? last.result : resultOf(schema, command, given, rules);
  if (!same) checkedLast.set(given, { schema, command, rules, result });
  if (result instanceof CommandError) throw result;
  return result;
}

function resultOf(...call: Parameters<typeof check>): Checked['result'] {
  try {
    return check(...call);
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
}

function check(schema: Schema, command: CommandDefinition, given: JsonObject, rules: ProtocolRules): Arguments {
  if (!command.gen) return plainValue(given) as Arguments;
  return new ArgumentChecker(schema, rules).object(command.arguments, given, '');
}

class ArgumentChecker {
  constructor(
    private readonly schema: Schema,
    private readonly rules: ProtocolRules,
  ) {}

  /** Members in the order of their declaration, then what is left over (QMP-ARG-30..32). */
  object(type: string | undefined, given: JsonObject, path: string): Arguments {
    const checked = emptyRecord();
    const known = this.#visit(type, given, path, checked);
    if (known < given.size) {
      for (const name of given.keys()) {
        if (!(name in checked)) throw new CommandError(`Parameter '${join(path, decodeText(name))}' is unexpected`);
      }
    }
    return checked;
  }

  /**
   * The members of the type, then those of the branch that they choose, which may be a union in turn.
   * @returns how many were there
   */
  #visit(type: string | undefined, given: JsonObject, path: string, into: Arguments): number {
    const count = this.#members(this.schema.membersOf(type), given, path, into);
    const definition = type === undefined ? undefined : this.schema.types.get(type);
    if (definition?.kind !== 'union') return count;
    const branch = definition.branches.find(({ value }) => value === into[definition.discriminator]);
    return branch === undefined ? count : count + this.#visit(branch.type.name, given, path, into);
  }

  #members(members: readonly Member[], given: JsonObject, path: string, into: Arguments): number {
    let count = 0;
    for (const { name, type, optional } of members) {
      const value = given.get(name);
      if (value === undefined) {
        if (optional) continue;
        throw new CommandError(`Parameter '${join(path, name)}' is missing`);
      }
      count++;
      into[name] = this.#value(type, value, join(path, name), name);
    }
    return count;
  }

  /** `name` is the bare member name, which some texts show in place of the path; elements of arrays have none. */
  #value(type: TypeRef, value: JsonValue, path: string, name: string): unknown {
    if (type.list) {
      if (!Array.isArray(value)) throw wrongType(path, 'array');
      return value.map((element, index) =>
        this.#value({ name: type.name, list: false }, element, `${path}[${index}]`, 'null'),
      );
    }
    const definition = this.schema.types.get(type.name);
    if (definition !== undefined) return this.#defined(definition, value, path, name);
    // Introspection calls every integer type 'int': what only an unsigned one holds may be right (QMP-ARG-07).
    const unsigned = this.schema.origin === 'introspection' && isBeyondSigned(value);
    return checkBuiltin(unsigned && type.name === 'int' ? 'uint64' : type.name, value, path, name);
  }

  #defined(type: TypeDefinition, value: JsonValue, path: string, name: string): unknown {
    switch (type.kind) {
      case 'enum': {
        if (typeof value !== 'string') throw wrongType(path, 'string');
        if (type.values.some((known) => known.name === value)) return value;
        throw new CommandError(this.rules.enumError(name, decodeText(value)));
      }
      case 'alternate':
        return this.#alternate(type, value, path, name);
      default:
        if (!(value instanceof Map)) throw wrongType(path, 'object');
        return this.object(type.name, value, path);
    }
  }

  #alternate(type: AlternateType, value: JsonValue, path: string, name: string): unknown {
    const branch = type.branches.find((candidate) => this.#accepts(candidate.type, value));
    // In these texts real monitors show the bare name, whatever the path.
    if (branch === undefined) throw wrongType(name, type.name);
    return this.#value(branch.type, value, path, name);
  }

  /** Whether the JSON type of `value` is that of the alternate's branch. */
  #accepts(type: TypeRef, value: JsonValue): boolean {
    if (type.list) return Array.isArray(value);
    switch (type.name) {
      case 'str':
        return typeof value === 'string';
      case 'null':
        return value === null;
      case 'bool':
        return typeof value === 'boolean';
      case 'number':
        return typeof value === 'number' || typeof value === 'bigint';
    }
    const kind = this.schema.types.get(type.name)?.kind;
    if (kind === 'enum') return typeof value === 'string';
    return kind === undefined ? typeof value === 'bigint' : value instanceof Map;
  }
}

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);
