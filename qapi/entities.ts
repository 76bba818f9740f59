/** The entities of an introspection reply: typed access to their fields, with errors that name the entity. */

/** A reply that is not what `query-qmp-schema` may return. */
export class IntrospectionError extends Error {
  override readonly name = 'IntrospectionError';
}

const metaTypes = ['builtin', 'enum', 'array', 'object', 'alternate', 'command', 'event'] as const;
export type MetaType = (typeof metaTypes)[number];

type Fields = Readonly<Record<string, unknown>>;

export class Entity {
  constructor(
    readonly name: string,
    readonly metaType: MetaType,
    readonly fields: Fields,
  ) {}

  fail(fault: string): never {
    throw new IntrospectionError(`query-qmp-schema: ${this.metaType} '${this.name}' ${fault}`);
  }

  /** A string field, of this entity or of `fields`, a part of it that stands at `where`. */
  string(key: string, fields: Fields = this.fields, where = ''): string {
    const value = own(fields, key);
    if (typeof value === 'string') return value;
    const place = where === '' ? '' : ` in ${where}`;
    return this.fail(`${value === undefined ? 'lacks' : 'has no string as'} '${key}'${place}`);
  }

  strings(key: string, fields: Fields = this.fields): string[] {
    const value = own(fields, key);
    if (value === undefined) return this.fail(`lacks '${key}'`);
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
      return this.fail(`has no list of strings as '${key}'`);
    return value;
  }

  objects(key: string): Fields[] {
    const value = own(this.fields, key);
    if (value === undefined) return this.fail(`lacks '${key}'`);
    if (!Array.isArray(value) || !value.every(isObject)) return this.fail(`has no list of objects as '${key}'`);
    return value;
  }

  /** Absent is false. */
  flag(key: string): boolean {
    const value = own(this.fields, key);
    if (value === undefined || typeof value === 'boolean') return value ?? false;
    return this.fail(`has neither true nor false as '${key}'`);
  }

  unique(names: readonly string[]): void {
    const seen = new Set<string>();
    for (const name of names) {
      if (seen.has(name)) this.fail(`names '${name}' twice`);
      seen.add(name);
    }
  }
}

/** The entities of a reply by name. */
export function readEntities(reply: unknown): Map<string, Entity> {
  const list = isObject(reply) && 'return' in reply ? reply.return : reply;
  if (!Array.isArray(list)) throw new IntrospectionError('query-qmp-schema: the reply is not a list of entities');
  const found = new Map<string, Entity>();
  for (const [index, item] of list.entries()) {
    const where = `query-qmp-schema: entity ${index}`;
    if (!isObject(item)) throw new IntrospectionError(`${where} is not an object`);
    const name = own(item, 'name');
    if (typeof name !== 'string') throw new IntrospectionError(`${where} has no name`);
    const metaType = own(item, 'meta-type');
    if (!isMetaType(metaType)) {
      const shown = typeof metaType === 'string' ? `the unknown meta-type '${metaType}'` : 'no meta-type';
      throw new IntrospectionError(`${where}, '${name}', has ${shown}`);
    }
    const entity = new Entity(name, metaType, item);
    if (found.has(name)) entity.fail('is defined twice');
    found.set(name, entity);
  }
  return found;
}

const own = (fields: Fields, key: string): unknown => (Object.hasOwn(fields, key) ? fields[key] : undefined);

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isMetaType = (value: unknown): value is MetaType => metaTypes.some((known) => known === value);
