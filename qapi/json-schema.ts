/** QAPI types as JSON Schema (draft 2020-12): plain, for anybody's tools, or exact, for the validators of this project. */
import { describeRef, oneOf } from './describe.js';
import {
  type AlternateType,
  type IntegerName,
  integerRanges,
  type Schema,
  type StructType,
  type TypeDefinition,
  type TypeRef,
  type UnionType,
} from './schema.js';

type JsonObject = { readonly [keyword: string]: unknown };
export type JsonSchema = boolean | JsonObject;

export interface JsonSchemaOptions {
  /** Allow members that the schema does not know, at every level. */
  readonly additional?: boolean;
}

/** The kinds of JSON value. Integers beyond ±(2^53-1) count as numbers although they are bigint in memory. */
export type JsonKind = 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object';

/** How the two flavours say what JSON Schema and JavaScript see differently. */
interface Flavour {
  integer(name: IntegerName, range: readonly [bigint, bigint]): JsonSchema;
  kinds(kinds: readonly JsonKind[], expected: string): JsonSchema;
}

const plain: Flavour = {
  // The bounds are powers of two, or small, and so exact; 2^64-1 itself has no exact double.
  integer: (_name, [low, high]) => ({
    type: 'integer',
    minimum: Number(low),
    exclusiveMaximum: Number(high + 1n),
  }),
  kinds: (kinds) => ({ type: kinds.length === 1 ? kinds[0] : kinds }),
};

/** Keywords of the exact flavour; validators.ts defines what they do. */
export const exactKeywords = { integer: 'qapiInteger', kinds: 'qapiKinds' } as const;

const exact: Flavour = {
  integer: (name) => ({ [exactKeywords.integer]: name }),
  kinds: (kinds, expected) => ({ [exactKeywords.kinds]: { kinds, expected } }),
};

const draft = 'https://json-schema.org/draft/2020-12/schema';

/** The JSON Schema of a type, complete with everything that it refers to. */
export function toJsonSchema(schema: Schema, ref: TypeRef, options: JsonSchemaOptions = {}): JsonSchema {
  const builder = new JsonSchemaBuilder(schema, plain, options);
  const root = builder.ref(ref);
  return { $schema: draft, ...(typeof root === 'boolean' ? {} : root), $defs: builder.definitions() };
}

/** The exact flavour of {@link toJsonSchema}; undefined is the object without members. */
export function exactJsonSchema(schema: Schema, ref: TypeRef | undefined, options: JsonSchemaOptions): JsonSchema {
  const builder = new JsonSchemaBuilder(schema, exact, options);
  const root = ref ? builder.ref(ref) : builder.empty();
  return { $schema: draft, ...(typeof root === 'boolean' ? {} : root), $defs: builder.definitions() };
}

class JsonSchemaBuilder {
  readonly #definitions: Record<string, JsonSchema> = {};

  constructor(
    private readonly schema: Schema,
    private readonly flavour: Flavour,
    private readonly options: JsonSchemaOptions,
  ) {}

  definitions(): Readonly<Record<string, JsonSchema>> {
    return this.#definitions;
  }

  ref(ref: TypeRef): JsonSchema {
    if (!ref.list) return this.#named(ref.name);
    return { ...asObject(this.flavour.kinds(['array'], 'array')), items: this.#named(ref.name) };
  }

  empty(): JsonSchema {
    return this.#closed('additionalProperties', asObject(this.flavour.kinds(['object'], 'object')));
  }

  #closed(keyword: 'additionalProperties' | 'unevaluatedProperties', open: JsonObject): JsonObject {
    return this.options.additional ? open : { ...open, [keyword]: false };
  }

  #named(name: string): JsonSchema {
    const range = Object.hasOwn(integerRanges, name) ? this.#range(name as IntegerName) : undefined;
    if (range) return this.flavour.integer(range.name, range.bounds);
    switch (name) {
      case 'str':
        return this.flavour.kinds(['string'], 'string');
      case 'number':
        return this.flavour.kinds(['number'], 'number');
      case 'bool':
        return this.flavour.kinds(['boolean'], 'boolean');
      case 'null':
        return this.flavour.kinds(['null'], 'null');
      case 'any':
        return true;
      case 'QType':
        return { enum: ['none', 'qnull', 'qnum', 'qstring', 'qdict', 'qlist', 'qbool'] };
    }
    const type = this.schema.types.get(name);
    if (!type) throw new Error(`the schema does not define '${name}'`);
    return { $ref: this.#define(name, () => this.#definition(type)) };
  }

  #definition(type: TypeDefinition): JsonSchema {
    switch (type.kind) {
      case 'enum': {
        const values = type.values.map((value) => value.name);
        return { ...asObject(this.flavour.kinds(['string'], oneOf(values))), enum: values };
      }
      case 'alternate':
        return this.#alternate(type);
      case 'struct':
        return this.#closed('additionalProperties', this.#open(type));
      case 'union':
        return this.#closed('unevaluatedProperties', this.#open(type));
    }
  }

  /** An introspected `int` may be any of the integer types, so it takes what any of them takes. */
  #range(name: IntegerName): { name: IntegerName; bounds: readonly [bigint, bigint] } {
    if (this.schema.origin === 'text') return { name, bounds: integerRanges[name] };
    return { name: 'int', bounds: [integerRanges.int64[0], integerRanges.uint64[1]] };
  }

  /** The definition is entered before it is built, so that circles end. */
  #define(name: string, build: () => JsonSchema): string {
    if (!Object.hasOwn(this.#definitions, name)) {
      this.#definitions[name] = true;
      this.#definitions[name] = build();
    }
    return `#/$defs/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}`;
  }

  /** The members of an object without the ban on others, as a branch of a union needs it. */
  #open(type: StructType | UnionType): JsonObject {
    const members = this.schema.members(type);
    return {
      ...asObject(this.flavour.kinds(['object'], 'object')),
      properties: Object.fromEntries(members.map((member) => [member.name, this.ref(member.type)])),
      required: members.filter((member) => !member.optional).map((member) => member.name),
      ...(type.kind === 'union' && { allOf: this.#branches(type) }),
    };
  }

  #branches(union: UnionType): JsonSchema[] {
    return union.branches.flatMap(({ value, type: { name } }) => {
      const branch = this.schema.types.get(name);
      if (branch?.kind !== 'struct' && branch?.kind !== 'union') return [];
      const chosen = { properties: { [union.discriminator]: { const: value } }, required: [union.discriminator] };
      return [when(chosen, { $ref: this.#define(`${name}:open`, () => this.#open(branch)) })];
    });
  }

  /** The JSON type of the value chooses the branch, so that the faults found are those of that branch. */
  #alternate({ name, branches }: AlternateType): JsonSchema {
    const kinds = branches.map((branch) => this.#kind(branch.type));
    const shown = branches.map((branch) => describeRef(this.schema, branch.type)).join(' or ');
    const expected = this.schema.origin === 'text' ? `${name} (${shown})` : shown;
    return {
      ...asObject(this.flavour.kinds(kinds, expected)),
      allOf: branches.map((branch, index) => when(this.flavour.kinds([kinds[index]!], ''), this.ref(branch.type))),
    };
  }

  #kind({ name, list }: TypeRef): JsonKind {
    if (list) return 'array';
    if (name === 'number' || Object.hasOwn(integerRanges, name)) return 'number';
    if (name === 'bool') return 'boolean';
    if (name === 'null') return 'null';
    const type = this.schema.types.get(name);
    return type === undefined || type.kind === 'enum' ? 'string' : 'object';
  }
}

const asObject = (schema: JsonSchema): JsonObject => (typeof schema === 'boolean' ? {} : schema);

/** `if` and `then`. The key is computed because an object that spells `then` looks like a promise to the linter. */
const consequence = 'then';
const when = (condition: JsonSchema, schema: JsonSchema): JsonObject => ({ if: condition, [consequence]: schema });
