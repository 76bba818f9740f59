/** How deep the flattest value of each type is: so that generation ends, and is not begun where no value ever would. */
import type { Schema, TypeDefinition, TypeRef, UnionType } from '../../qapi/schema.js';

export class Heights {
  private readonly known = new Map<string, number>();

  constructor(private readonly schema: Schema) {
    // Heights only fall, and each is at most the number of types: this comes to rest.
    for (let changed = true; changed; ) {
      changed = false;
      for (const type of schema.types.values()) {
        const height = this.compute(type);
        if (height >= (this.known.get(type.name) ?? Number.POSITIVE_INFINITY)) continue;
        this.known.set(type.name, height);
        changed = true;
      }
    }
  }

  /** 0 for a scalar or a list, which may be empty; infinite for a type that contains itself in any case. */
  of({ name, list }: TypeRef): number {
    if (list || !this.schema.types.has(name)) return 0;
    return this.known.get(name) ?? Number.POSITIVE_INFINITY;
  }

  /** Values of the discriminator that lead to the flattest branches. */
  flattest(union: UnionType, values: readonly string[]): string[] {
    const least = Math.min(...values.map((value) => this.branch(union, value)));
    return values.filter((value) => this.branch(union, value) === least);
  }

  private branch(union: UnionType, value: string): number {
    const found = union.branches.find((branch) => branch.value === value);
    return found === undefined ? 0 : this.of(found.type);
  }

  private compute(type: TypeDefinition): number {
    switch (type.kind) {
      case 'enum':
        return type.values.length === 0 ? Number.POSITIVE_INFINITY : 0;
      case 'alternate':
        return 1 + Math.min(...type.branches.map((branch) => this.of(branch.type)));
      case 'struct':
      case 'union': {
        const required = this.schema.members(type).filter(({ optional }) => !optional);
        const common = required.map((member) => this.of(member.type));
        if (type.kind === 'union') common.push(Math.min(...this.values(type).map((value) => this.branch(type, value))));
        return 1 + Math.max(0, ...common);
      }
    }
  }

  /** What the discriminator of a union may be. */
  values(union: UnionType): string[] {
    const member = this.schema.members(union).find(({ name }) => name === union.discriminator);
    const type = member === undefined ? undefined : this.schema.types.get(member.type.name);
    return type?.kind === 'enum' ? type.values.map(({ name }) => name) : [];
  }
}
