/** The answer of `query-qmp-schema` (QMP-BASE-05) as a Schema. */
import { article } from './article.js';
import { type Entity, readEntities } from './entities.js';
import {
  type BuiltinName,
  type Definition,
  type EnumValue,
  type Feature,
  type Member,
  Schema,
  type TypeRef,
} from './schema.js';

export { IntrospectionError } from './entities.js';
export { toIntrospection } from './to-introspection.js';

/**
 * Reads a reply, the bare list or the object that holds it under `return`. Throws {@link IntrospectionError} that names
 * the entity and its fault. Members that this version does not know are ignored. All integers are `int`, type names are
 * the reply's own, and an object without members counts as no arguments, no result, no data.
 */
export function fromIntrospection(reply: unknown): Schema {
  const entities = readEntities(reply);
  return new Schema(new Reader(entities).definitions(), 'introspection');
}

/** Builtins by what their values look like, so that a monitor may give them names of its own. */
const builtins: Readonly<Record<string, BuiltinName>> = {
  string: 'str',
  int: 'int',
  number: 'number',
  boolean: 'bool',
  null: 'null',
  value: 'any',
};

class Reader {
  constructor(private readonly entities: ReadonlyMap<string, Entity>) {}

  *definitions(): Generator<Definition> {
    for (const entity of this.entities.values()) {
      const definition = this.#definition(entity);
      if (definition) yield definition;
    }
  }

  #definition(entity: Entity): Definition | undefined {
    const { name } = entity;
    const features = this.#features(entity.fields, entity);
    switch (entity.metaType) {
      case 'builtin':
        this.#builtin(entity);
        return undefined;
      case 'array':
        this.#ref(entity.string('element-type'), entity);
        return undefined;
      case 'enum':
        return { kind: 'enum', name, values: this.#values(entity), features };
      case 'object':
        return this.#object(entity, features);
      case 'alternate': {
        const branches = entity.objects('members').map((member, index) => {
          const type = this.#ref(entity.string('type', member, `members[${index}]`), entity);
          return { name: type.list ? `${type.name}List` : type.name, type };
        });
        return { kind: 'alternate', name, branches, features };
      }
      case 'command': {
        const data = this.#objectRef(entity, 'arg-type');
        const returns = this.#ref(entity.string('ret-type'), entity);
        return {
          kind: 'command',
          name,
          ...(data !== undefined && { arguments: data }),
          ...(!this.#isEmpty(returns) && { returns }),
          boxed: false,
          gen: true,
          successResponse: true,
          allowOob: entity.flag('allow-oob'),
          allowPreconfig: false,
          features,
        };
      }
      case 'event': {
        const data = this.#objectRef(entity, 'arg-type');
        return { kind: 'event', name, ...(data !== undefined && { data }), boxed: false, features };
      }
    }
  }

  #object(entity: Entity, features: readonly Feature[]): Definition {
    const { name } = entity;
    const members = entity.objects('members').map((member, index): Member => {
      const where = `members[${index}]`;
      return {
        name: entity.string('name', member, where),
        type: this.#ref(entity.string('type', member, where), entity),
        optional: Object.hasOwn(member, 'default'),
        features: this.#features(member, entity),
      };
    });
    entity.unique(members.map((member) => member.name));
    if (entity.fields.tag === undefined) {
      if (entity.fields.variants !== undefined) entity.fail("has 'variants' but no 'tag'");
      return { kind: 'struct', name, members, features };
    }
    const discriminator = entity.string('tag');
    const tag = members.find((member) => member.name === discriminator);
    if (!tag) return entity.fail(`has the tag '${discriminator}', which is not one of its members`);
    const tagType = tag.type.list ? undefined : this.entities.get(tag.type.name);
    if (tagType?.metaType !== 'enum') return entity.fail(`has the tag '${discriminator}', whose type is not an enum`);
    const values = new Set(this.#values(tagType).map((value) => value.name));
    const branches = entity.objects('variants').map((variant, index) => {
      const value = entity.string('case', variant, `variants[${index}]`);
      if (!values.has(value)) entity.fail(`has a variant for '${value}', which its tag cannot be`);
      const type = this.#ref(entity.string('type', variant, `variants[${index}]`), entity);
      if (type.list || this.entities.get(type.name)?.metaType !== 'object')
        entity.fail(`has a variant '${value}' that is not an object`);
      return { value, type };
    });
    entity.unique(branches.map((branch) => branch.value));
    return { kind: 'union', name, members, discriminator, branches, features };
  }

  /** Newer monitors list `members`, which can have features, beside `values`, which older ones have alone. */
  #values(entity: Entity): EnumValue[] {
    const values = Array.isArray(entity.fields.members)
      ? entity.objects('members').map((member, index) => ({
          name: entity.string('name', member, `members[${index}]`),
          features: this.#features(member, entity),
        }))
      : entity.strings('values').map((name) => ({ name, features: [] }));
    entity.unique(values.map((value) => value.name));
    return values;
  }

  #features(fields: Readonly<Record<string, unknown>>, entity: Entity): Feature[] {
    if (fields.features === undefined) return [];
    return entity.strings('features', fields).map((name) => ({ name }));
  }

  #builtin(entity: Entity): BuiltinName {
    const jsonType = entity.string('json-type');
    return builtins[jsonType] ?? entity.fail(`has the unknown json-type '${jsonType}'`);
  }

  /** A reference with arrays and builtins resolved. */
  #ref(name: string, from: Entity): TypeRef {
    const target = this.entities.get(name) ?? from.fail(`refers to '${name}', which the reply does not define`);
    if (target.metaType === 'builtin') return { name: this.#builtin(target), list: false };
    if (target.metaType === 'command' || target.metaType === 'event')
      return from.fail(`refers to '${name}' as a type, but that is ${article(target.metaType)}`);
    if (target.metaType !== 'array') return { name, list: false };
    const element = target.string('element-type');
    if (this.entities.get(element)?.metaType === 'array') return target.fail('is an array of arrays');
    return { ...this.#ref(element, target), list: true };
  }

  #objectRef(entity: Entity, key: string): string | undefined {
    const ref = this.#ref(entity.string(key), entity);
    if (ref.list || this.entities.get(ref.name)?.metaType !== 'object')
      return entity.fail(`has an '${key}' that is not an object`);
    return this.#isEmpty(ref) ? undefined : ref.name;
  }

  #isEmpty({ name, list }: TypeRef): boolean {
    const target = this.entities.get(name);
    return (
      !list &&
      target?.metaType === 'object' &&
      target.fields.tag === undefined &&
      target.objects('members').length === 0
    );
  }
}
