/**
 * The Schema model: what a QAPI text or a `query-qmp-schema` reply says, in one shape that both produce and everything
 * else (validators, comparison, generators, the reference monitor's argument checks) reads.
 */

/** Integer builtins of the schema language, and the values each accepts on the wire. */
export const integerRanges = {
  int: [-(2n ** 63n), 2n ** 63n - 1n],
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  size: [0n, 2n ** 64n - 1n],
} as const satisfies Record<string, readonly [bigint, bigint]>;

export type IntegerName = keyof typeof integerRanges;
/** Types that need no definition. `any` is every JSON value; `QType` never appears on the wire. */
export type BuiltinName = IntegerName | 'str' | 'number' | 'bool' | 'null' | 'any' | 'QType';

export const builtinNames: ReadonlySet<string> = new Set<BuiltinName>([
  ...(Object.keys(integerRanges) as IntegerName[]),
  'str',
  'number',
  'bool',
  'null',
  'any',
  'QType',
]);

/** A use of a type: a builtin or defined name, or a list of it. QAPI has no lists of lists. */
export interface TypeRef {
  readonly name: string;
  readonly list: boolean;
}

/** Where a definition stands in its source text; absent for schemas that came from introspection. */
export interface Location {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in characters. */
  readonly column: number;
}

export interface Feature {
  readonly name: string;
  readonly if?: string;
}

/** A doc block, split as the schema language defines it. */
export interface Doc {
  readonly text: string;
  /** Text of each `@member:` paragraph. */
  readonly members: Readonly<Record<string, string>>;
  /** `Returns:`, `Since:`, `Note:`, `Example:` and `Features:` sections, in order. */
  readonly sections: readonly { readonly name: string; readonly text: string }[];
}

interface Common {
  readonly name: string;
  readonly if?: string;
  readonly features: readonly Feature[];
  readonly doc?: Doc;
  readonly location?: Location;
}

export interface Member {
  readonly name: string;
  readonly type: TypeRef;
  readonly optional: boolean;
  readonly if?: string;
  readonly features: readonly Feature[];
}

export interface EnumValue {
  readonly name: string;
  readonly if?: string;
  readonly features: readonly Feature[];
}

export interface EnumType extends Common {
  readonly kind: 'enum';
  readonly values: readonly EnumValue[];
  readonly prefix?: string;
}

export interface StructType extends Common {
  readonly kind: 'struct';
  /** Name of the struct whose members come first. */
  readonly base?: string;
  /** Own members only; {@link Schema.members} gives them with the base's, base first. */
  readonly members: readonly Member[];
}

export interface UnionBranch {
  /** The discriminator's value. */
  readonly value: string;
  readonly type: TypeRef;
  readonly if?: string;
}

/** A flat union: common members, one of them an enum that chooses the branch whose members are added. */
export interface UnionType extends Common {
  readonly kind: 'union';
  readonly base?: string;
  readonly members: readonly Member[];
  readonly discriminator: string;
  readonly branches: readonly UnionBranch[];
}

/** Chosen by the JSON type of the value. */
export interface AlternateType extends Common {
  readonly kind: 'alternate';
  readonly branches: readonly { readonly name: string; readonly type: TypeRef; readonly if?: string }[];
}

export type TypeDefinition = EnumType | StructType | UnionType | AlternateType;

export interface CommandDefinition extends Common {
  readonly kind: 'command';
  /** Name of the struct or union that holds the arguments; absent when there are none. Implicit ones are defined too. */
  readonly arguments?: string;
  /** Absent: the command returns `{}`. */
  readonly returns?: TypeRef;
  readonly boxed: boolean;
  readonly allowOob: boolean;
  readonly allowPreconfig: boolean;
  readonly successResponse: boolean;
  readonly gen: boolean;
}

export interface EventDefinition extends Common {
  readonly kind: 'event';
  /** Name of the struct that holds the data; absent when the event has none. */
  readonly data?: string;
  readonly boxed: boolean;
}

export type Definition = TypeDefinition | CommandDefinition | EventDefinition;

/** A complete schema. Lookups by name are exact (QMP-CMD-05). Iteration follows the order of definition. */
export class Schema {
  readonly types: ReadonlyMap<string, TypeDefinition>;
  readonly commands: ReadonlyMap<string, CommandDefinition>;
  readonly events: ReadonlyMap<string, EventDefinition>;

  constructor(
    definitions: Iterable<Definition>,
    /** `introspection`: integer widths are unknown (all read as `int`) and type names carry no meaning. */
    readonly origin: 'text' | 'introspection' = 'text',
  ) {
    const types = new Map<string, TypeDefinition>();
    const commands = new Map<string, CommandDefinition>();
    const events = new Map<string, EventDefinition>();
    for (const definition of definitions) {
      if (definition.kind === 'command') commands.set(definition.name, definition);
      else if (definition.kind === 'event') events.set(definition.name, definition);
      else types.set(definition.name, definition);
    }
    this.types = types;
    this.commands = commands;
    this.events = events;
  }

  /** Members of a struct or union with those of its bases, outermost base first: the order QEMU visits them in. */
  members(type: StructType | UnionType): readonly Member[] {
    if (type.base === undefined) return type.members;
    const base = this.types.get(type.base);
    if (base === undefined || base.kind !== 'struct')
      throw new Error(`base '${type.base}' of '${type.name}' is not a struct`);
    return [...this.members(base), ...type.members];
  }

  /** Members of the named arguments or data object; none for `undefined`. */
  membersOf(name: string | undefined): readonly Member[] {
    if (name === undefined) return [];
    const type = this.types.get(name);
    if (type === undefined || (type.kind !== 'struct' && type.kind !== 'union'))
      throw new Error(`'${name}' is not an object type`);
    return this.members(type);
  }
}
