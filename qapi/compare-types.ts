/** Comparison of two types by structure, in the direction in which their values travel. */

import { describeRef } from './describe.js';
import { type Compatibility, compareFeatures, type Difference, type Sides } from './difference.js';
import {
  type AlternateType,
  type EnumType,
  type IntegerName,
  integerRanges,
  type Member,
  type Schema,
  type StructType,
  type TypeRef,
  type UnionType,
} from './schema.js';

type ObjectType = StructType | UnionType;

/**
 * `in`: the client sends the values, so the other must accept all that the base accepts. `out`: it receives them, so the
 * other must promise all that the base promises. One instance serves one command or event: a pair of types is looked
 * into at the first path that leads to it, which also ends circles.
 */
export class ComparedTypes {
  readonly #seen = new Set<string>();

  constructor(
    private readonly sides: Sides,
    private readonly direction: 'in' | 'out',
  ) {}

  /** Compares arguments or event data; undefined is the object without members. */
  objects(path: string, before: string | undefined, after: string | undefined): void {
    const left = objectNamed(this.sides.base, before);
    const right = objectNamed(this.sides.other, after);
    if (before !== undefined && after !== undefined && this.#again(before, after)) return;
    this.#object(path, left, right);
  }

  refs(path: string, before: TypeRef, after: TypeRef): void {
    if (before.list !== after.list) {
      this.#mismatch(path, before, after);
      return;
    }
    const inner = before.list ? `${path}[]` : path;
    const left = this.sides.base.types.get(before.name);
    const right = this.sides.other.types.get(after.name);
    if (!left && !right) {
      this.#builtins(inner, before.name, after.name);
      return;
    }
    if (left?.kind === 'alternate' || right?.kind === 'alternate') {
      if (!this.#again(before.name, after.name)) this.#alternates(inner, single(before), single(after));
    } else if (left?.kind === 'enum' && right?.kind === 'enum') {
      this.#enums(inner, left, right);
    } else if (isObject(left) && isObject(right)) {
      if (!this.#again(before.name, after.name)) this.#object(inner, left, right);
    } else {
      this.#mismatch(inner, single(before), single(after));
    }
  }

  /** A result where the base has one and the other has none. */
  lost(path: string, before: TypeRef): void {
    const type = before.list ? undefined : this.sides.base.types.get(before.name);
    if (isObject(type)) this.#object(path, type, undefined);
    else this.#add(path, 'removed', `${describeRef(this.sides.base, before)} is no longer returned`, 'no');
  }

  /** A result where the base has none. */
  gained(path: string, after: TypeRef): void {
    const type = after.list ? undefined : this.sides.other.types.get(after.name);
    if (isObject(type)) this.#object(path, undefined, type);
    else this.#add(path, 'added', `${describeRef(this.sides.other, after)} is now returned`, 'attention');
  }

  #add(path: string, kind: Difference['kind'], text: string, compatible: Compatibility): void {
    this.sides.report({ path, kind, text, compatible });
  }

  #again(before: string, after: string): boolean {
    const key = JSON.stringify([before, after]);
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    return false;
  }

  #mismatch(path: string, before: TypeRef, after: TypeRef): void {
    const [from, to] = [describeRef(this.sides.base, before), describeRef(this.sides.other, after)];
    const fits =
      this.direction === 'in' ? isWider(after, this.sides.base, before) : isWider(before, this.sides.other, after);
    this.#add(path, 'changed', `was ${from}, is ${to}`, fits ? 'yes' : 'no');
  }

  #builtins(path: string, before: string, after: string): void {
    if (before === after) return;
    const [left, right] = [rangeOf(before), rangeOf(after)];
    if (left && right) {
      const known = this.sides.base.origin === 'text' && this.sides.other.origin === 'text';
      if (!known || (left[0] === right[0] && left[1] === right[1])) return;
      const [inner, outer] = this.direction === 'in' ? [left, right] : [right, left];
      const fits = outer[0] <= inner[0] && inner[1] <= outer[1];
      this.#add(path, 'changed', `was ${before}, is ${after}`, fits ? 'yes' : 'attention');
      return;
    }
    const widened = this.direction === 'in' ? left && after === 'number' : right && before === 'number';
    if (widened) this.#add(path, 'changed', `was ${before}, is ${after}`, 'yes');
    else this.#mismatch(path, { name: before, list: false }, { name: after, list: false });
  }

  #enums(path: string, before: EnumType, after: EnumType): void {
    const had = new Map(before.values.map((value) => [value.name, value]));
    const has = new Map(after.values.map((value) => [value.name, value]));
    const incoming = this.direction === 'in';
    for (const [name, value] of had) {
      const now = has.get(name);
      if (now) compareFeatures(`${path}=${name}`, value.features, now.features, this.sides.report);
      else this.#add(path, 'removed', `the value '${name}' is gone`, incoming ? 'no' : 'yes');
    }
    for (const name of has.keys())
      if (!had.has(name)) this.#add(path, 'added', `the value '${name}' is new`, incoming ? 'yes' : 'attention');
  }

  #object(path: string, before: ObjectType | undefined, after: ObjectType | undefined): void {
    const left = before ? this.sides.base.members(before) : [];
    const right = after ? this.sides.other.members(after) : [];
    this.#members(path, left, right);
    this.#branches(path, before, after);
  }

  #members(path: string, before: readonly Member[], after: readonly Member[]): void {
    const had = new Map(before.map((member) => [member.name, member]));
    const has = new Map(after.map((member) => [member.name, member]));
    for (const member of before) {
      const now = has.get(member.name);
      if (now) this.#member(`${path}.${member.name}`, member, now);
      else this.#memberLost(`${path}.${member.name}`, member);
    }
    for (const member of after) if (!had.has(member.name)) this.#memberGained(`${path}.${member.name}`, member);
  }

  #memberLost(path: string, member: Member): void {
    const text = `${member.optional ? 'the optional' : 'the'} member is gone`;
    // Whoever receives an optional member has to live without it anyway.
    this.#add(path, 'removed', text, this.direction === 'out' && member.optional ? 'attention' : 'no');
  }

  #memberGained(path: string, member: Member): void {
    const demanded = this.direction === 'in' && !member.optional;
    const text = `${member.optional ? 'an optional' : 'a required'} member is new: ${describeRef(this.sides.other, member.type)}`;
    this.#add(path, 'added', text, demanded ? 'no' : 'yes');
  }

  #member(path: string, before: Member, after: Member): void {
    const incoming = this.direction === 'in';
    if (before.optional && !after.optional)
      this.#add(path, 'changed', 'was optional, is required', incoming ? 'no' : 'yes');
    if (!before.optional && after.optional)
      this.#add(path, 'changed', 'was required, is optional', incoming ? 'yes' : 'no');
    compareFeatures(path, before.features, after.features, this.sides.report);
    this.refs(path, before.type, after.type);
  }

  /** A value of the tag that has no branch adds no members; where the tag is new or gone, its member says so. */
  #branches(path: string, before: ObjectType | undefined, after: ObjectType | undefined): void {
    const left = before?.kind === 'union' ? before : undefined;
    const right = after?.kind === 'union' ? after : undefined;
    if (!left && !right) return;
    if (left && right && left.discriminator !== right.discriminator) {
      const text = `the tag was '${left.discriminator}', is '${right.discriminator}'`;
      this.#add(path, 'changed', text, 'no');
      return;
    }
    const values = tagValues(this.sides.base, left);
    const now = tagValues(this.sides.other, right);
    const common = left && right ? values.filter((value) => now.includes(value)) : left ? values : now;
    for (const value of common) {
      const from = branchOf(left, value);
      const to = branchOf(right, value);
      if (from !== undefined && to !== undefined && this.#again(from, to)) continue;
      this.#object(
        `${path}{${value}}`,
        from === undefined ? undefined : objectNamed(this.sides.base, from),
        to === undefined ? undefined : objectNamed(this.sides.other, to),
      );
    }
  }

  /** Each branch is one JSON type, so branches correspond by that; a plain type is an alternate of one branch. */
  #alternates(path: string, before: TypeRef, after: TypeRef): void {
    const left = branchesByJson(this.sides.base, before);
    const right = branchesByJson(this.sides.other, after);
    const incoming = this.direction === 'in';
    for (const [json, from] of left) {
      const to = right.get(json) ?? right.get('any');
      if (to) this.refs(path, from, to);
      else this.#add(path, 'removed', `${describeRef(this.sides.base, from)} is gone`, incoming ? 'no' : 'yes');
    }
    for (const [json, to] of right)
      if (!left.has(json)) {
        const text = `${describeRef(this.sides.other, to)} is new`;
        this.#add(path, 'added', text, incoming || left.has('any') ? 'yes' : 'no');
      }
  }
}

/** `any` takes every value, and a string those of every enum. */
function isWider(wide: TypeRef, narrowSchema: Schema, narrow: TypeRef): boolean {
  if (wide.list) return narrow.list && isWider(single(wide), narrowSchema, single(narrow));
  if (wide.name === 'any') return true;
  return wide.name === 'str' && !narrow.list && narrowSchema.types.get(narrow.name)?.kind === 'enum';
}

const single = ({ name }: TypeRef): TypeRef => ({ name, list: false });

const isObject = (type: { readonly kind: string } | undefined): type is ObjectType =>
  type?.kind === 'struct' || type?.kind === 'union';

function objectNamed(schema: Schema, name: string | undefined): ObjectType | undefined {
  const type = name === undefined ? undefined : schema.types.get(name);
  return isObject(type) ? type : undefined;
}

function rangeOf(name: string): readonly [bigint, bigint] | undefined {
  return Object.hasOwn(integerRanges, name) ? integerRanges[name as IntegerName] : undefined;
}

function tagValues(schema: Schema, union: UnionType | undefined): string[] {
  const tag = union && schema.members(union).find((member) => member.name === union.discriminator);
  const type = tag && schema.types.get(tag.type.name);
  return type?.kind === 'enum' ? type.values.map(({ name }) => name) : [];
}

const branchOf = (union: UnionType | undefined, value: string): string | undefined =>
  union?.branches.find((branch) => branch.value === value)?.type.name;

/** Branches of an alternate by JSON type; any other type is its own only branch. */
function branchesByJson(schema: Schema, ref: TypeRef): Map<string, TypeRef> {
  const type = ref.list ? undefined : schema.types.get(ref.name);
  const branches = type?.kind === 'alternate' ? (type as AlternateType).branches.map((branch) => branch.type) : [ref];
  return new Map(branches.map((branch) => [jsonOf(schema, branch), branch]));
}

function jsonOf(schema: Schema, { name, list }: TypeRef): string {
  if (list) return 'array';
  const type = schema.types.get(name);
  if (type) return type.kind === 'enum' ? 'str' : 'object';
  return rangeOf(name) ? 'number' : name;
}
