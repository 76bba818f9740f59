/** A Schema as the answer of `query-qmp-schema`, in the shape of qmp-protocol.md §13. */
import { type Feature, integerRanges, type Member, type Schema, type TypeDefinition, type TypeRef } from './schema.js';

export interface IntrospectionOptions {
  /** Tell features, and list enum values as `members` too, as monitors from 7.2 on do (QMP-D-45). */
  readonly features?: boolean;
}

/**
 * The entities that commands and events reach, those first. Types are numbered in the order in which they are met; all
 * integers are `int`; a union has a variant for every value of its tag.
 */
export function toIntrospection(schema: Schema, { features = false }: IntrospectionOptions = {}): object[] {
  return new Writer(schema, features).entities();
}

const jsonTypes: Readonly<Record<string, string>> = {
  str: 'string',
  int: 'int',
  number: 'number',
  bool: 'boolean',
  null: 'null',
  any: 'value',
};

const qtypeValues = ['none', 'qnull', 'qnum', 'qstring', 'qdict', 'qlist', 'qbool'];

class Writer {
  readonly #found: object[] = [];
  readonly #numbers = new Map<string, string>();
  /** Arrays and builtins that have an entity: their names follow from what they are. */
  readonly #named = new Set<string>();
  /** Types that have a number but no entity yet. */
  readonly #waiting: { readonly name: string; readonly number: string }[] = [];

  constructor(
    private readonly schema: Schema,
    private readonly withFeatures: boolean,
  ) {}

  entities(): object[] {
    for (const { name, arguments: data, returns, allowOob, features } of this.schema.commands.values()) {
      this.#found.push({
        name,
        'meta-type': 'command',
        'arg-type': this.#object(data),
        'ret-type': returns ? this.#ref(returns) : this.#object(undefined),
        ...(allowOob && { 'allow-oob': true }),
        ...this.#features(features),
      });
    }
    for (const { name, data, features } of this.schema.events.values())
      this.#found.push({ name, 'meta-type': 'event', 'arg-type': this.#object(data), ...this.#features(features) });
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) this.#define(next.name, next.number);
    return this.#found;
  }

  #features(features: readonly Feature[]): { features?: string[] } {
    return this.withFeatures && features.length > 0 ? { features: features.map(({ name }) => name) } : {};
  }

  /** Name of an object entity; that of the empty one for `undefined`. */
  #object(name: string | undefined): string {
    return this.#number(name ?? '');
  }

  #number(name: string): string {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = String(this.#numbers.size);
    this.#numbers.set(name, number);
    this.#waiting.push({ name, number });
    return number;
  }

  #ref({ name, list }: TypeRef): string {
    const element = this.#element(name);
    if (!list) return element;
    const array = `[${element}]`;
    if (!this.#named.has(array)) {
      this.#named.add(array);
      this.#found.push({ name: array, 'meta-type': 'array', 'element-type': element });
    }
    return array;
  }

  #element(name: string): string {
    const builtin = Object.hasOwn(integerRanges, name) ? 'int' : name;
    const jsonType = Object.hasOwn(jsonTypes, builtin) ? jsonTypes[builtin] : undefined;
    if (jsonType === undefined) return this.#number(name);
    if (!this.#named.has(builtin)) {
      this.#named.add(builtin);
      this.#found.push({ name: builtin, 'meta-type': 'builtin', 'json-type': jsonType });
    }
    return builtin;
  }

  #define(name: string, number: string): void {
    this.#found.push({ name: number, ...this.#body(name) });
  }

  #body(name: string): object {
    if (name === '') return { 'meta-type': 'object', members: [] };
    if (name === 'QType') return { 'meta-type': 'enum', values: qtypeValues };
    const type = this.schema.types.get(name);
    if (!type) throw new Error(`the schema refers to '${name}' but does not define it`);
    return { ...this.#shape(type), ...this.#features(type.features) };
  }

  #shape(type: TypeDefinition): object {
    switch (type.kind) {
      case 'enum':
        return {
          'meta-type': 'enum',
          ...(this.withFeatures && {
            members: type.values.map((value) => ({ name: value.name, ...this.#features(value.features) })),
          }),
          values: type.values.map((value) => value.name),
        };
      case 'alternate':
        return {
          'meta-type': 'alternate',
          members: type.branches.map((branch) => ({ type: this.#ref(branch.type) })),
        };
      case 'struct':
        return { 'meta-type': 'object', members: this.#members(this.schema.members(type)) };
      case 'union': {
        const members = this.schema.members(type);
        const tag = members.find((member) => member.name === type.discriminator);
        const tagType = tag && this.schema.types.get(tag.type.name);
        const values = tagType?.kind === 'enum' ? tagType.values.map((value) => value.name) : [];
        const branches = new Map(type.branches.map((branch) => [branch.value, branch.type]));
        return {
          'meta-type': 'object',
          members: this.#members(members),
          tag: type.discriminator,
          variants: values.map((value) => {
            const branch = branches.get(value);
            return { case: value, type: branch ? this.#ref(branch) : this.#object(undefined) };
          }),
        };
      }
    }
  }

  #members(members: readonly Member[]): object[] {
    return members.map(({ name, type, optional, features }) => ({
      name,
      ...(optional && { default: null }),
      type: this.#ref(type),
      ...this.#features(features),
    }));
  }
}
